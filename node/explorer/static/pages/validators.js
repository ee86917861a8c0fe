/** Who votes, and whose votes the newest blocks carry. */

import { h, link, svg, table } from "../dom.js";
import { digest } from "../format.js";
import { t } from "../i18n.js";
import { callAll, call } from "../rpc.js";
import { memberNames } from "../chrome.js";

const BLOCKS = 24;
const CELL = 10; // px, and two between

export async function show(place) {
  const [validators, status, names] = await Promise.all(
    [call("validator.list"), call("chain.status"), memberNames()]);
  const first = Math.max(status.height - BLOCKS + 1, 1);
  const heights = Array.from({ length: Math.max(status.height - first + 1, 0) }, (_, i) => first + i);
  const blocks = (await callAll(heights.map((height) => ["block.get", { height }]))).filter(Boolean);
  const rows = validators.map((each) => [
    h("span", {}, h("strong", {}, each.name),
      each.index === status.primary ? ` ${t("validators.primary")}` : "",
      each.index === status.replica ? ` ${t("validators.here")}` : ""),
    link(["members", each.member], names.get(each.member) ?? each.member),
    blocks.length ? strip(each, blocks) : null,
    digest(each.key, 16)]);
  place.classList.add("stack");
  place.replaceChildren(
    table(t("title.validators"), [t("validators.name"), t("tx.member"),
      t("validators.votes", { count: blocks.length }), t("validators.key")], rows),
    h("p", { class: "hint" }, t("validators.hint", { quorum: status.quorum, n: status.n })));
}

function strip(validator, blocks) {
  const did = blocks.map((block) =>
    block.certificate?.votes.some((vote) => vote.replica === validator.index));
  const says = t("validators.voted", { votes: did.filter(Boolean).length, count: blocks.length });
  const width = blocks.length * (CELL + 2);
  return h("span", {}, svg("svg", { class: "strip", role: "img", "aria-label": says, width, height: 18,
    viewBox: `0 0 ${width} 18` }, did.map((yes, i) => svg("rect", { class: yes ? "yes" : "no",
    x: i * (CELL + 2) + 0.5, y: 0.5, width: CELL, height: 17, rx: 2 }))),
  h("span", { class: "quiet-text" }, says));
}
