/**
 * Reads lines of JSON { genesis, passport } (both base64) on standard input and writes for each the
 * first step that fails, or "holds". The argument names the cryptography.
 */

import { createInterface } from "node:readline";

import { verifyPassport } from "../../node/explorer/static/verify.js";

const [crypto] = process.argv.slice(2);
for await (const line of createInterface({ input: process.stdin })) {
  const { genesis, passport } = JSON.parse(line);
  const [file, document] = [passport, genesis].map((text) => Buffer.from(text, "base64"));
  const result = await verifyPassport(file, document, { crypto });
  process.stdout.write(`${result.ok ? "holds" : result.steps.at(-1).step}\n`);
}
