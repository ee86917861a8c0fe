/** Inclusion proofs and check characters against what independent implementations say. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHex } from "../../node/explorer/static/verify/bytes.js";
import { SUPPLIERS, chooseCrypto } from "../../node/explorer/static/verify/crypto.js";
import { readId } from "../../node/explorer/static/verify/ids.js";
import { isIncluded } from "../../node/explorer/static/verify/proofs.js";
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
