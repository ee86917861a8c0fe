/** The readers of MessagePack, JSON, base64, hex and IDs take one text per value and no other. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBase64, fromHex, toHex, utf8 } from "../../node/explorer/static/verify/bytes.js";
import { readId, writeId } from "../../node/explorer/static/verify/ids.js";
import { parseJson } from "../../node/explorer/static/verify/json.js";
import { NotCanonical, decode, encode } from "../../node/explorer/static/verify/msgpack.js";
import { CODES, LANGUAGES, say } from "../../node/explorer/static/verify/words.js";
import { vectors } from "./vectors.mjs";

const msgpack = vectors("msgpack.json");
const { ids } = vectors("ids.json");

/** A decoded value in the form of the vectors' JSON. */
function plain(value) {
  if (value instanceof Uint8Array) return { hex: toHex(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
  return typeof value === "bigint" ? Number(value) : value;
}

test("every good MessagePack vector is read as its value", () => {
  assert.ok(msgpack.good.length > 20);
  for (const { value, bytes } of msgpack.good) assert.deepEqual(plain(decode(fromHex(bytes))), value);
});

test("every bad MessagePack vector is refused", () => {
  assert.ok(msgpack.bad.length > 20);
  for (const { why, bytes } of msgpack.bad) {
    assert.throws(() => decode(fromHex(bytes)), NotCanonical, why);
  }
});

test("what the writer of MessagePack writes, the reader reads", () => {
  const lengths = [0, 15, 16, 31, 32, 255, 256, 65535, 65536];
  const numbers = [...lengths, 127, 128, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
  for (const value of numbers) assert.equal(decode(encode(value)), value);
  for (const length of lengths) {
    assert.equal(decode(encode("x".repeat(length))).length, length);
    assert.equal(decode(encode(new Uint8Array(length))).length, length);
    assert.equal(decode(encode(new Array(length).fill(0))).length, length);
  }
  const map = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i]));
  assert.deepEqual(Object.fromEntries(decode(encode(map))), map);
});

test("a length that the bytes cannot hold is refused before anything is reserved", () => {
  for (const bytes of ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "91".repeat(40)]) {
    assert.throws(() => decode(fromHex(bytes)), NotCanonical);
  }
});

test("sixteen levels of arrays and maps are read and not one more", () => {
  assert.ok(decode(fromHex(`${"91".repeat(16)}c0`)));
  assert.ok(decode(fromHex(`${"81a161".repeat(16)}c0`)));
  for (const level of ["91", "81a161"]) {
    assert.throws(() => decode(fromHex(`${level.repeat(17)}c0`)), /nested deeper than 16/);
  }
});

test("JSON is read strictly", () => {
  const good = ['{"a":[1,"\\u00e9\\n",true,false,null,{}]}', " [ ] ", '"x"', "9007199254740991", "-1"];
  for (const text of good) {
    assert.equal(JSON.stringify(parseJson(utf8(text))), JSON.stringify(JSON.parse(text)));
  }
  const bad = [
    '{"a":1,"a":1}', "1.0", "1e3", "01", "9007199254740992", "1".repeat(400), "[1,]", "{,}", "nul",
    '"\u0001"', '"\\x"', '"\\u12"', '"', "", "[", '{"a"}', "NaN", "[] []", "\ufeff[]", "-", "'a'",
    "[".repeat(40) + "]".repeat(40),
  ];
  for (const text of bad) assert.throws(() => parseJson(utf8(text)), SyntaxError, text);
  assert.throws(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)), SyntaxError);
});

test("a name like a built-in property is a name like any other", () => {
  const found = parseJson(utf8('{"__proto__":1,"constructor":2}'));
  assert.deepEqual(Object.keys(found), ["__proto__", "constructor"]);
  assert.throws(() => parseJson(utf8('{"__proto__":1,"__proto__":2}')), SyntaxError);
});

test("base64 and hex have one text per value", () => {
  for (let length = 0; length < 40; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
    assert.deepEqual(fromBase64(Buffer.from(bytes).toString("base64")), bytes);
    assert.deepEqual(fromHex(toHex(bytes)), bytes);
  }
  for (const text of ["QQ", "QQ=", "QR==", "QUJ=", "Q Q==", "QQ==\n", "QQ-_", "====", 7, null]) {
    assert.equal(fromBase64(text), null, String(text));
  }
  for (const text of ["0", "AB", "0x", "zz", 7, null]) assert.equal(fromHex(text), null);
});

test("every ID of the vectors is read, written again, and refused with one symbol changed", () => {
  assert.ok(ids.length >= 1000);
  for (const id of ids) {
    const { producer, batchNo, serial } = readId(id);
    assert.equal(writeId(producer, batchNo, serial), id);
    for (let at = 3; at < 18; at += 1) {
      const wrong = id.slice(0, at) + (id[at] === "0" ? "1" : "0") + id.slice(at + 1);
      assert.throws(() => readId(wrong));
    }
  }
});

test("everything that the verifier says, it says in both languages, without gaps left open", () => {
  for (const code of CODES) {
    const gaps = LANGUAGES.map((language) => [...say(language, code).matchAll(/\{\w+\}/g)].join());
    const sorted = gaps.map((found) => found.split(",").sort().join());
    assert.equal(sorted[0], sorted[1], code);
  }
});
