/** Starts a page: the words of its language, what all pages share, then the page's own module. */

import { setUpChrome } from "./chrome.js";
import { loadWords, t } from "./i18n.js";
import { problem } from "./dom.js";

const { view, argument, root, lang } = document.body.dataset;

async function start() {
  await loadWords(root, lang);
  setUpChrome();
  if (!view) return;
  const page = await import(`./pages/${view}.js`);
  const place = document.getElementById("view");
  try {
    await page.show(place, argument);
  } catch (error) {
    if (!place) throw error;
    place.replaceChildren(problem(t("failed"), error.message));
  } finally {
    place?.removeAttribute("aria-busy");
  }
}

await start();
document.documentElement.dataset.ready = "yes";
