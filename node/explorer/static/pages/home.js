/** The first page: search is there already; here come the newest registrations and the network. */

import { showRegistrations } from "../registrations.js";
import { status } from "../status.js";
import { call } from "../rpc.js";

const ROWS = 6;
const REFRESH_MS = 5000;

export async function show(place) {
  await showRegistrations(place, ROWS);
  const now = document.getElementById("now-view");
  const refresh = async () => {
    if (!document.hidden) now.replaceChildren(status(await call("chain.status")));
  };
  await refresh();
  setInterval(() => refresh().catch(() => {}), REFRESH_MS);
}
