/** The form of a passport file: exactly these members, types and lengths (docs/passport.md). */

import { fromBase64, fromHex } from "./bytes.js";
import { parseJson } from "./json.js";
import { Refusal, require } from "./refusal.js";

/** The longest file in bytes. */
export const FILE_BYTES_MAX = 128 * 1024;

const INCLUSION_PATH_MAX = 64; // digests; a tree of 2^53 leaves needs 53
const SIBLINGS_MAX = 256; // bits of a state path

function members(value, at, wanted, optional = []) {
  require(isObject(value), "form_object", { at });
  const names = Object.keys(value);
  for (const name of wanted) require(name in value, "form_missing", { at: `${at}.${name}` });
  for (const name of names) {
    require(wanted.includes(name) || optional.includes(name), "form_unknown", {
      at: `${at}.${name.slice(0, 40)}`,
    });
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value, at, most, read) {
  require(Array.isArray(value) && value.length <= most, "form_list", { at, most });
  return value.map((each, i) => read(each, `${at}[${i}]`));
}

function text(value, at) {
  require(typeof value === "string", "form_text", { at });
  return value;
}

function whole(value, at) {
  require(Number.isSafeInteger(value) && value >= 0, "form_number", { at });
  return value;
}

function hex(length) {
  return (value, at) => {
    const bytes = fromHex(value);
    require(bytes !== null && bytes.length === length, "form_hex", { at, digits: 2 * length });
    return bytes;
  };
}

function base64(value, at) {
  const bytes = fromBase64(value);
  require(bytes !== null, "form_base64", { at });
  return bytes;
}

function block(value, at) {
  members(value, at, ["header", "certificate"]);
  const { certificate } = value;
  members(certificate, `${at}.certificate`, ["view", "votes"]);
  return {
    header: base64(value.header, `${at}.header`),
    view: whole(certificate.view, `${at}.certificate.view`),
    votes: list(certificate.votes, `${at}.certificate.votes`, FILE_BYTES_MAX, (vote, here) => {
      members(vote, here, ["replica", "signature"]);
      const signature = hex(64)(vote.signature, `${here}.signature`);
      return { replica: whole(vote.replica, `${here}.replica`), signature };
    }),
  };
}

function registration(value, at) {
  members(value, at, ["transaction", "index", "path", "block"]);
  return {
    transaction: base64(value.transaction, `${at}.transaction`),
    index: whole(value.index, `${at}.index`),
    path: list(value.path, `${at}.path`, INCLUSION_PATH_MAX, hex(32)),
    block: block(value.block, `${at}.block`),
  };
}

function other(value, at) {
  if (value === null) return null;
  members(value, at, ["path", "value_digest"]);
  const path = hex(32)(value.path, `${at}.path`);
  return { path, valueDigest: hex(32)(value.value_digest, `${at}.value_digest`) };
}

function state(value, at) {
  members(value, at, ["block", "value", "siblings", "other"]);
  const found = {
    block: block(value.block, `${at}.block`),
    value: value.value === null ? null : base64(value.value, `${at}.value`),
    siblings: list(value.siblings, `${at}.siblings`, SIBLINGS_MAX, (each, here) =>
      each === "" ? null : hex(32)(each, here),
    ),
    other: other(value.other, `${at}.other`),
  };
  require(found.value === null || found.other === null, "form_value_and_other", { at });
  return found;
}

function change(value, at) {
  members(value, at, ["block", "validators"]);
  return {
    block: block(value.block, `${at}.block`),
    validators: list(value.validators, `${at}.validators`, FILE_BYTES_MAX, (each, here) => {
      members(each, here, ["key", "name", "peer_id"]);
      return {
        key: hex(32)(each.key, `${here}.key`),
        name: text(each.name, `${here}.name`),
        peerId: text(each.peer_id, `${here}.peer_id`),
      };
    }),
  };
}

function record(value, at) {
  members(value, at, ["batch", "mass_g", "payload", "registered_by", "registered_ms", "units"]);
  require(isObject(value.payload), "form_object", { at: `${at}.payload` });
  for (const name of ["mass_g", "registered_ms", "units"]) whole(value[name], `${at}.${name}`);
  for (const name of ["batch", "registered_by"]) text(value[name], `${at}.${name}`);
  return value;
}

const REQUIRED = ["passport", "chain_id", "genesis", "id", "claim", "validator_changes"];
const OPTIONAL = ["record", "registration", "state"];

/**
 * The parts of a passport, bytes decoded: { chainId, genesis, id, claim, record?, registration?,
 * state?, changes }. `bytes`: the file. Throws Refusal.
 */
export function readPassport(bytes) {
  require(bytes.length <= FILE_BYTES_MAX, "form_size", { most: FILE_BYTES_MAX });
  let file;
  try {
    file = parseJson(bytes);
  } catch (error) {
    throw new Refusal("form_json", { why: error.message });
  }
  members(file, "passport", REQUIRED, OPTIONAL);
  require(file.passport === 1, "form_version");
  require(["registered", "not_registered"].includes(file.claim), "form_claim");
  const found = {
    chainId: text(file.chain_id, "chain_id"),
    genesis: hex(32)(file.genesis, "genesis"),
    id: text(file.id, "id"),
    claim: file.claim,
    changes: list(file.validator_changes, "validator_changes", FILE_BYTES_MAX, change),
  };
  require(found.id.length === 18, "form_id");
  for (const [name, read] of Object.entries({ record, registration, state })) {
    if (name in file) found[name] = read(file[name], name);
  }
  checkParts(found);
  return found;
}

function checkParts(found) {
  require(("record" in found) === ("registration" in found), "form_record");
  if (found.claim === "registered") require("registration" in found, "form_no_registration");
  else require("registration" in found || found.state?.value === null, "form_no_absence");
}
