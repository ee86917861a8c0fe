/**
 * What the chain brings, as it comes: by WebSocket, and by asking now and then where none opens.
 * Both name a cursor [height, index] for each event, so nothing is told twice.
 */

import { call, callAll } from "./rpc.js";

const RETRY_MS = 1000;
const RETRY_MS_MAX = 15_000;
const ASK_EVERY_MS = 3000;
const SILENT_TRIES_MAX = 2; // sockets that never opened, after which it asks instead
const BLOCKS_AT_ONCE_MAX = 20;

/**
 * Follow the chain from the block after `height` on.
 * `onEvent(event)`: of type "transaction" or "block"; `onState(on)`: whether the node answers.
 */
export function follow(height, onEvent, onState) {
  const place = { cursor: [height + 1, -1], silent: 0, wait: RETRY_MS };
  const tell = (event) => {
    if (!isAfter(event.cursor, place.cursor)) return;
    place.cursor = event.cursor;
    if (event.type === "transaction" || event.type === "block") onEvent(event);
  };
  listen(place, tell, onState);
}

const isAfter = (a, b) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

function listen(place, tell, onState) {
  // A cursor is that of an event seen; before the first of a block stands the block below.
  const [height, index] = place.cursor;
  const after = index < 0 ? `${height - 1}.999999` : `${height}.${index}`;
  const address = new URL(`/events?after=${after}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  let opened = false;
  socket.addEventListener("open", () => {
    opened = true;
    Object.assign(place, { silent: 0, wait: RETRY_MS });
    onState(true);
  });
  socket.addEventListener("message", ({ data }) => tell(JSON.parse(data)));
  socket.addEventListener("close", () => {
    if (!opened && ++place.silent >= SILENT_TRIES_MAX) {
      ask(place, tell, onState);
      return;
    }
    onState(false);
    setTimeout(() => listen(place, tell, onState), place.wait);
    place.wait = Math.min(2 * place.wait, RETRY_MS_MAX);
  });
}

async function ask(place, tell, onState) {
  try {
    const { height } = await call("chain.status");
    const first = Math.max(place.cursor[0], height - BLOCKS_AT_ONCE_MAX + 1, 0);
    const heights = Array.from({ length: Math.max(height - first + 1, 0) }, (_, i) => first + i);
    const blocks = await callAll(heights.map((each) => ["block.get", { height: each }]));
    for (const block of blocks.filter(Boolean)) eventsOf(block).forEach(tell);
    onState(true);
  } catch {
    onState(false);
  }
  setTimeout(() => ask(place, tell, onState), ASK_EVERY_MS);
}

/** The events of a block as `block.get` gives it, like those of the stream. */
export function eventsOf(block) {
  const { height, time_ms, proposer } = block.header;
  const told = block.transactions.map((each, index) =>
    ({ ...each, type: "transaction", cursor: [height, index], time_ms }));
  const { digest } = block;
  const count = block.transactions.length;
  return [...told,
    { type: "block", cursor: [height, count], digest, time_ms, proposer, transactions: count }];
}
