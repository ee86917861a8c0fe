/** What a verifier reads of the genesis document, whose exact bytes the user trusts. */

import { fromHex, same, toHex } from "./bytes.js";
import { digest } from "./crypto.js";
import { parseJson } from "./json.js";
import { Refusal, require } from "./refusal.js";

const FIELDS = ["members", "name", "parameters", "peers", "time_ms", "validators", "version"];
const GENESIS_BYTES_MAX = 4 * 1024 * 1024;

function list(value) {
  if (!Array.isArray(value)) throw new Error("a list is expected");
  return value;
}

function text(value) {
  if (typeof value !== "string" || !value) throw new Error("a text is expected");
  return value;
}

function key(value) {
  const bytes = fromHex(value);
  if (bytes?.length !== 32) throw new Error("a key of 64 hex digits is expected");
  return bytes;
}

function readMember(member) {
  return {
    code: text(member.code),
    name: text(member.name),
    roles: list(member.roles).map(text),
    status: text(member.status),
    facilities: list(member.facilities).map((place) => text(place.id)),
    keys: list(member.keys).map((each) => ({
      key: key(each.key),
      status: text(each.status),
      facilities: each.facilities == null ? null : list(each.facilities).map(text),
    })),
  };
}

function read(document) {
  if (Object.keys(document).sort().join() !== FIELDS.join()) {
    throw new Error(`its members are to be ${FIELDS.join(", ")}`);
  }
  if (document.version !== 1) throw new Error("version 1 is expected");
  const validators = list(document.validators).map((each) => ({
    key: key(each.key),
    name: text(each.name),
    peerId: text(each.peer_id),
  }));
  if (validators.length === 0) throw new Error("validators are expected");
  return { name: text(document.name), validators, members: list(document.members).map(readMember) };
}

/**
 * { name, digest, chainId, validators, members } of a genesis document's exact bytes; digest in
 * bytes. Throws Refusal.
 */
export async function readGenesis(crypto, bytes) {
  require(bytes !== null && bytes.length <= GENESIS_BYTES_MAX, "genesis_size");
  try {
    const found = read(parseJson(bytes));
    found.digest = await digest(crypto, "kilochain/genesis/1", bytes);
    found.chainId = `${found.name}-${toHex(found.digest).slice(0, 16)}`;
    return found;
  } catch (error) {
    throw new Refusal("genesis_unreadable", { why: error.message });
  }
}

/** Throws Refusal unless the passport is of this genesis. */
export function checkGenesis(genesis, passport) {
  require(same(genesis.digest, passport.genesis), "genesis_other", {
    wanted: toHex(passport.genesis),
    found: toHex(genesis.digest),
  });
  require(passport.chainId === genesis.chainId, "chain_other", { chain: genesis.chainId });
}
