"""One peer's link: what waits for it, its state, its writer and its watchdog."""

import time
from typing import Any

import trio

from node.network import frames, limits
from node.network.counters import Counters


class LinkDown(Exception):  # noqa: N818 - the name says what happened
    """The link ended; the message says why."""


class Link:
    """State of one peer. It is up when our stream is open and the peer's hello was right."""

    def __init__(self, peer: str, totals: Counters) -> None:
        self.peer = peer
        self.totals = totals
        self.counters = Counters()
        self.inbound: Any = None
        self.opened = False
        self.up = False
        self.superseded = False
        self.reading = True
        self.round_trip_ms: float | None = None
        self.since_ms: int | None = None
        self.last_received = 0.0
        self.write_since: float | None = None
        self.arrived = trio.Event()
        self.scope = trio.CancelScope()
        self.work_in, self.work_out = trio.open_memory_channel[tuple[int, bytes]](
            limits.INBOUND_WORK_MAX
        )
        self._queue: list[bytes] = []
        self._queued_bytes = 0
        self._wake = trio.Event()

    def put(self, kind: int, payload: bytes) -> bool:
        """Queue a frame; False if the link is down, its queue full or the frame too large."""
        full = self._queued_bytes + len(payload) > limits.SEND_QUEUE_BYTES_MAX
        if not self.up or full or len(payload) >= limits.FRAME_BYTES_MAX:
            for counters in (self.counters, self.totals):
                counters.dropped += 1
            return False
        self._enqueue(frames.pack(kind, payload))
        for counters in (self.counters, self.totals):
            counters.frames_out += 1
            counters.bytes_out += len(payload)
        return True

    def pong(self, payload: bytes) -> None:
        """Echo a ping."""
        if self.opened and len(payload) <= 8 and not self._queued_bytes:
            self._enqueue(frames.pack(frames.PONG, payload))

    def took(self, payload: bytes) -> None:
        """Count a frame that came in."""
        for counters in (self.counters, self.totals):
            counters.frames_in += 1
            counters.bytes_in += len(payload)

    def clear(self) -> None:
        """Forget what belonged to the session that ended."""
        self.opened = False
        self.write_since = None
        self.round_trip_ms = None
        self._queue, self._queued_bytes = [], 0
        if not self.superseded or self.inbound is None:
            self.inbound = None
            self.arrived = trio.Event()
        self.superseded = False

    async def write(self, stream: Any) -> None:
        """Send what is queued, many frames in one write, and a ping each heartbeat."""
        next_ping = measured = trio.current_time()
        while True:
            if not self._queue:
                self._wake = trio.Event()
                with trio.move_on_at(next_ping):
                    await self._wake.wait()
            flush_at = trio.current_time() + limits.COALESCE_S
            for _ in range(limits.COALESCE_YIELDS if self._queue else 0):
                await trio.lowlevel.checkpoint()
                if trio.current_time() >= flush_at:
                    break
            if trio.current_time() >= next_ping:
                measured = trio.current_time()
                self._enqueue(frames.pack(frames.PING, time.monotonic_ns().to_bytes(8, "big")))
            data = b"".join(self._queue)
            self._queue, self._queued_bytes = [], 0
            for start in range(0, len(data), limits.WRITE_BYTES):
                self.write_since = time.monotonic()
                await stream.write(data[start : start + limits.WRITE_BYTES])
            self.write_since = None
            # Whatever was written shows life too; a ping is due for the round trip or in silence.
            quiet = trio.current_time() + limits.HEARTBEAT_S
            next_ping = min(quiet, measured + limits.ROUND_TRIP_S)

    async def watch(self) -> None:
        """Raise LinkDown when the peer is silent or takes nothing more."""
        while True:
            await trio.sleep(limits.WATCH_S)
            now = time.monotonic()
            if self.reading and now - self.last_received > limits.DEAD_S:
                raise LinkDown("the peer is silent")
            if self.write_since is not None and now - self.write_since > limits.STALL_S:
                raise LinkDown("the peer takes no more data")

    def _enqueue(self, frame: bytes) -> None:
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        self._wake.set()
