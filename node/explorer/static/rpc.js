/** Calls to the node that served this page. */

/** A call that the node refused; `code` is the stable name, E_…. */
export class CallRefused extends Error {
  constructor(error) {
    super(error.message);
    this.code = error.data?.code ?? "E_INTERNAL";
  }
}

/** The result of one call. Rejects with CallRefused, or TypeError when no node answers. */
export async function call(method, params = {}) {
  const answer = await post({ jsonrpc: "2.0", id: 1, method, params });
  if (answer.error) throw new CallRefused(answer.error);
  return answer.result;
}

/** The results of several calls of [method, params], in order; null for a refused one. */
export async function callAll(calls) {
  if (!calls.length) return [];
  const answers = await post(calls.map(([method, params], id) =>
    ({ jsonrpc: "2.0", id, method, params })));
  const results = new Array(calls.length).fill(null);
  for (const answer of answers) if (!answer.error) results[answer.id] = answer.result;
  return results;
}

async function post(body) {
  const answer = await fetch("/", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.json();
}
