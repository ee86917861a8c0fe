/** What all pages share: theme, places, dates, copying, scanning. */

import { call } from "./rpc.js";
import { country, known, t } from "./i18n.js";
import { day, moment } from "./format.js";
import { canScan, openScanner } from "./scan.js";

const THEMES = ["", "light", "dark"];
const YEAR_S = 31_536_000;

export function setUpChrome() {
  setUpTheme();
  localise(document);
  const copy = document.getElementById("copy");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(copy.dataset.copy);
      copy.textContent = t("copied");
    });
  }
  const scan = document.getElementById("scan");
  if (scan) canScan().then((can) => { scan.hidden = !can; });
  scan?.addEventListener("click", openScanner);
}

/** Put countries' names and the reader's own dates where the server wrote codes. */
export function localise(part) {
  for (const each of part.querySelectorAll("[data-country]"))
    each.textContent = country(each.dataset.country);
  for (const each of part.querySelectorAll("time[data-date]")) {
    each.dateTime = each.dataset.date;
    each.textContent = day(each.dataset.date);
  }
  for (const each of part.querySelectorAll("time[data-time]"))
    each.replaceWith(moment(Number(each.dataset.time)));
}

function setUpTheme() {
  const button = document.getElementById("theme");
  const page = document.documentElement;
  const show = () => {
    const name = t(`theme.${page.dataset.theme || "auto"}`);
    button.textContent = name;
    button.setAttribute("aria-label", t("theme.label", { name }));
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(page.dataset.theme ?? "") + 1) % THEMES.length];
    if (next) page.dataset.theme = next;
    else delete page.dataset.theme;
    document.cookie = `theme=${next}; path=/; samesite=lax; max-age=${next ? YEAR_S : 0}`;
    document.querySelector("meta[name=color-scheme]").content = next || "light dark";
    show();
  });
  show();
  button.hidden = false;
}

/** The members' names by their codes. */
export async function memberNames() {
  const members = await call("member.list");
  return new Map(members.map((each) => [each.code, each.name]));
}

export const productName = (code) => known(`product.${code}`, code);
