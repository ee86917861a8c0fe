/** The composition as a drawing, made of the numbers in the page's own tables. */

import { chemical, h, svg } from "./dom.js";
import { percent } from "./format.js";
import { known, t } from "./i18n.js";

const WHOLE = 1_000_000; // ppm
const SCALES = [10_000, 25_000, 50_000, 100_000, 250_000, 500_000]; // ppm that a full bar stands for
const ROW = 40;
const BAR = 10;
const SLIVER = 2; // px: what is there is seen

/** Put the chart before the tables and the tables into a fold. */
export function showChart(place, tables) {
  const read = readTables(tables, Number(place.dataset.loi) || 0);
  let counted = place.dataset.counts;
  const drawing = h("div");
  const draw = () => drawing.replaceChildren(figure(read, counted, drawing.clientWidth || 320));
  const choose = (kind) => h("label", {}, h("input", {
    type: "radio", name: "counted", value: kind, checked: kind === counted,
    onchange: () => { counted = kind; draw(); },
  }), h("span", {}, t(`chart.${kind}`)));
  const choice = h("div", { class: "choice", role: "radiogroup", "aria-label": t("chart.choose") },
    choose("oxide"), choose("element"));
  place.append(choice, drawing);
  const fold = h("details", {}, h("summary", {}, t("chart.table")));
  tables.replaceWith(fold);
  fold.append(tables);
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.round(entry.contentRect.width) === width) return;
    width = Math.round(entry.contentRect.width);
    requestAnimationFrame(draw); // drawing changes the height, which is observed too
  }).observe(drawing);
}

function readTables(tables, loi) {
  const rows = [...tables.querySelectorAll("[data-element]")].map(({ dataset }) => ({
    element: dataset.element,
    oxide: dataset.oxide,
    ppm: { element: Number(dataset.elementPpm), oxide: Number(dataset.oxidePpm) },
  }));
  const others = [...tables.querySelectorAll("[data-substance]")].map(({ dataset }) => ({
    label: dataset.substance, name: "", ppm: Number(dataset.ppm),
  }));
  if (loi) others.push({ label: t("record.loi"), name: "", ppm: loi, plain: true });
  return { rows, others: others.sort((a, b) => b.ppm - a.ppm) };
}

function figure({ rows, others }, counted, width) {
  const earths = rows.map((row) => ({
    label: row[counted], name: known(`element.${row.element}`, ""), ppm: row.ppm[counted],
  })).sort((a, b) => b.ppm - a.ppm);
  const sum = (list) => list.reduce((total, each) => total + each.ppm, 0);
  const parts = [["ree", sum(earths)], ["other", sum(others)]];
  const rest = Math.max(WHOLE - parts[0][1] - parts[1][1], 0);
  const whole = [...parts, ["rest", rest]];
  const scale = scaleOf([...earths, ...others]);
  return h("figure", {}, stacked(whole, width),
    h("ul", { class: "legend" }, whole.map(([kind, ppm]) =>
      h("li", {}, h("i", { class: kind }), `${t(`chart.${kind}`)} ${percent(ppm)}`))),
    bars([[t("chart.ree"), "bar-ree", earths], [t("chart.other"), "bar-other", others]], scale, width),
    h("figcaption", { class: "hint" }, t("chart.scale", { share: percent(scale) })));
}

function stacked(parts, width) {
  const total = Math.max(parts.reduce((all, [, ppm]) => all + ppm, 0), 1);
  let x = 0;
  const pieces = parts.map(([kind, ppm]) => {
    const length = ppm / total * width;
    const shown = ppm ? Math.max(length, SLIVER) : 0;
    const piece = svg("rect", { class: kind === "rest" ? "rest" : `bar-${kind}`,
      x: Math.min(x, width - shown), y: 0, width: shown, height: 22 });
    x += length;
    return piece;
  });
  return svg("svg", { viewBox: `0 0 ${width} 22`, "aria-hidden": "true" }, pieces);
}

function scaleOf(rows) {
  const largest = Math.max(...rows.map((row) => row.ppm), 0);
  return SCALES.find((each) => each >= largest) ?? WHOLE;
}

function bars(groups, scale, width) {
  const filled = groups.filter(([, , rows]) => rows.length);
  let y = 0;
  const drawn = filled.flatMap(([title, kind, rows]) => {
    const heading = svg("text", { class: "heading", x: 0, y: y + 24 }, title);
    y += 34;
    const lines = rows.map((row) => {
      const line = bar(row, kind, y, width, scale);
      y += ROW;
      return line;
    });
    y += 8;
    return [heading, ...lines];
  });
  const says = filled.flatMap(([, , rows]) => rows.map((row) => `${row.label} ${percent(row.ppm)}`));
  return svg("svg", { viewBox: `0 0 ${width} ${y}`, role: "img",
    "aria-label": `${t("chart.says")} ${says.join(", ")}` }, drawn);
}

function bar(row, kind, y, width, scale) {
  const length = Math.max(row.ppm / scale * width, row.ppm ? SLIVER : 0);
  const label = row.plain ? [row.label] : chemical(row.label).map((piece) =>
    typeof piece === "string" ? svg("tspan", {}, piece) : low(piece.textContent));
  const raised = !row.plain && /\d$/.test(row.label);
  const name = row.name && svg("tspan", { class: "name", dx: 9, dy: raised ? -4 : 0 }, row.name);
  return svg("g", {},
    svg("text", { x: 0, y: y + 15 }, lift(label), name || null),
    svg("text", { class: "value", x: width, y: y + 15 }, percent(row.ppm)),
    svg("rect", { class: "track", x: 0, y: y + 22, width, height: BAR, rx: 3 }),
    svg("rect", { class: kind, x: 0, y: y + 22, width: length, height: BAR, rx: Math.min(3, length / 2) }));
}

const low = (digits) => svg("tspan", { "font-size": "11", dy: 4, class: "low" }, digits);

/** What follows a lowered number goes back up: dy counts from the piece before. */
function lift(pieces) {
  pieces.forEach((piece, i) => {
    const before = pieces[i - 1];
    if (before?.classList?.contains("low")) piece.setAttribute("dy", -4);
  });
  return pieces;
}
