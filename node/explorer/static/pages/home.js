/** The first page: search is there already; here come the newest registrations and the network. */

import { showRegistrations } from "../registrations.js";
import { status } from "../status.js";
import { call } from "../rpc.js";

const ROWS = 6;
const REFRESH_MS = 5000;

export async function show(place) {
  if (location.hash === "#q") document.getElementById("q").focus();
  await showRegistrations(place, ROWS);
  const now = document.getElementById("now-view");
  let told = "";
  const refresh = async () => {
    if (document.hidden) return;
    const said = await call("chain.status");
    // What has not changed stays as it is, under the reader's eyes, finger or focus.
    if (JSON.stringify(said) !== told) now.replaceChildren(status(said));
    told = JSON.stringify(said);
  };
  await refresh();
  setInterval(() => refresh().catch(() => {}), REFRESH_MS);
}
