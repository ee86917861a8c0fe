/** The verifier page: takes passports and a genesis document, shows what is proven. */

import { asBytes, fromBase64, toHex } from "../verify/bytes.js";
import { chooseCrypto } from "../verify/crypto.js";
import { FILE_BYTES_MAX } from "../verify/form.js";
import { readGenesis } from "../verify/genesis.js";
import { displayId } from "../verify/ids.js";
import { parseJson } from "../verify/json.js";
import { say } from "../verify/words.js";
import { verifyPassport } from "../verify.js";
import { pageSays } from "./words.js";

const FILES_MAX = 50; // at once
const GENESIS_BYTES_MAX = 4 * 1024 * 1024;

const page = {
  language: navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en",
  genesis: fromBase64(document.getElementById("genesis").textContent.trim()),
  replaced: false,
  given: [], // { name, bytes } of each passport, the last given first
};

const byId = (id) => document.getElementById(id);
const words = (code, values) => pageSays(page.language, code, values);

function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function speak() {
  document.documentElement.lang = page.language === "zh" ? "zh-CN" : "en";
  document.title = `Kilochain: ${words("title")}`;
  for (const spoken of document.querySelectorAll("[data-say]")) {
    spoken.textContent = words(spoken.dataset.say);
  }
  byId("language").lang = page.language === "zh" ? "en" : "zh-CN";
}

async function showTrust() {
  const genesis = await readGenesis(await chooseCrypto(), page.genesis);
  byId("chain").textContent = genesis.chainId;
  const groups = toHex(genesis.digest).match(/.{8}/g);
  byId("digest").replaceChildren(...groups.map((group) => element("span", "", group)));
  byId("digest").dataset.digest = groups.join("");
  byId("replaced").hidden = !page.replaced;
}

/** The parsed JSON of a genesis document, or null for any other file. */
function asGenesis(bytes) {
  try {
    const document = parseJson(bytes);
    return "validators" in document && "members" in document ? document : null;
  } catch {
    return null;
  }
}

async function replaceGenesis(bytes) {
  try {
    await readGenesis(await chooseCrypto(), bytes);
  } catch (error) {
    const why = error.code ? say(page.language, error.code, error.values) : error.message;
    complain(words("genesis_bad", { why }));
    return;
  }
  page.genesis = bytes;
  page.replaced = true;
  await showTrust();
}

function complain(text) {
  byId("results").prepend(element("p", "warning", text));
}

async function take(files) {
  if (files.length > FILES_MAX) {
    complain(words("too_many", { most: FILES_MAX }));
    return;
  }
  for (const file of files) {
    // One byte more than allowed is enough for the verifier to refuse what is too long.
    const bytes = new Uint8Array(await file.slice(0, GENESIS_BYTES_MAX + 1).arrayBuffer());
    await takeBytes(file.name, bytes);
  }
  await showResults();
}

async function takeBytes(name, bytes) {
  if (asGenesis(bytes)) await replaceGenesis(bytes);
  else page.given.unshift({ name, bytes: bytes.slice(0, FILE_BYTES_MAX + 1) });
  page.given.length = Math.min(page.given.length, FILES_MAX);
}

async function showResults() {
  const shown = [];
  for (const { name, bytes } of page.given) {
    const result = await verifyPassport(bytes, page.genesis, { language: page.language });
    shown.push(resultCard(name, bytes, result));
  }
  byId("results").replaceChildren(...shown);
}

function resultCard(name, bytes, result) {
  const card = element("section", `result ${result.ok ? "good" : "bad"}`);
  card.dataset.ok = String(result.ok);
  card.dataset.step = result.steps.at(-1).step;
  const title = element("h2", "", words(result.ok ? `good_${result.claim}` : "bad"));
  const verdict = element("div", "verdict", title);
  if (result.id !== null) verdict.append(element("p", "id", displayId(result.id)));
  verdict.append(element("p", "quiet file", name));
  if (!result.ok) verdict.append(element("p", "", words("bad_advice")));
  card.append(verdict);
  if (result.ok) {
    card.append(part("proven", bulleted(result.proven)));
    card.append(part("not_proven", bulleted(result.notProven)));
    const { record } = parseJson(bytes);
    if (record) card.append(part("record", recordTable(record), payloadOf(record)));
  }
  card.append(part("steps", stepsList(result.steps), cryptoUsed(result.crypto)));
  return card;
}

function part(code, ...content) {
  return element("div", "part", element("h3", "", words(code)), ...content);
}

function bulleted(sentences) {
  return element("ul", "", ...sentences.map((sentence) => element("li", "", sentence)));
}

function stepsList(steps) {
  const rows = steps.map(({ step, ok, says }) => element(
    "li", ok ? "pass" : "fail",
    element("span", "sign", ok ? "✓" : "✗"),
    element("span", "step", words(`step_${step}`)),
    element("span", "says", says),
  ));
  return element("ol", "steps", ...rows);
}

function cryptoUsed(name) {
  const used = name === null ? "-" : words(`crypto_${name}`);
  return element("p", "quiet", `${words("used")}: ${used}`);
}

function recordTable({ batch, mass_g: mass, payload, registered_by: by, registered_ms: ms, units }) {
  const shares = payload.origin.map(({ country, share_ppm: share }) => `${country} ${share / 1e4} %`);
  const rows = [
    ["batch", displayId(batch)],
    ["mass", `${mass} g`],
    ["units", units],
    ["product", payload.product],
    ["total", `${payload.total_ppm / 1e4} %`],
    ["origin", shares.join(", ")],
    ["produced", payload.produced_on],
    ["registered_by", by],
    ["time", new Date(ms).toISOString()],
  ];
  const table = element("table", "");
  for (const [code, value] of rows) {
    const row = [element("th", "", words(`field_${code}`)), element("td", "", String(value))];
    table.append(element("tr", "", ...row));
  }
  return table;
}

function payloadOf({ payload }) {
  const summary = element("summary", "", words("field_payload"));
  const text = element("textarea", "", JSON.stringify(payload, null, 1));
  text.readOnly = true;
  text.rows = 16;
  return element("details", "", summary, text);
}

function listen() {
  const drop = byId("drop");
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    window.addEventListener(kind, (event) => {
      event.preventDefault(); // else the browser would leave the page to show the file
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    });
  }
  window.addEventListener("drop", (event) => take([...event.dataTransfer.files]));
  byId("file").addEventListener("change", async ({ target }) => {
    await take([...target.files]);
    target.value = ""; // so that the same file can be chosen again
  });
  byId("verify").addEventListener("click", async () => {
    await takeBytes(words("pasted"), asBytes(byId("paste").value));
    await showResults();
  });
  byId("language").addEventListener("click", async () => {
    page.language = page.language === "zh" ? "en" : "zh";
    speak();
    await showResults();
  });
  byId("scheme").addEventListener("click", () => {
    const { dataset } = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = dataset.scheme ?? (dark ? "dark" : "light");
    dataset.scheme = now === "dark" ? "light" : "dark";
  });
}

speak();
listen();
byId("saving").hidden = location.protocol === "file:";
document.documentElement.dataset.ready = "starting";
showTrust().then(
  () => { document.documentElement.dataset.ready = "yes"; },
  (error) => complain(String(error.message)),
);
