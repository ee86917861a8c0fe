/** Where the node stands, as tiles. */

import { h, link, tiles } from "./dom.js";
import { digest, moment, number } from "./format.js";
import { t } from "./i18n.js";

/** `said`: what chain.status answers. */
export function status(said) {
  return tiles([
    [t("status.chain"), said.chain_id, true],
    [t("status.height"), link(["blocks", said.height], number(said.height))],
    [t("status.head"), digest(said.head, 24), true],
    [t("status.time"), moment(said.head_time_ms), true],
    [t("status.view"), `${said.view} ${said.mode === "active" ? "" : t("status.changing")}`.trim()],
    [t("status.quorum"), t("status.quorum.of", { quorum: said.quorum, n: said.n })],
    [t("status.faulty"), number(said.f)],
    [t("status.pending"), number(said.pending)],
    [t("status.ready"), h("span", { class: "light", "data-on": String(said.ready) }, h("i"),
      said.ready ? t("status.ready.yes") : said.reason), !said.ready],
  ]);
}
