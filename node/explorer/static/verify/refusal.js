/** Why a passport proves nothing: a code of words.js and what fills its gaps. */
export class Refusal extends Error {
  constructor(code, values = {}) {
    super(code);
    this.code = code;
    this.values = values;
  }
}

/** Throws Refusal unless `holds`. */
export function require(holds, code, values) {
  if (!holds) throw new Refusal(code, values);
}
