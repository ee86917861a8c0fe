/** IDs: RE1, producer 4, batch 5, serial 4, check 2, in Crockford's base 32 (docs/formats.md). */

import { require } from "./refusal.js";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FORM = /^RE1[0-9A-HJKMNP-TV-Z]{15}$/;
const MODULUS = 1021;

function number(symbols) {
  return [...symbols].reduce((total, symbol) => total * 32 + SYMBOLS.indexOf(symbol), 0);
}

function symbols(value, count) {
  return Array.from({ length: count }, (_, i) => SYMBOLS[Math.floor(value / 32 ** i) % 32])
    .reverse()
    .join("");
}

function remainder(text) {
  return [...text].reduce((p, symbol) => (p * 32 + SYMBOLS.indexOf(symbol)) % MODULUS, 0);
}

/** { producer, batchNo, serial } of a canonical ID. Throws Refusal. */
export function readId(text) {
  require(FORM.test(text), "id_form");
  const fits = remainder(text) === 1 && number(text.slice(16)) < MODULUS;
  require(fits, "id_check");
  const [producer, batch, serial] = [text.slice(3, 7), text.slice(7, 12), text.slice(12, 16)];
  return { producer, batchNo: number(batch), serial: number(serial) };
}

/** The ID of a kilogram, or with serial 0 of the batch. */
export function writeId(producer, batchNo, serial) {
  const stem = `RE1${producer}${symbols(batchNo, 5)}${symbols(serial, 4)}`;
  const check = (MODULUS + 1 - remainder(`${stem}00`)) % MODULUS;
  return stem + symbols(check, 2);
}

/** In groups, as people read it: RE1-K77G-0001G-0001-GK. */
export function displayId(text) {
  return [[0, 3], [3, 7], [7, 12], [12, 16], [16, 18]].map(([a, b]) => text.slice(a, b)).join("-");
}
