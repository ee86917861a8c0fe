/** Both suppliers of Ed25519 judge the edge cases as the node does. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHex } from "../../node/explorer/static/verify/bytes.js";
import { SUPPLIERS, chooseCrypto } from "../../node/explorer/static/verify/crypto.js";
import { vectors } from "./vectors.mjs";

const wycheproof = vectors("external/data/wycheproof_ed25519.json");
const speccheck = vectors("external/data/speccheck.json");

for (const name of SUPPLIERS) {
  test(`${name} agrees with every Wycheproof case`, async () => {
    const crypto = await chooseCrypto(name);
    assert.equal(crypto.name, name);
    let judged = 0;
    for (const { publicKey, tests } of wycheproof.testGroups) {
      for (const { tcId, msg, sig, result } of tests) {
        const [key, message, signature] = [publicKey.pk, msg, sig].map(fromHex);
        const verdict = await crypto.verify(key, message, signature);
        assert.equal(verdict, result === "valid", `case ${tcId}`);
        judged += 1;
      }
    }
    assert.equal(judged, wycheproof.numberOfTests);
  });

  test(`${name} accepts of the twelve edge cases only the fourth, as the node does`, async () => {
    const crypto = await chooseCrypto(name);
    const verdicts = [];
    for (const { pub_key: key, message, signature } of speccheck) {
      const good = await crypto.verify(...[key, message, signature].map(fromHex));
      verdicts.push(good ? "V" : "X");
    }
    assert.equal(verdicts.join(""), "XXXVXXXXXXXX");
  });
}

test("the platform's cryptography comes first and an unknown one is refused", async () => {
  assert.equal((await chooseCrypto()).name, "WebCrypto");
  await assert.rejects(chooseCrypto("ROT13"), /WebCrypto, noble/);
});

test("without WebCrypto the vendored library takes its place", async () => {
  const kept = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  const withheld = [undefined, {}, { subtle: { digest: () => Promise.reject(new Error("no")) } }];
  try {
    for (const value of withheld) {
      Object.defineProperty(globalThis, "crypto", { value, configurable: true });
      assert.equal((await chooseCrypto()).name, "noble");
      await assert.rejects(chooseCrypto("WebCrypto"), /does not work here/);
    }
  } finally {
    Object.defineProperty(globalThis, "crypto", kept);
  }
});
