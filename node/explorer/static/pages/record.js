/** A kilogram, package or batch: the server wrote the record; here come chart, votes and proof. */

import { showChart } from "../chart.js";
import { t } from "../i18n.js";
import { callAll } from "../rpc.js";
import { showVerdict } from "../verdict.js";

export async function show() {
  showChart(document.getElementById("chart"), document.getElementById("chart-tables"));
  await Promise.all([showVerdict(), showVotes(document.getElementById("votes"))]);
}

async function showVotes(place) {
  const height = Number(place.dataset.height);
  const [block, validators] = await callAll(
    [["block.get", { height }], ["validator.list", {}]]);
  if (!block?.certificate || !validators) return;
  place.textContent = ` · ${t("journey.votes",
    { votes: block.certificate.votes.length, n: validators.length })}`;
}
