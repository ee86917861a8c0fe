/**
 * Canonical MessagePack as docs/formats.md has it: one encoding per value, and a reader that
 * refuses every other. Maps become Map, bin Uint8Array, integers Number or, beyond 2^53, BigInt.
 */

import { concat, fromUtf8, utf8 } from "./bytes.js";

const DEPTH_MAX = 16; // nested arrays and maps
const TWO_32 = 2 ** 32;

/** Bytes outside the canonical subset; the message says what. */
export class NotCanonical extends Error {}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  skip(count) {
    const from = this.at;
    if (count > this.bytes.length - from) throw new NotCanonical("it ends too early");
    this.at += count;
    return from;
  }

  unsigned(width) {
    const from = this.skip(width);
    if (width === 1) return this.view.getUint8(from);
    if (width === 2) return this.view.getUint16(from);
    if (width === 4) return this.view.getUint32(from);
    return this.view.getBigUint64(from);
  }

  /** An integer or length of 1, 2, 4 or 8 bytes that no shorter form could hold. */
  shortest(width, least) {
    const value = this.unsigned(width);
    if (value < least) throw new NotCanonical("an integer or length in a longer form than needed");
    return value;
  }

  negative(width) {
    const bits = BigInt(8 * width);
    const value = BigInt.asIntN(Number(bits), BigInt(this.unsigned(width)));
    const least = width === 1 ? -32n : -(1n << (bits / 2n - 1n));
    if (value >= least) throw new NotCanonical("an integer in a longer form than needed");
    return number(value);
  }

  value(depth) {
    const tag = this.unsigned(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.text(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    return this.tagged(tag, depth);
  }

  tagged(tag, depth) {
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.bin(this.shortest(1, 0));
      case 0xc5: return this.bin(this.shortest(2, 0x100));
      case 0xc6: return this.bin(this.shortest(4, 0x10000));
      case 0xcc: return this.shortest(1, 0x80);
      case 0xcd: return this.shortest(2, 0x100);
      case 0xce: return this.shortest(4, 0x10000);
      case 0xcf: return number(this.shortest(8, BigInt(TWO_32)));
      case 0xd0: return this.negative(1);
      case 0xd1: return this.negative(2);
      case 0xd2: return this.negative(4);
      case 0xd3: return this.negative(8);
      case 0xd9: return this.text(this.shortest(1, 32));
      case 0xda: return this.text(this.shortest(2, 0x100));
      case 0xdb: return this.text(this.shortest(4, 0x10000));
      case 0xdc: return this.array(this.shortest(2, 16), depth);
      case 0xdd: return this.array(this.shortest(4, 0x10000), depth);
      case 0xde: return this.map(this.shortest(2, 16), depth);
      case 0xdf: return this.map(this.shortest(4, 0x10000), depth);
      default: throw new NotCanonical(`type ${tag.toString(16)} is not used`);
    }
  }

  bin(length) {
    const from = this.skip(length);
    return this.bytes.slice(from, from + length);
  }

  text(length) {
    const from = this.skip(length);
    const found = fromUtf8(this.bytes.subarray(from, from + length));
    if (found === null) throw new NotCanonical("a text that is not UTF-8");
    if (found !== found.normalize("NFC")) throw new NotCanonical("a text not in Unicode form NFC");
    return found;
  }

  array(length, depth) {
    this.enter(length, depth);
    const found = [];
    for (let i = 0; i < length; i += 1) found.push(this.value(depth + 1));
    return found;
  }

  map(length, depth) {
    this.enter(2 * length, depth);
    const found = new Map();
    let before = null;
    for (let i = 0; i < length; i += 1) {
      const from = this.at;
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new NotCanonical("a map key that is no text");
      const bytes = utf8(key);
      if (before !== null && order(before, bytes) >= 0) {
        throw new NotCanonical(`map keys out of order or twice, at byte ${from}`);
      }
      before = bytes;
      found.set(key, this.value(depth + 1));
    }
    return found;
  }

  /** Entries take a byte each at least, so a length beyond what remains is a lie. */
  enter(entries, depth) {
    if (depth >= DEPTH_MAX) throw new NotCanonical(`nested deeper than ${DEPTH_MAX}`);
    if (entries > this.bytes.length - this.at) throw new NotCanonical("it ends too early");
  }
}

function number(big) {
  const value = Number(big);
  return Number.isSafeInteger(value) ? value : big;
}

function order(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** The value of canonical bytes. Throws NotCanonical for anything else. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) throw new NotCanonical("more bytes follow the value");
  return value;
}

function sized(length, tags, short, limit) {
  if (length < limit) return [short | length];
  if (length < 0x100 && tags[0] !== null) return [tags[0], length];
  if (length < 0x10000) return [tags[1], length >> 8, length & 0xff];
  return [tags[2], length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
}

function integer(value) {
  if (value < 0x80) return [value];
  if (value < TWO_32) return sized(value, [0xcc, 0xcd, 0xce], 0, 0);
  const bytes = new Uint8Array(9);
  bytes[0] = 0xcf;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(value));
  return bytes;
}

/**
 * The canonical bytes of what this verifier has to rebuild: whole numbers from 0, texts,
 * Uint8Array, arrays, and plain objects as maps.
 */
export function encode(value) {
  if (typeof value === "number") return Uint8Array.from(integer(value));
  if (typeof value === "string") {
    const bytes = utf8(value);
    return concat(sized(bytes.length, [0xd9, 0xda, 0xdb], 0xa0, 32), bytes);
  }
  if (value instanceof Uint8Array) {
    return concat(sized(value.length, [0xc4, 0xc5, 0xc6], 0, 0), value);
  }
  if (Array.isArray(value)) {
    return concat(sized(value.length, [null, 0xdc, 0xdd], 0x90, 16), ...value.map(encode));
  }
  const entries = Object.entries(value).map(([key, held]) => [encode(key), utf8(key), encode(held)]);
  entries.sort((a, b) => order(a[1], b[1]));
  const parts = entries.flatMap(([key, , held]) => [key, held]);
  return concat(sized(entries.length, [null, 0xde, 0xdf], 0x80, 16), ...parts);
}
