"""What waits for the replica: answers to its own work first, then what peers sent, in turn."""

from __future__ import annotations

from collections import deque

import trio

from consensus.interface import BlockReceived, Event, FrameReceived, PoolChanged
from node.limits import INBOX_BYTES_PER_PEER_MAX, INBOX_EVENTS_MAX, INBOX_EVENTS_PER_PEER_MAX

_HERE = ""


class Inbox:
    """One reader. Answers are bounded by the work that asked for them; the rest by limits.

    Each peer has a line of its own, and the lines take turns: whoever floods only waits longer.
    """

    def __init__(
        self,
        events_max: int = INBOX_EVENTS_MAX,
        events_per_peer_max: int = INBOX_EVENTS_PER_PEER_MAX,
        bytes_per_peer_max: int = INBOX_BYTES_PER_PEER_MAX,
    ) -> None:
        self._answers: deque[Event] = deque()
        self._lines: dict[str, _Line] = {}
        self._count = 0
        self._events_max = events_max
        self._events_per_peer_max = events_per_peer_max
        self._bytes_per_peer_max = bytes_per_peer_max
        self._pool: PoolChanged | None = None
        self._some = trio.Event()

    def answer(self, event: Event) -> None:
        """Put an event that must not be lost, ahead of what peers sent."""
        self._answers.append(event)
        self._some.set()

    def offer(self, event: Event) -> bool:
        """Put an event from outside; False when full: PROTOCOL §6 repeats what matters."""
        size = _size(event)
        peer = getattr(event, "peer", _HERE)
        line = self._lines.get(peer) or _Line()
        full = (
            len(line.events) >= self._events_per_peer_max
            or line.bytes_held + size > self._bytes_per_peer_max
        )
        # That a link came or went is news of ours, and rare: the peer's own flood is not its end.
        said = isinstance(event, FrameReceived | BlockReceived)
        if self._count >= self._events_max or (said and full):
            return False
        line.events.append(event)
        line.bytes_held += size
        self._lines[peer] = line
        self._count += 1
        self._some.set()
        return True

    def pool(self, event: PoolChanged) -> None:
        """Put the pool's present size; only the newest one is kept."""
        self._pool = event
        self._some.set()

    async def take(self, deadline: float) -> Event | None:
        """The next event, or None when `deadline` (trio's clock) has come."""
        while True:
            if self._answers:
                return self._answers.popleft()
            if trio.current_time() >= deadline:
                return None
            if self._pool is not None:
                pool, self._pool = self._pool, None
                return pool
            if self._lines:
                return self._next_in_turn()
            self._some = trio.Event()
            with trio.move_on_at(deadline):
                await self._some.wait()

    def _next_in_turn(self) -> Event:
        peer = next(iter(self._lines))
        line = self._lines.pop(peer)
        event = line.events.popleft()
        line.bytes_held -= _size(event)
        self._count -= 1
        if line.events:
            self._lines[peer] = line
        return event


class _Line:
    __slots__ = ("bytes_held", "events")

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.bytes_held = 0


def _size(event: Event) -> int:
    if isinstance(event, FrameReceived):
        return len(event.data)
    if isinstance(event, BlockReceived):
        return len(event.block.data)
    return 0
