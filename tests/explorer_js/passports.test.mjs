/** The shared vectors: every passport that holds, and every one spoiled or forged at its step. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SUPPLIERS } from "../../node/explorer/static/verify/crypto.js";
import { STEPS, verifyPassport } from "../../node/explorer/static/verify.js";
import { vectors } from "./vectors.mjs";

const { genesis, good, mutated, forged } = vectors("passports.json");
const goodOf = new Map(good.map((each) => [each.name, each]));
const LANGUAGES = ["en", "zh"];

/** What one edit makes of a parsed passport, in place. */
function edit(passport, { path, ...change }) {
  const last = path.at(-1);
  const at = path.slice(0, -1).reduce((value, name) => value[name], passport);
  if ("set" in change) at[last] = change.set;
  else if ("insert" in change) at.splice(last, 0, change.insert);
  else if (Array.isArray(at)) at.splice(last, 1);
  else delete at[last];
}

/** What one change makes of a passport's bytes. */
function change(bytes, [[kind, value]]) {
  if (kind === "prepend_hex") return Buffer.concat([Buffer.from(value, "hex"), bytes]);
  if (kind === "append_hex") return Buffer.concat([bytes, Buffer.from(value, "hex")]);
  if (kind === "cut_to") return bytes.subarray(0, value);
  if (kind === "pad_to") return Buffer.concat([bytes, Buffer.alloc(value - bytes.length, " ")]);
  assert.equal(kind, "replace");
  const [from, to] = value;
  const at = bytes.indexOf(from);
  assert.ok(at >= 0, `${from} is not in the passport`);
  const rest = bytes.subarray(at + Buffer.byteLength(from));
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(to), rest]);
}

function bytesOf(mutation) {
  const passport = structuredClone(goodOf.get(mutation.of).passport);
  for (const each of mutation.edits ?? []) edit(passport, each);
  const bytes = Buffer.from(JSON.stringify(passport));
  return (mutation.text ?? []).reduce((kept, each) => change(kept, Object.entries(each)), bytes);
}

function checkShape(result) {
  assert.equal(result.ok, result.steps.every(({ ok }) => ok));
  const order = result.steps.map(({ step }) => STEPS.indexOf(step));
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
  for (const { says } of result.steps) assert.doesNotMatch(says, /\{\w+\}|undefined|stopped/);
  if (!result.ok) assert.deepEqual([result.proven, result.notProven], [[], []]);
  else assert.ok(result.proven.length >= 1 && result.notProven.length === 4);
}

async function firstFailure(bytes, document, crypto) {
  const language = LANGUAGES[bytes.length % 2];
  const result = await verifyPassport(bytes, document, { crypto, language });
  checkShape(result);
  assert.equal(result.crypto, crypto);
  return result.ok ? null : result.steps.at(-1).step;
}

for (const crypto of SUPPLIERS) {
  test(`every good passport holds, by ${crypto}`, async () => {
    assert.ok(good.length >= 20);
    for (const { name, genesis: of, passport } of good) {
      const result = await verifyPassport(passport, genesis[of], { crypto });
      checkShape(result);
      assert.ok(result.ok, `${name}: ${result.steps.at(-1).says}`);
      assert.deepEqual([result.id, result.claim], [passport.id, passport.claim]);
      const steps = result.steps.map(({ step }) => step);
      assert.equal(steps.includes("inclusion"), "registration" in passport, name);
      assert.equal(steps.includes("state"), "state" in passport, name);
    }
  });

  test(`every mutated passport fails at its step, by ${crypto}`, async () => {
    assert.ok(mutated.length >= 200);
    const wrong = [];
    for (const mutation of mutated) {
      const document = genesis[mutation.genesis ?? goodOf.get(mutation.of).genesis];
      const step = await firstFailure(bytesOf(mutation), document, crypto);
      if (step !== mutation.step) wrong.push([mutation.name, mutation.step, step]);
    }
    assert.deepEqual(wrong, []);
  });

  test(`every forged passport fails at its step, by ${crypto}`, async () => {
    assert.ok(forged.length >= 50);
    const wrong = [];
    for (const { name, genesis: of, passport, step: expected } of forged) {
      const bytes = Buffer.from(JSON.stringify(passport));
      const step = await firstFailure(bytes, genesis[of], crypto);
      if (step !== expected) wrong.push([name, expected, step]);
    }
    assert.deepEqual(wrong, []);
  });
}

test("whatever is given instead of a passport or a genesis is refused and nothing is thrown", async () => {
  const hostile = {
    get passport() {
      throw new Error("hostile");
    },
  };
  const circular = {};
  circular.self = circular;
  const deep = "[".repeat(100_000);
  const given = [
    null, undefined, 0, true, "", "{}", [], {}, 1n, Symbol("x"), () => 1, new Date(), hostile,
    circular, deep, new Uint8Array(0), new Uint8Array(200_000), new ArrayBuffer(8), new Map(),
  ];
  const [{ passport, genesis: of }] = good;
  for (const each of given) {
    const asPassport = await verifyPassport(each, genesis[of]);
    assert.deepEqual([asPassport.ok, asPassport.steps.at(-1).step], [false, "format"]);
    const asGenesis = await verifyPassport(passport, each);
    assert.deepEqual([asGenesis.ok, asGenesis.steps.at(-1).step], [false, "genesis"]);
  }
  for (const options of [null, 7, {}, { language: "tlh" }]) {
    assert.ok((await verifyPassport(passport, genesis[of], options)).ok);
  }
  assert.equal((await verifyPassport(passport, genesis[of], { crypto: "ROT13" })).ok, false);
});
