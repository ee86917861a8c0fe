"""What waits for the replica: answers to its own work first, then what peers sent."""

from __future__ import annotations

from collections import deque

import trio

from consensus.interface import Event, PoolChanged
from node.limits import INBOX_EVENTS_MAX


class Inbox:
    """One reader. Answers are bounded by the work that asked for them; the rest by a limit."""

    def __init__(self, events_max: int = INBOX_EVENTS_MAX) -> None:
        self._answers: deque[Event] = deque()
        self._events: deque[Event] = deque()
        self._events_max = events_max
        self._pool: PoolChanged | None = None
        self._some = trio.Event()

    def answer(self, event: Event) -> None:
        """Put an event that must not be lost, ahead of what peers sent."""
        self._answers.append(event)
        self._some.set()

    def offer(self, event: Event) -> bool:
        """Put an event from outside; False when full: PROTOCOL §6 repeats what matters."""
        if len(self._events) >= self._events_max:
            return False
        self._events.append(event)
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
            if self._events:
                return self._events.popleft()
            self._some = trio.Event()
            with trio.move_on_at(deadline):
                await self._some.wait()
