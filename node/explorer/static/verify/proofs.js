/** Hash proofs: RFC 9162 inclusion, and the state tree of docs/passport.md. */

import { concat, same, utf8 } from "./bytes.js";
import { digest } from "./crypto.js";
import { require } from "./refusal.js";

const EMPTY = new Uint8Array(32);
const LEAF = [0];
const NODE = [1];

/** Whether `entry` stands at `index` in the tree of `size` leaves (RFC 9162 §2.1.3.2). */
export async function isIncluded(crypto, entry, { index, size, path, root }) {
  if (index >= size) return false;
  let fn = index;
  let sn = size - 1;
  let found = await crypto.sha256(concat(LEAF, entry));
  for (const sibling of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      found = await crypto.sha256(concat(NODE, sibling, found));
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      found = await crypto.sha256(concat(NODE, found, sibling));
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && same(found, root);
}

function bit(path, depth) {
  return (path[depth >> 3] >> (7 - (depth % 8))) & 1;
}

/** The key of a batch in the state. */
export function batchKey(producer, batchNo) {
  const big = new Uint8Array(4);
  new DataView(big.buffer).setUint32(0, batchNo);
  return concat(utf8("batch/"), utf8(producer), big);
}

/**
 * Checks the state part against `root`: that `key` has `state.value`, or none where that is null.
 * Throws Refusal.
 */
export async function checkState(crypto, key, state, root) {
  const path = await digest(crypto, "kilochain/state-key/1", key);
  const { siblings, value, other } = state;
  let found = EMPTY;
  if (value !== null) {
    found = await leaf(crypto, path, await crypto.sha256(value));
  } else if (other !== null) {
    require(!same(other.path, path), "state_other");
    for (let depth = 0; depth < siblings.length; depth += 1) {
      require(bit(other.path, depth) === bit(path, depth), "state_other");
    }
    found = await leaf(crypto, other.path, other.valueDigest);
  }
  for (let depth = siblings.length - 1; depth >= 0; depth -= 1) {
    const sibling = siblings[depth] ?? EMPTY;
    const halves = bit(path, depth) ? [sibling, found] : [found, sibling];
    found = await digest(crypto, "kilochain/state-node/1", concat(...halves));
  }
  require(same(found, root), "state_root");
}

function leaf(crypto, path, valueDigest) {
  return digest(crypto, "kilochain/state-leaf/1", concat(path, valueDigest));
}
