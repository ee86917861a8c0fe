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
  const told = [];
  const refresh = async () => {
    if (document.hidden) return;
    const [said, why, peers, info] = await callAll(
      [["chain.status", {}], ["chain.why", {}], ["peer.list", {}], ["node.info", {}]]);
    const next = { height: why.height, lines: [...why.waits_for, ...why.then] };
    [[said, standing], [next, waiting], [{ peers, info }, links]].forEach(([data, draw], i) => {
      const text = JSON.stringify(data);
      // What has not changed stays as it is, under the reader's eyes, finger or focus.
      if (told[i] !== text) parts[i].replaceChildren(...draw(data));
      told[i] = text;
    });
  };
  await refresh();
  setInterval(() => refresh().catch(() => {}), REFRESH_MS);
}

const standing = (said) => [status(said)];

const waiting = ({ height, lines }) => [h("h2", {}, t("network.next", { height: number(height) })),
  ...lines.map((each) => h("p", { lang: "en" }, each))];

const links = ({ peers, info }) => [h("h2", {}, t("network.peers", { name: info.name })),
  table(t("network.peers", { name: info.name }),
    [t("network.peer"), t("tx.member"), t("network.link"), `#${t("block.height")}`,
      `#${t("network.trip")}`, t("network.id")],
    peers.map((each) => [each.name ?? t("network.unknown"), each.member,
      h("span", { class: "light", "data-on": String(each.connected) }, h("i"),
        t(each.connected ? "network.up" : "network.down")),
      each.height === null ? null : number(each.height),
      each.round_trip_ms === null ? null : `${each.round_trip_ms.toFixed(1)} ms`,
      digest(each.peer_id, 16)]))];
