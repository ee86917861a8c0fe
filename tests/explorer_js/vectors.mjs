/** Where the shared vectors are, and how they are read. */

import { readFileSync } from "node:fs";

const FOLDER = new URL("../vectors/", import.meta.url);

/** The JSON document at `path` below tests/vectors. */
export function vectors(path) {
  return JSON.parse(readFileSync(new URL(path, FOLDER), "utf8"));
}
