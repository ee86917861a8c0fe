/** The panel that verifies a passport in this browser, step by step. */

import { h, svg } from "./dom.js";
import { known, languageOf, t } from "./i18n.js";
import { call, CallRefused } from "./rpc.js";
import { differences } from "./shown.js";

const PATHS = {
  good: "M5 13l5 5L20 7",
  bad: "M6 6l12 12M18 6L6 18",
  busy: "M12 4a8 8 0 1 1-8 8",
  idle: "M12 7v6M12 17v.5",
};

/** Fetch the passport of the panel's ID and say what it proves. */
export async function showVerdict() {
  const panel = document.getElementById("verdict");
  say(panel, "busy", t("verify.busy"), t("verify.busy.says"));
  const began = performance.now();
  try {
    const [{ verifyPassport }, genesis, passport] = await Promise.all([
      import("./verify.js"), readGenesis(), readPassport(panel.dataset.id),
    ]);
    const report = await verifyPassport(passport, genesis, { language: languageOf() });
    if (report.ok && report.claim === "registered") report.steps.push(comparePage(passport));
    report.ok &&= report.steps.every((each) => each.ok);
    show(panel, report, passport.chain_id, Math.round(performance.now() - began));
  } catch (error) {
    const missing = error instanceof CallRefused && error.code === "E_METHOD";
    say(panel, "idle", t("verify.unavailable"), missing ? t("verify.missing") : error.message);
  }
}

/** One more check: the passport could hold, and the page say something else. */
function comparePage(passport) {
  const found = differences(document.querySelector("article.record"), passport);
  const names = found.map((name) => t(`shown.${name}`)).join(", ");
  const says = found.length ? t("step.page.differs", { names }) : t("step.page.says");
  return { step: "page", ok: !found.length, says };
}

async function readGenesis() {
  const answer = await fetch("/genesis.json");
  if (!answer.ok) throw new Error(t("verify.no_genesis"));
  return new Uint8Array(await answer.arrayBuffer());
}

/** The passport with the newest state; of a node that gives none, the plain one. */
const readPassport = (id) => call("proof.get", { id, current: true });

function show(panel, report, chain, took) {
  if (report.ok) {
    const says = t(`verify.good.${report.claim}.says`, { count: report.steps.length, ms: took });
    say(panel, "good", t(`verify.good.${report.claim}`), says);
  } else {
    const failed = report.steps.at(-1);
    say(panel, "bad", t("verify.bad"), `${stepName(failed.step)}: ${failed.says}`);
  }
  panel.querySelector(".steps").replaceChildren(
    fold(t("verify.steps", { count: report.steps.length }), steps(report.steps), !report.ok),
    ...(report.ok ? [fold(t("verify.proves"),
      [h("h3", {}, t("verify.proven")), bullets(report.proven),
        h("h3", {}, t("verify.not_proven")), bullets(report.notProven),
        h("p", { class: "hint" }, t("verify.trust", { chain })),
        h("p", { class: "hint" }, t("verify.crypto", { crypto: report.crypto }))])] : []));
}

function say(panel, state, title, says) {
  panel.dataset.state = state;
  panel.querySelector(".mark").replaceChildren(
    svg("svg", { viewBox: "0 0 24 24" }, svg("path", { d: PATHS[state] })));
  panel.querySelector("h2").textContent = title;
  panel.querySelector(".says").textContent = says;
}

const fold = (title, content, open = false) =>
  h("details", { open }, h("summary", {}, title), content);

const bullets = (texts) => h("ul", { class: "bullets" }, texts.map((each) => h("li", {}, each)));

const stepName = (step) => known(`step.${step}`, step);

const steps = (all) => h("ol", { class: "checks" }, all.map(({ step, ok, says }) =>
  h("li", {}, h("span", { class: ok ? "tick" : "cross", "aria-hidden": "true" }, ok ? "✓" : "✗"),
    h("div", {}, h("strong", {}, stepName(step), ok ? null : ` – ${t("verify.failed")}`),
      h("span", { class: "quiet-text" }, says)))));
