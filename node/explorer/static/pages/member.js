/** One member: who it is, where it works, which keys sign for it, what it registered. */

import { facts, h, link, problem } from "../dom.js";
import { day, digest, groups, mass, number } from "../format.js";
import { country, known, t } from "../i18n.js";
import { call } from "../rpc.js";
import { productName } from "../chrome.js";
import { roles } from "./members.js";

const ROWS = 50;

export async function show(place, code) {
  const member = (await call("member.list")).find((each) => each.code === code);
  if (!member) {
    place.replaceChildren(problem(t("member.none"), code));
    return;
  }
  document.querySelector("h1").textContent = member.name;
  const batches = h("section", { class: "stack" }, h("h2", {}, t("member.batches")));
  place.classList.add("stack");
  place.replaceChildren(
    h("section", { class: "card" }, facts([
      [t("member.code"), h("code", {}, member.code)],
      [t("member.country"), country(member.country)],
      [t("member.roles"), roles(member)],
      [t("member.status"), known(`member.status.${member.status}`, member.status)],
      [t("member.facilities"), member.facilities.map((each) =>
        h("div", {}, `${each.name}, ${country(each.country)} `, h("code", { class: "quiet-text" }, each.id)))],
      [t("member.keys"), member.keys.map((each) =>
        h("div", {}, digest(each.key, 24), ` ${known(`member.status.${each.status}`, each.status)}`))],
    ])), batches);
  await showBatches(batches, code, 0);
}

async function showBatches(place, member, after) {
  const { batches, next } = await call("batch.list", { member, after, limit: ROWS });
  if (!batches.length) {
    place.append(h("p", { class: "hint" }, t("member.no_batches")));
    return;
  }
  place.append(h("ol", { class: "list", "aria-label": t("member.batches") }, batches.map(row)));
  if (next === null) return;
  const more = h("button", { type: "button", onclick: async () => {
    more.remove();
    await showBatches(place, member, next);
  } }, t("more"));
  place.append(more);
}

const row = (batch) => h("li", {},
  h("span", { class: "main" }, productName(batch.product)),
  h("span", { class: "side" }, mass(batch.net_mass_g)),
  h("span", { class: "whole" }, link(["K", batch.id], h("code", {}, groups(batch.id)))),
  h("span", { class: "under whole" },
    t("member.units", { units: number(batch.units), day: day(batch.produced_on) })));
