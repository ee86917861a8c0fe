/** A signed registration: its bytes, its form, who may have signed it, and what it says. */

import { same, toHex } from "./bytes.js";
import { digest, tagged } from "./crypto.js";
import { displayId, writeId } from "./ids.js";
import { decode } from "./msgpack.js";
import { Refusal, require } from "./refusal.js";

const TRANSACTION_BYTES_MAX = 32 * 1024;
const WHOLE_MAX = 2 ** 53 - 1;
const BATCH_NO_MAX = 33_554_431;
const PPM = 1_000_000;

const text = (value) => typeof value === "string";
const whole = (least, most) => (value) =>
  Number.isSafeInteger(value) && value >= least && value <= most;
const bin = (length) => (value) => value instanceof Uint8Array && value.length === length;
const oneOf = (...words) => (value) => words.includes(value);
const listOf = (check) => (value) => Array.isArray(value) && value.every(check);
const mapOf = (check) => (value) => value instanceof Map && [...value.values()].every(check);
const fields = (wanted, optional = {}) => (value) =>
  value instanceof Map &&
  Object.keys(wanted).every((name) => value.has(name)) &&
  [...value].every(([name, held]) => {
    const rules = Object.hasOwn(wanted, name) ? wanted : optional;
    return Object.hasOwn(rules, name) && rules[name](held);
  });

const ppm = whole(0, PPM);
const count = whole(0, WHOLE_MAX);
const PAYLOAD = fields(
  {
    assay: fields({ cert: text, lab: text, method: text, sha256: bin(32) }),
    basis: oneOf("as_received", "dry", "ignited"),
    batch_no: whole(1, BATCH_NO_MAX),
    coc: oneOf("IP", "SG", "CB", "MB", "BC"),
    facility: text,
    impurities: mapOf(ppm),
    net_mass_g: whole(1, WHOLE_MAX),
    origin: listOf(fields({ country: text, share_ppm: ppm }, { ore: text, site: text })),
    produced_on: text,
    product: text,
    ree: mapOf(ppm),
    stage: text,
    total_ppm: count,
    units: whole(1, WHOLE_MAX),
  },
  {
    docs: listOf(fields({ sha256: bin(32), type: text })),
    hidden: mapOf(bin(32)),
    loi_ppm: ppm,
    packs: listOf(
      fields({ count, first: count, mass_g: count, type: text }, { sscc: text }),
    ),
    refs: fields({}, { invoice: text, licence: text, quota: text }),
    th_ppm: ppm,
    u_ppm: ppm,
  },
);
const ENVELOPE = fields({
  chain_id: text,
  key: bin(32),
  kind: oneOf("batch.register"),
  member: (value) => text(value) && value.length === 4,
  payload: PAYLOAD,
  salt: bin(16),
  v: oneOf(1),
  valid_until_ms: count,
});
const OUTER = (value) =>
  Array.isArray(value) && value.length === 2 && value[0] instanceof Uint8Array && bin(64)(value[1]);

function canonical(bytes, check, what) {
  try {
    const value = decode(bytes);
    if (check(value)) return value;
  } catch (error) {
    throw new Refusal("transaction_form", { why: error.message });
  }
  throw new Refusal("transaction_form", { why: `${what} has not the fields of a registration` });
}

/** { member, key, payload (a Map), txId } of a registration T. Throws Refusal. */
export async function readTransaction(crypto, bytes, chainId) {
  const size = { why: `more than ${TRANSACTION_BYTES_MAX} bytes` };
  require(bytes.length <= TRANSACTION_BYTES_MAX, "transaction_form", size);
  const [unsigned, signature] = canonical(bytes, OUTER, "the transaction");
  const envelope = canonical(unsigned, ENVELOPE, "the envelope");
  require(envelope.get("chain_id") === chainId, "transaction_chain");
  const [key, member, payload] = ["key", "member", "payload"].map((name) => envelope.get(name));
  const good = await crypto.verify(key, tagged("kilochain/tx/1", unsigned), signature);
  require(good, "transaction_signature", { key: toHex(key) });
  return { member, key, payload, txId: await digest(crypto, "kilochain/tx-id/1", unsigned) };
}

/** The genesis's entry of who signed, which may do so. Throws Refusal. */
export function checkMember(genesis, { member: code, key, payload }) {
  const member = genesis.members.find((each) => each.code === code);
  require(member !== undefined && member.status === "active", "member_unknown", { code });
  const held = member.keys.find((each) => same(each.key, key));
  require(held !== undefined && held.status === "active", "member_key", { code });
  const facility = payload.get("facility");
  const allowed = held.facilities === null || held.facilities.includes(facility);
  require(member.facilities.includes(facility) && allowed, "member_facility", { code, facility });
  const makes = member.roles.includes("producer") || member.roles.includes("refiner");
  require(makes, "member_role", { code });
  return member;
}

/** Grams of a kilogram, or of the whole batch for serial 0; 0 for one that does not exist. */
export function massOf(serial, payload) {
  const [mass, units] = [payload.get("net_mass_g"), payload.get("units")];
  if (serial === 0) return mass;
  if (serial > units) return 0;
  return serial < units ? 1000 : mass - 1000 * (units - 1);
}

/** Throws Refusal unless `record` says exactly what the registration says of `id`. */
export function checkRecord(passport, id, { member, payload }, timeMs) {
  const [units, batchNo] = [payload.get("units"), payload.get("batch_no")];
  const batch = writeId(member, batchNo, 0);
  require(id.producer === member && id.batchNo === batchNo, "record_batch", {
    batch: displayId(batch),
  });
  const exists = id.serial <= units;
  require(exists === (passport.claim === "registered"), "record_serial", {
    serial: id.serial, units,
  });
  const said = {
    batch, units,
    mass_g: massOf(id.serial, payload),
    payload: plain(payload),
    registered_by: member,
    registered_ms: timeMs,
  };
  for (const [name, value] of Object.entries(said)) {
    require(equal(value, passport.record[name]), "record_differs", { name });
  }
}

/** A decoded value in its JSON form: maps as objects without a prototype, bytes in hex. */
function plain(value) {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const found = Object.create(null);
  for (const [name, held] of value) found[name] = plain(held);
  return found;
}

function equal(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => name in b && equal(a[name], b[name]))
  );
}
