/** The consortium. */

import { h, link } from "../dom.js";
import { country, known } from "../i18n.js";
import { call } from "../rpc.js";

export const roles = (member) => member.roles.map((each) => known(`role.${each}`, each)).join(", ");

export async function show(place) {
  const members = await call("member.list");
  place.replaceChildren(h("ul", { class: "list" }, members.map((each) => h("li", {},
    h("span", { class: "main" }, link(["members", each.code], each.name)),
    h("span", { class: "side" }, h("code", {}, each.code)),
    h("span", { class: "under" }, roles(each)),
    h("span", { class: "side" }, country(each.country))))));
}
