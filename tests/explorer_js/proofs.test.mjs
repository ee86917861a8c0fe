/** Inclusion proofs and check characters against what independent implementations say. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { concat, fromHex, utf8 } from "../../node/explorer/static/verify/bytes.js";
import { SUPPLIERS, chooseCrypto, digest } from "../../node/explorer/static/verify/crypto.js";
import { readId } from "../../node/explorer/static/verify/ids.js";
import { batchKey, checkState, isIncluded } from "../../node/explorer/static/verify/proofs.js";
import { vectors } from "./vectors.mjs";

const { inclusion } = vectors("external/data/merkle_proofs.json");
const checks = vectors("external/data/iso7064.json");

for (const name of SUPPLIERS) {
  test(`each of 996 inclusion proofs, sound or mutated, gets its verdict by ${name}`, async () => {
    const crypto = await chooseCrypto(name);
    let accepted = 0;
    for (const [what, index, size, entry, root, path, verdict] of inclusion) {
      const place = { index, size, path: path.map(fromHex), root: fromHex(root) };
      const found = await isIncluded(crypto, fromHex(entry), place);
      assert.equal(found, verdict, `${what} ${index} of ${size}`);
      accepted += found;
    }
    assert.deepEqual([inclusion.length, accepted], [996, 75]);
  });
}

test("IDs with another implementation's check characters are read, and its refusals refused", () => {
  assert.ok(checks.checks.length > 500 && checks.refused.length > 200);
  for (const [stem, check] of checks.checks) assert.doesNotThrow(() => readId(stem + check));
  for (const [id, why] of checks.refused) assert.throws(() => readId(id), undefined, `${id} ${why}`);
});

test("an entry does not prove its own absence, nor one at a place where it cannot stand", async () => {
  const crypto = await chooseCrypto();
  const key = batchKey("K77G", 48);
  const path = await digest(crypto, "kilochain/state-key/1", key);
  const value = utf8("value");
  const valueDigest = await crypto.sha256(value);
  const leafOf = (at) => digest(crypto, "kilochain/state-leaf/1", concat(at, valueDigest));
  const absent = (at, siblings) => ({ value: null, siblings, other: { path: at, valueDigest } });

  // The only entry: present as it is, and no other entry in its own place.
  const alone = await leafOf(path);
  await checkState(crypto, key, { value, siblings: [], other: null }, alone);
  await assert.rejects(checkState(crypto, key, absent(path, []), alone), /state_other/);

  // Another entry that shares the first bit with the key stands for it at the first depth only.
  const near = Uint8Array.from(path);
  near[31] ^= 1;
  const far = Uint8Array.from(path);
  far[0] ^= 0x80;
  await checkState(crypto, key, absent(near, []), await leafOf(near));
  for (const [at, good] of [[near, true], [far, false]]) {
    const sibling = new Uint8Array(32).fill(7);
    const found = await leafOf(at);
    const halves = path[0] & 0x80 ? [sibling, found] : [found, sibling];
    const root = await digest(crypto, "kilochain/state-node/1", concat(...halves));
    const checked = checkState(crypto, key, absent(at, [sibling]), root);
    if (good) await checked;
    else await assert.rejects(checked, /state_other/);
  }
});
