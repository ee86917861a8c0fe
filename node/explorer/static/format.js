/** Numbers, masses, times and IDs as people read them. */

import { locale } from "./i18n.js";
import { h } from "./dom.js";

/** Parts per million as a percentage, exactly: 990025 is "99.0025 %". */
export const percent = (ppm) => `${ppm / 10_000} %`;

export const number = (value) => value.toLocaleString(locale());

/** Grams in the unit that a person would use. */
export function mass(grams) {
  const [size, unit] = grams >= 10_000_000 ? [1_000_000, "t"] : grams >= 1000 ? [1000, "kg"] : [1, "g"];
  return `${(grams / size).toLocaleString(locale(), { maximumFractionDigits: 6 })} ${unit}`;
}

/** An ID in groups. */
export function groups(id) {
  return [[0, 3], [3, 7], [7, 12], [12, 16], [16, 18]].map(([a, b]) => id.slice(a, b)).join("-");
}

/** The beginning of a digest, with all of it on hover and for copying by assistive technology. */
export const digest = (hex, shown = 12) =>
  h("code", { class: "digest", title: hex }, `${hex.slice(0, shown)}…`);

/** A moment as a <time> element in the reader's own time zone. */
export function moment(ms) {
  const text = new Date(ms).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });
  return h("time", { datetime: new Date(ms).toISOString() }, text);
}

/** A calendar day, YYYY-MM-DD, which has no time zone. */
export function day(text) {
  const options = { dateStyle: "long", timeZone: "UTC" };
  return new Date(`${text}T00:00:00Z`).toLocaleDateString(locale(), options);
}
