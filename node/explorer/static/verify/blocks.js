/** Headers, validator sets, and the certificates that a quorum signed (docs/formats.md). */

import { same, toHex } from "./bytes.js";
import { digest, tagged } from "./crypto.js";
import { decode, encode } from "./msgpack.js";
import { Refusal, require } from "./refusal.js";

const HEADER_BYTES_MAX = 1024;
const DIGESTS = [
  "next_validators_hash", "parent", "state_root", "transactions_root", "validators_hash",
];
const NUMBERS = ["height", "proposer", "time_ms", "transactions"];
const FIELDS = [...DIGESTS, ...NUMBERS, "chain_id", "version"];

/** The header's fields, and `digest`. `crypto`: see chooseCrypto. Throws Refusal. */
export async function readHeader(crypto, bytes, chainId) {
  const size = { why: `more than ${HEADER_BYTES_MAX} bytes` };
  require(bytes.length <= HEADER_BYTES_MAX, "header_form", size);
  let fields;
  try {
    fields = decode(bytes);
  } catch (error) {
    throw new Refusal("header_form", { why: error.message });
  }
  const complete =
    fields instanceof Map && fields.size === FIELDS.length && FIELDS.every((f) => fields.has(f));
  require(complete, "header_form", { why: "its fields are not those of a header" });
  const header = Object.fromEntries(fields);
  const sound =
    DIGESTS.every((f) => header[f] instanceof Uint8Array && header[f].length === 32) &&
    NUMBERS.every((f) => Number.isSafeInteger(header[f]) && header[f] >= 0) &&
    header.version === 1;
  require(sound, "header_form", { why: "a field has a wrong type or length" });
  require(header.chain_id === chainId, "header_chain", { height: header.height });
  header.digest = await digest(crypto, "kilochain/block/1", bytes);
  return header;
}

/** A validator set: { validators, hash }. */
export async function validatorSet(crypto, validators) {
  const plain = validators.map(({ key, name, peerId }) => ({ key, name, peer_id: peerId }));
  return { validators, hash: await digest(crypto, "kilochain/validators/1", encode(plain)) };
}

/** Votes that commit among n validators: ⌈(n + f + 1)/2⌉ with f = ⌊(n − 1)/3⌋. */
export function quorum(n) {
  const f = Math.floor((n - 1) / 3);
  return Math.ceil((n + f + 1) / 2);
}

/** Checks a block against the set in force and gives its header. Throws Refusal. */
export async function checkAgreement(crypto, block, set, chainId) {
  const header = await readHeader(crypto, block.header, chainId);
  const { height } = header;
  require(same(header.validators_hash, set.hash), "block_validators", { height });
  const n = set.validators.length;
  const count = block.votes.length;
  require(count >= quorum(n) && count <= n, "votes_count", { height, count, n, q: quorum(n) });
  const signed = tagged("kilochain/vote/1", encode({
    chain_id: chainId, digest: header.digest, height, kind: "commit", v: 1, view: block.view,
  }));
  let before = -1;
  for (const { replica, signature } of block.votes) {
    require(replica > before && replica < n, "votes_order", { height, replica });
    before = replica;
    const good = await crypto.verify(set.validators[replica].key, signed, signature);
    require(good, "votes_signature", { height, name: set.validators[replica].name });
  }
  return header;
}

/**
 * Walks the validator changes from the genesis's set. Gives [{ above, set }, …]: the sets and the
 * height that each is in force above, ascending. Throws Refusal.
 */
export async function followChanges(crypto, genesis, changes) {
  let set = await validatorSet(crypto, genesis.validators);
  const found = [{ above: -1, set }];
  for (const change of changes) {
    const header = await checkAgreement(crypto, change.block, set, genesis.chainId);
    const { height } = header;
    require(height > found.at(-1).above, "change_order", { height });
    const next = await validatorSet(crypto, change.validators);
    const keys = new Set(change.validators.map(({ key }) => toHex(key)));
    const sound = keys.size > 0 && keys.size === change.validators.length;
    require(sound, "change_keys", { height });
    require(same(header.next_validators_hash, next.hash), "change_set", { height });
    require(!same(next.hash, set.hash), "change_none", { height });
    set = next;
    found.push({ above: height, set });
  }
  return found;
}

/** The set in force at the height that a part's header claims. Throws Refusal. */
export async function setFor(crypto, sets, block, chainId) {
  const { height } = await readHeader(crypto, block.header, chainId);
  return sets.findLast(({ above }) => above < height).set;
}
