/** The network as this node sees it, kept new. */

import { h, table } from "../dom.js";
import { digest, number } from "../format.js";
import { t } from "../i18n.js";
import { callAll } from "../rpc.js";
import { status } from "../status.js";

const REFRESH_MS = 3000;

export async function show(place) {
  place.classList.add("stack");
  const parts = [h("section"), h("section", { class: "card" }), h("section")];
  place.replaceChildren(...parts);
  let told = "";
  const refresh = async () => {
    if (document.hidden) return;
    const said = await callAll(
      [["chain.status", {}], ["chain.why", {}], ["peer.list", {}], ["node.info", {}]]);
    // What has not changed stays as it is, under the reader's eyes and screen reader.
    if (JSON.stringify(said) === told) return;
    told = JSON.stringify(said);
    draw(parts, ...said);
  };
  await refresh();
  setInterval(() => refresh().catch(() => {}), REFRESH_MS);
}

function draw([state, next, links], said, why, peers, info) {
  state.replaceChildren(status(said));
  next.replaceChildren(h("h2", {}, t("network.next", { height: number(why?.height ?? said.height + 1) })),
    ...(why ? [...why.waits_for, ...why.then] : []).map((each) => h("p", {}, each)));
  links.replaceChildren(h("h2", {}, t("network.peers", { name: info.name })), table(t("network.peers", { name: info.name }),
    [t("network.peer"), t("tx.member"), t("network.link"), `#${t("block.height")}`, `#${t("network.trip")}`,
      t("network.id")],
    peers.map((each) => [each.name ?? t("network.unknown"), each.member,
      h("span", { class: "light", "data-on": String(each.connected) }, h("i"),
        t(each.connected ? "network.up" : "network.down")),
      each.height === null ? null : number(each.height),
      each.round_trip_ms === null ? null : `${each.round_trip_ms.toFixed(1)} ms`,
      digest(each.peer_id, 16)])));
}
