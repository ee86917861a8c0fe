"""The virtual clock, the event heap and the trace: the only source of order and of chance."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable

from node.simulation.limits import EVENTS_MAX

Action = Callable[[], None]


class World:
    """Virtual time in milliseconds, events in (time, sequence) order, one `random.Random(seed)`."""

    def __init__(self, seed: int, explain: Callable[[str], None] | None = None) -> None:
        self.random = random.Random(seed)
        self.now_ms = 0
        self.violations: list[str] = []
        self._heap: list[tuple[int, int, Action]] = []
        self._sequence = 0
        self._explain = explain
        self._trace = hashlib.sha256()

    def after(self, delay_ms: int, action: Action) -> None:
        """Run `action` `delay_ms` from now; equal times keep the order of their calls."""
        assert delay_ms >= 0
        self._sequence += 1
        heapq.heappush(self._heap, (self.now_ms + delay_ms, self._sequence, action))

    def note(self, line: str, standing: Callable[[], str] | None = None) -> None:
        """Add one line to the trace. When the run is explained, it is shown, and `standing` too."""
        self._trace.update(f"{self.now_ms:>8} {line}\n".encode())
        if self._explain is not None:
            said = "" if standing is None else standing()
            self._explain(f"{self.now_ms:>8} {said:<10} {line}")

    def violate(self, line: str) -> None:
        """Record a broken property; the run goes on, so that its consequences can be read."""
        text = f"at {self.now_ms} ms: {line}"
        self.note(f"VIOLATION {line}")
        if text not in self.violations:
            self.violations.append(text)

    @property
    def trace_hash(self) -> str:
        """SHA-256 over every trace line so far, in hex."""
        return self._trace.hexdigest()

    def run_for(self, duration_ms: int, until: Callable[[], bool] | None = None) -> bool:
        """Run for `duration_ms`, or until the predicate holds. Returns whether it came to hold."""
        end_ms = self.now_ms + duration_ms
        while self._heap and self._heap[0][0] <= end_ms:
            if until is not None and until():
                return True
            if self._sequence > EVENTS_MAX:
                self.violate(f"more than {EVENTS_MAX} events")
                return False
            self.now_ms, _, action = heapq.heappop(self._heap)
            action()
        self.now_ms = end_ms
        return until is not None and until()
