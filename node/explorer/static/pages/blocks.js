/** Blocks, newest first, a page at a time: ?before=HEIGHT. */

import { h, link, table } from "../dom.js";
import { digest, moment, number } from "../format.js";
import { t } from "../i18n.js";
import { callAll } from "../rpc.js";

const ROWS = 25;

export async function show(place) {
  const before = Number(new URLSearchParams(location.search).get("before")) || null;
  const [blocks, validators] = await callAll([
    ["block.list", { before, limit: ROWS }], ["validator.list", {}]]);
  if (!blocks?.length) {
    place.replaceChildren(h("p", {}, t("blocks.none")));
    return;
  }
  const rows = blocks.map((each) => [
    link(["blocks", each.height], number(each.height)), moment(each.time_ms),
    number(each.transactions), each.height ? validators?.[each.proposer]?.name : null, digest(each.digest, 16)]);
  const last = blocks.at(-1).height;
  const newest = before !== null && h("a", { class: "button", href: "/blocks" }, t("blocks.newest"));
  const older = last > 0 &&
    h("a", { class: "button", href: `/blocks?before=${last}` }, t("blocks.older"));
  place.replaceChildren(
    table(t("title.blocks"), [t("block.height"), t("block.time"), `#${t("block.transactions")}`,
      t("block.proposer"), t("block.digest")], rows),
    h("p", { class: "pager" }, newest, older));
  place.classList.add("stack");
}
