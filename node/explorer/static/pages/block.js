/** One block: who proposed it, who voted for it, what it holds. */

import { facts, h, link } from "../dom.js";
import { moment, number } from "../format.js";
import { t } from "../i18n.js";
import { call, callAll } from "../rpc.js";
import { memberNames } from "../chrome.js";
import { eventsOf } from "../live.js";
import { row } from "../registrations.js";
import { votes } from "../votes.js";

const ROWS = 500; // transactions drawn at once

export async function show(place, argument) {
  const height = Number(argument);
  const block = await call("block.get", { height });
  const [[validators, status], names] = await Promise.all(
    [callAll([["validator.list", {}], ["chain.status", {}]]), memberNames()]);
  const { header, certificate } = block;
  const code = (hex) => h("code", { class: "digest" }, hex);
  place.classList.add("stack");
  place.replaceChildren(
    h("section", { class: "card" }, facts([
      [t("block.time"), moment(header.time_ms)],
      [t("block.proposer"), height ? validators?.[header.proposer]?.name ?? header.proposer : "–"],
      [t("block.digest"), code(block.digest)],
      [t("block.parent"), height ? link(["blocks", height - 1], code(header.parent)) : code(header.parent)],
      [t("block.transactions_root"), code(header.transactions_root)],
      [t("block.state_root"), code(header.state_root)],
    ])),
    h("section", { class: "card" }, h("h2", {}, t("votes.title")),
      certificate && validators ? [votes(certificate, validators),
        h("p", { class: "hint" }, t("votes.hint", { view: certificate.view }))] :
        h("p", {}, t("votes.genesis"))),
    h("section", {}, h("h2", {}, t("block.holds", { count: number(header.transactions) })),
      h("ol", { class: "list" }, eventsOf(block).slice(0, -1).slice(0, ROWS).map((e) => row(e, names, false, false)))),
    turn(height, status?.height ?? height));
}

function turn(height, head) {
  const to = (place, text) => h("a", { class: "button", href: `/blocks/${place}` }, text);
  return h("nav", { class: "pager", "aria-label": t("block.turn") },
    height > 0 && to(height - 1, `← ${t("block", { height: number(height - 1) })}`),
    height < head && to(height + 1, `${t("block", { height: number(height + 1) })} →`));
}
