/**
 * SHA-256 and Ed25519, from the platform (WebCrypto) where it knows both, else from the vendored
 * noble libraries. Which signatures count must not depend on the supplier: what implementations
 * are known to judge differently is refused here, before either is asked.
 */

import { Point } from "../vendor/noble/ed25519.js";
import { sha256, sha512 } from "../vendor/noble/sha2.js";
import { concat, fromHex, same, toHex, utf8 } from "./bytes.js";

const P = 2n ** 255n - 19n; // the field
const L = 2n ** 252n + 27742317777372353535851937790883648493n; // the group's order
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDER = [0n, 1n, P - 1n, ORDER_8, P - ORDER_8]; // y of each point of order 1, 2, 4, 8

// RFC 8032 §7.1, the second test: shows whether the platform's Ed25519 works at all.
const KNOWN = {
  key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  message: "72",
  signature:
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
};

/** The names that `options.crypto` may have. */
export const SUPPLIERS = ["WebCrypto", "noble"];

function littleEndian(bytes) {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
}

/** Whether 32 bytes are the one encoding of a y, and not of a point of small order. */
function soundPoint(bytes) {
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER.includes(y);
}

function wellFormed(key, signature) {
  return (
    key.length === 32 &&
    signature.length === 64 &&
    soundPoint(key) &&
    soundPoint(signature.subarray(0, 32)) &&
    littleEndian(signature.subarray(32)) < L
  );
}

const noble = {
  name: "noble",
  sha256: async (bytes) => sha256(bytes),
  /** RFC 8032 §5.1.7 without the cofactor: S·B − k·A must encode to R. */
  equation: async (key, message, signature) => {
    try {
      const r = signature.subarray(0, 32);
      const k = littleEndian(sha512(concat(r, key, message))) % L;
      const signed = Point.BASE.multiply(littleEndian(signature.subarray(32)), false);
      const left = signed.subtract(Point.fromBytes(key).multiply(k, false));
      return same(left.toBytes(), r);
    } catch {
      return false; // the key is no point of the curve
    }
  },
};

function webCrypto(subtle) {
  return {
    name: "WebCrypto",
    sha256: async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes)),
    equation: async (key, message, signature) => {
      try {
        const imported = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
        return await subtle.verify({ name: "Ed25519" }, imported, signature, message);
      } catch {
        return false; // the key is no point of the curve
      }
    },
  };
}

async function works(supplier) {
  const [key, message, signature] = [KNOWN.key, KNOWN.message, KNOWN.signature].map(fromHex);
  try {
    const digest = await supplier.sha256(message);
    return (
      same(digest, sha256(message)) &&
      (await supplier.equation(key, message, signature)) &&
      !(await supplier.equation(key, utf8("no"), signature))
    );
  } catch {
    return false;
  }
}

/**
 * The supplier to use: `wanted` is "WebCrypto", "noble", or undefined for the first that works.
 * It has `name`, `sha256(bytes)` and `verify(key, message, signature)`, both giving promises.
 * Throws Error when the one that was asked for does not work here.
 */
export async function chooseCrypto(wanted) {
  if (wanted !== undefined && !SUPPLIERS.includes(wanted)) {
    throw new Error(`crypto is one of ${SUPPLIERS.join(", ")}`);
  }
  const subtle = globalThis.crypto?.subtle; // absent where the page's origin is not secure
  const candidates = subtle ? [webCrypto(subtle), noble] : [noble];
  for (const found of candidates) {
    if ((wanted ?? found.name) !== found.name || !(await works(found))) continue;
    return {
      name: found.name,
      sha256: found.sha256,
      verify: async (key, message, signature) =>
        wellFormed(key, signature) && found.equation(key, message, signature),
    };
  }
  throw new Error(`${wanted ?? "Ed25519"} does not work here`);
}

/** SHA-256 over tag ‖ 0x00 ‖ bytes. */
export function digest(crypto, tag, bytes) {
  return crypto.sha256(tagged(tag, bytes));
}

/** tag ‖ 0x00 ‖ bytes: what digests and signatures are over. */
export function tagged(tag, bytes) {
  return concat(utf8(tag), [0], bytes);
}
