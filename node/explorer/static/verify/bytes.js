/** Bytes and their texts: hex, base64, UTF-8. Every reader is strict: one text per value. */

const HEX = /^(?:[0-9a-f]{2})*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The bytes of lower-case hex, or null. */
export function fromHex(text) {
  if (typeof text !== "string" || !HEX.test(text)) return null;
  const found = new Uint8Array(text.length / 2);
  for (let i = 0; i < found.length; i += 1) {
    found[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return found;
}

/** Lower-case hex of bytes. */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of padded base64 whose spare bits are 0, or null. */
export function fromBase64(text) {
  if (typeof text !== "string" || !BASE64.test(text)) return null;
  const symbols = text.replace(/=+$/, "");
  const found = new Uint8Array(Math.floor((symbols.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const symbol of symbols) {
    held = (held << 6) | SYMBOLS.indexOf(symbol);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      found[at] = held >> bits;
      at += 1;
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 ? found : null;
}

/** One array of all the parts in order. */
export function concat(...parts) {
  const found = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
}

/** Whether two byte strings are the same. */
export function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** UTF-8 of a text. */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8 bytes, a byte order mark kept as a character; null where it is none. */
export function fromUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** What was given as a Uint8Array: bytes of any view, or the UTF-8 of a text. Null otherwise. */
export function asBytes(given) {
  if (typeof given === "string") return utf8(given);
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  if (ArrayBuffer.isView(given)) {
    return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  }
  return null;
}
