/** The words of the page's language, and what the browser knows of dates, numbers and countries. */

let table = {};
let language = "en";
let countries = null;

/** Read the table of `lang`, one of the files beside this one. */
export async function loadWords(root, lang) {
  language = lang;
  const answer = await fetch(`${root}/strings/${lang}.json`);
  table = await answer.json();
  countries = new Intl.DisplayNames([locale()], { type: "region", fallback: "code" });
}

/** The text of `key` with its {places} filled. An unknown key is a mistake of ours. */
export function t(key, values = {}) {
  if (!Object.hasOwn(table, key)) throw new Error(`no text for ${key}`);
  return table[key].replace(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole);
}

/** The text of `key`, or `otherwise` for what the table does not name. */
export const known = (key, otherwise) => (Object.hasOwn(table, key) ? table[key] : otherwise);

export const languageOf = () => language;

/** How dates and numbers are written: as this browser's user does where the language is the same. */
export function locale() {
  return navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
}

/** A country's name by its two letters; they alone where the browser knows none. */
export function country(code) {
  try {
    return countries.of(code);
  } catch {
    return code;
  }
}
