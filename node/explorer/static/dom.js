/** Elements. Text only ever becomes text: nothing here can turn data into markup. */

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; strings become text, null and false are left out. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for a part of an SVG drawing. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(2).filter((each) => each !== null && each !== false));
  return element;
}

/** A chemical formula with its numbers below the line; anything else as it is. */
export function chemical(text) {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(text)) return [text];
  return text.split(/(\d+)/).filter(Boolean).map((piece) =>
    /^\d/.test(piece) ? h("sub", {}, piece) : piece);
}

/** A box that says what went wrong. */
export function problem(title, message) {
  return h("div", { class: "card notice", role: "alert" }, h("h2", {}, title), h("p", {}, message));
}

/** A link to a place of this explorer. `path`: its pieces, each escaped. */
export function link(path, ...children) {
  const href = `/${path.map((piece) => encodeURIComponent(piece)).join("/")}`;
  return h("a", { href }, ...children);
}

/**
 * A table whose rows become blocks on a narrow screen; the roles keep it a table there too.
 * `columns`: titles, a leading `#` for numbers.
 */
export function table(caption, columns, rows) {
  const numeric = columns.map((title) => title.startsWith("#"));
  const titles = columns.map((title) => title.replace(/^#/, ""));
  const head = titles.map((title, i) =>
    h("th", { scope: "col", role: "columnheader", class: numeric[i] && "number" }, title));
  const cell = (content, i) => h(i ? "td" : "th", {
    scope: i ? null : "row", role: i ? "cell" : "rowheader", "data-title": titles[i],
    class: numeric[i] && "number",
  }, content ?? "–");
  return h("div", { class: "card table" },
    h("table", { class: "folding", role: "table" },
      h("caption", { class: "unseen" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
      h("tbody", { role: "rowgroup" },
        rows.map((cells) => h("tr", { role: "row" }, cells.map(cell))))));
}

/** Facts as tiles: [name, value] each, and true for one that needs room. */
export function tiles(rows) {
  return h("dl", { class: "tiles" }, rows.map(([name, value, wide]) =>
    h("div", { class: wide && "wide" }, h("dt", {}, name), h("dd", {}, value))));
}

/** Facts below each other: [name, value] each. */
export function facts(rows) {
  return h("dl", { class: "facts" }, rows.map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
