/** What became of a transaction, and the batch that it registered. */

import { facts, h, link } from "../dom.js";
import { groups, mass, moment } from "../format.js";
import { t } from "../i18n.js";
import { call } from "../rpc.js";
import { memberNames, productName } from "../chrome.js";

export async function show(place, argument) {
  const said = await call("tx.get", { tx_id: argument });
  const rows = [[t("tx.id"), h("code", { class: "digest" }, said.tx_id)],
    [t("tx.status"), t(`tx.status.${said.status}`)]];
  if (said.error) rows.push([t("tx.error"), `${said.error.code}: ${said.error.message}`]);
  if (said.status === "committed") rows.push(...await anchored(said));
  place.replaceChildren(h("section", { class: "card" }, facts(rows)));
}

async function anchored(said) {
  const [block, names] = await Promise.all(
    [call("block.get", { height: said.height }), memberNames()]);
  const found = block.transactions[said.index];
  return [
    [t("tx.block"), link(["blocks", said.height], t("block", { height: said.height }))],
    [t("block.time"), moment(said.time_ms)],
    [t("tx.batch"), link(["K", found.id], h("code", {}, groups(found.id)))],
    [t("tx.product"), `${productName(found.product)}, ${mass(found.net_mass_g)}`],
    [t("tx.member"), link(["members", found.member], names.get(found.member) ?? found.member)],
  ];
}
