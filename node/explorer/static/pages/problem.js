/** An ID without a record: where nobody registered it, that can be proven too. */

import { showVerdict } from "../verdict.js";

export async function show() {
  if (document.getElementById("verdict")) await showVerdict();
}
