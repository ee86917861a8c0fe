/**
 * Verifies a Kilochain passport: one file that proves what the chain says about a kilogram or a
 * batch to somebody who trusts nothing but the genesis document. Written from docs/passport.md and
 * docs/formats.md; it shares no code with the node. Runs in browsers and in Node.
 */

import { checkAgreement, followChanges, setFor } from "./verify/blocks.js";
import { asBytes, same, toHex, utf8 } from "./verify/bytes.js";
import { chooseCrypto } from "./verify/crypto.js";
import { readPassport } from "./verify/form.js";
import { checkGenesis, readGenesis } from "./verify/genesis.js";
import { displayId, readId } from "./verify/ids.js";
import { decode } from "./verify/msgpack.js";
import { batchKey, checkState, isIncluded } from "./verify/proofs.js";
import { Refusal, require } from "./verify/refusal.js";
import { checkMember, checkRecord, readTransaction } from "./verify/transaction.js";
import { LANGUAGES, say } from "./verify/words.js";

/** Every step in its order. Those about a registration or a state are left out where there is none. */
export const STEPS = [
  "format", "genesis", "identity", "validators", "agreement", "inclusion", "signature", "member",
  "record", "state",
];

/**
 * @param {Uint8Array|ArrayBuffer|string|object} passport the file, or its parsed JSON
 * @param {Uint8Array|ArrayBuffer|string} genesisBytes the genesis document's exact bytes
 * @param {{crypto?: "WebCrypto"|"noble", language?: "en"|"zh"}} options which cryptography to use
 *   (the platform's where it works, when left out), and the language of what is said
 * @returns {Promise<{ok: boolean, claim: ?string, id: ?string,
 *   steps: {step: string, ok: boolean, says: string}[], proven: string[], notProven: string[],
 *   crypto: ?string}>} `ok` only if every step holds; the last step is the first that fails.
 *   Never rejects, whatever the passport is.
 */
export async function verifyPassport(passport, genesisBytes, options) {
  const language = LANGUAGES.includes(options?.language) ? options.language : "en";
  const report = {
    ok: false, claim: null, id: null, steps: [], proven: [], notProven: [], crypto: null,
  };
  let current = STEPS[0];
  const step = async (name, check) => {
    current = name;
    const [code, values] = await check();
    report.steps.push({ step: name, ok: true, says: say(language, code, values) });
  };
  try {
    const crypto = await supplier(options?.crypto);
    report.crypto = crypto.name;
    const found = { crypto, report };
    await readFile(found, passport, step);
    await step("genesis", () => trustGenesis(found, genesisBytes));
    await step("identity", () => identify(found));
    await agree(found, step, language);
    if (found.registration) await checkRegistration(found, step);
    if (found.state) await step("state", () => checkEntry(found));
    Object.assign(report, conclude(found, language), { ok: true });
  } catch (error) {
    const { code, values } =
      error instanceof Refusal ? error : { code: "broken", values: { why: String(error) } };
    report.steps.push({ step: current, ok: false, says: say(language, code, values) });
  }
  return report;
}

async function supplier(wanted) {
  try {
    return await chooseCrypto(wanted);
  } catch (error) {
    throw new Refusal("crypto_missing", { why: error.message });
  }
}

function fileBytes(passport) {
  const bytes = asBytes(passport);
  if (bytes !== null) return bytes;
  const text = JSON.stringify(passport);
  require(typeof text === "string", "form_json", { why: "nothing was given" });
  return utf8(text);
}

async function readFile(found, passport, step) {
  await step("format", async () => {
    Object.assign(found, readPassport(fileBytes(passport)));
    Object.assign(found.report, { claim: found.claim, id: found.id });
    return ["format"];
  });
}

async function trustGenesis(found, genesisBytes) {
  const trusted = await readGenesis(found.crypto, asBytes(genesisBytes));
  checkGenesis(trusted, found);
  found.trusted = trusted;
  return ["genesis", { chain: trusted.chainId }];
}

async function identify(found) {
  found.identity = readId(found.id);
  return ["identity", { id: displayId(found.id) }];
}

async function agree(found, step, language) {
  const { crypto, trusted, changes } = found;
  let sets;
  await step("validators", async () => {
    sets = await followChanges(crypto, trusted, changes);
    if (changes.length > 0) return ["validators_changed", { count: changes.length }];
    return ["validators_same", { n: trusted.validators.length }];
  });
  await step("agreement", async () => {
    const said = [];
    for (const part of [found.registration, found.state].filter(Boolean)) {
      const set = await setFor(crypto, sets, part.block, trusted.chainId);
      part.header = await checkAgreement(crypto, part.block, set, trusted.chainId);
      const [count, n] = [part.block.votes.length, set.validators.length];
      said.push(say(language, "agreement_block", { height: part.header.height, count, n }));
    }
    return ["agreement", { blocks: said.join("; ") }];
  });
}

async function checkRegistration(found, step) {
  const { crypto, registration, trusted } = found;
  const { header, index, path, transaction } = registration;
  await step("inclusion", async () => {
    const place = { index, size: header.transactions, path, root: header.transactions_root };
    const stands = await isIncluded(crypto, transaction, place);
    require(stands, "inclusion_path", { height: header.height });
    return ["inclusion", { height: header.height, index }];
  });
  await step("signature", async () => {
    registration.said = await readTransaction(crypto, transaction, trusted.chainId);
    return ["signature", { key: toHex(registration.said.key) }];
  });
  await step("member", async () => {
    found.member = checkMember(trusted, registration.said);
    return ["member", found.member];
  });
  await step("record", async () => {
    checkRecord(found, found.identity, registration.said, header.time_ms);
    return ["record", { batch: displayId(found.record.batch), units: found.record.units }];
  });
}

async function checkEntry(found) {
  const { crypto, identity, registration, state } = found;
  const { height, state_root: root } = state.header;
  await checkState(crypto, batchKey(identity.producer, identity.batchNo), state, root);
  if (registration === undefined) return ["state_absent", { height }];
  require(registration.header.height <= height, "state_height");
  require(state.value !== null && isEntry(state.value, registration), "state_value");
  return ["state_present", { height }];
}

function isEntry(value, { header, index, said }) {
  try {
    const entry = decode(value);
    const [txId, height, place] = entry;
    return (
      entry.length === 3 && txId instanceof Uint8Array && same(txId, said.txId) &&
      height === header.height && place === index
    );
  } catch {
    return false;
  }
}

function conclude(found, language) {
  const sentences = (list) => list.map(([code, values]) => say(language, code, values));
  const { state } = found;
  const since = state ? ["not_since_state", { height: state.header.height }] : ["not_since"];
  return {
    proven: sentences(proven(found)),
    notProven: sentences([["not_assay"], ["not_drum"], ["not_unique"], since]),
  };
}

function proven({ claim, id, identity, member, record, registration, state }) {
  const at = ({ header }) => ({ height: header.height, time: timeOf(header.time_ms) });
  const values = { code: identity.producer, serial: identity.serial, id: displayId(id) };
  if (registration === undefined) return [["proven_absent", { ...values, ...at(state) }]];
  Object.assign(values, {
    name: member.name, units: record.units, mass: record.mass_g, batch: displayId(record.batch),
  });
  const what = identity.serial === 0 ? "proven_batch" : "proven_kilogram";
  const found = [[claim === "registered" ? what : "proven_above", values]];
  found.push(["proven_block", at(registration)]);
  if (state) found.push(["proven_state", at(state)]);
  return found;
}

function timeOf(ms) {
  const date = new Date(ms);
  return Number.isNaN(date.valueOf()) ? `${ms} ms` : date.toISOString();
}
