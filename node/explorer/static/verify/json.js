/**
 * Strict JSON (RFC 8259): integers only, no name twice in an object, bounded depth.
 * The platform's own parser takes the last of two equal names and rounds long numbers, so two
 * readers of one file could see different things.
 */

import { fromUtf8 } from "./bytes.js";

const DEPTH_MAX = 32; // nested arrays and objects
const DIGITS_MAX = 16; // of an integer; 2^53 - 1 has 16
const WORDS = [["true", true], ["false", false], ["null", null]];
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;
const HALF_A_PAIR = /\p{Surrogate}/u;
const SPACE = /[ \t\n\r]*/y;

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  take(symbol) {
    this.match(SPACE);
    if (this.text[this.at] !== symbol) return false;
    this.at += 1;
    return true;
  }

  expect(symbol) {
    if (!this.take(symbol)) throw new SyntaxError(`${symbol} expected at character ${this.at}`);
  }

  value(depth) {
    if (depth > DEPTH_MAX) throw new SyntaxError(`nested deeper than ${DEPTH_MAX}`);
    if (this.take("{")) return this.object(depth);
    if (this.take("[")) return this.array(depth);
    if (this.take('"')) return this.string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.integer();
  }

  object(depth) {
    const found = Object.create(null);
    if (this.take("}")) return found;
    do {
      this.expect('"');
      const name = this.string();
      if (name in found) throw new SyntaxError(`${JSON.stringify(name)} stands twice`);
      this.expect(":");
      found[name] = this.value(depth + 1);
    } while (this.take(","));
    this.expect("}");
    return found;
  }

  array(depth) {
    const found = [];
    if (this.take("]")) return found;
    do found.push(this.value(depth + 1));
    while (this.take(","));
    this.expect("]");
    return found;
  }

  string() {
    let found = this.match(PLAIN);
    while (this.text[this.at] === "\\") {
      this.at += 1;
      found += this.escape() + this.match(PLAIN);
    }
    if (this.text[this.at] !== '"') throw new SyntaxError(`bad text at character ${this.at}`);
    this.at += 1;
    if (HALF_A_PAIR.test(found)) throw new SyntaxError(`half a surrogate pair before ${this.at}`);
    return found;
  }

  escape() {
    const symbol = this.text[this.at] ?? "";
    this.at += 1;
    if (symbol in ESCAPES) return ESCAPES[symbol];
    const digits = this.text.slice(this.at, this.at + 4);
    if (symbol !== "u" || !/^[0-9A-Fa-f]{4}$/.test(digits)) {
      throw new SyntaxError(`bad escape at character ${this.at}`);
    }
    this.at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  integer() {
    const digits = this.match(INTEGER);
    const next = this.text[this.at] ?? "";
    const value = Number(digits);
    if (!digits || /[.eE]/.test(next) || digits.length > DIGITS_MAX || !Number.isSafeInteger(value)) {
      throw new SyntaxError(`an integer of at most 2^53 - 1 expected at character ${this.at}`);
    }
    return value === 0 ? 0 : value;
  }
}

/** The value of JSON bytes, objects without a prototype. Throws SyntaxError saying where. */
export function parseJson(bytes) {
  const text = fromUtf8(bytes);
  if (text === null) throw new SyntaxError("not UTF-8");
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.match(SPACE);
  if (reader.at !== text.length) throw new SyntaxError(`more follows at character ${reader.at}`);
  return value;
}
