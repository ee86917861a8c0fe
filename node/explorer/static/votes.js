/** Who voted for a block. */

import { h } from "./dom.js";
import { t } from "./i18n.js";

/** The validators with the mark of their vote in `certificate`. */
export function votes(certificate, validators) {
  const voted = new Set(certificate.votes.map((each) => each.replica));
  return h("ul", { class: "votes" }, validators.map((each) => {
    const did = voted.has(each.index);
    return h("li", { class: did && "voted" }, h("b", { "aria-hidden": "true" }, did ? "✓" : "·"),
      h("span", {}, each.name), h("span", { class: "quiet-text" },
        t(did ? "votes.voted" : "votes.not_counted")));
  }));
}
