/** Registrations as a list that grows at its top. */

import { follow } from "./live.js";
import { h, link } from "./dom.js";
import { groups, mass, moment, number } from "./format.js";
import { t } from "./i18n.js";
import { call } from "./rpc.js";
import { memberNames, productName } from "./chrome.js";

const BLOCKS_BACK = 20;

/** Show the newest registrations in `place`, at most `rows`, and keep them new. */
export async function showRegistrations(place, rows) {
  const [names, { height }] = await Promise.all([memberNames(), call("chain.status")]);
  const list = h("ol", { class: "list", "aria-label": t("live.list") });
  const state = h("p", { class: "light", role: "status" }, h("i"), h("span"));
  const empty = h("p", { class: "hint" }, t("live.empty"));
  place.replaceChildren(state, list);
  let settled = height === 0;
  if (settled) list.before(empty);
  const onEvent = (event) => {
    if (event.type === "block") {
      settled ||= event.cursor[0] >= height;
      if (!settled) return;
      if (!list.children.length) list.before(empty);
      // From here on a screen reader says what is added.
      list.setAttribute("aria-live", "polite");
      return;
    }
    empty.remove();
    list.prepend(row(event, names, settled));
    while (list.children.length > rows) list.lastChild.remove();
  };
  follow(Math.max(height - BLOCKS_BACK, 0), onEvent, (on) => {
    if (state.dataset.on === String(on)) return;
    state.dataset.on = on;
    state.lastChild.textContent = t(on ? "live.on" : "live.off");
  });
}

/** One registration. `event`: what the stream or a block says of it; `anchored`: say where. */
export function row(event, names, fresh = false, anchored = true) {
  return h("li", { class: fresh && "fresh" },
    h("span", { class: "main" }, productName(event.product)),
    h("span", { class: "side" }, mass(event.net_mass_g)),
    h("span", { class: "whole" }, link(["K", event.id], h("code", {}, groups(event.id)))),
    h("span", { class: "under whole" }, names.get(event.member) ?? event.member,
      anchored && [" · ", link(["blocks", event.cursor[0]],
        t("block", { height: number(event.cursor[0]) })), " · ", moment(event.time_ms)]));
}
