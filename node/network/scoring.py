"""Faults of peers, and who is refused for a while because of them."""

import time
from collections import deque

from node.network import limits


class Scores:
    """Counts faults within a window; past the limit the peer is refused for a while."""

    def __init__(self) -> None:
        self._faults: dict[str, deque[float]] = {}
        self._refused_until: dict[str, float] = {}

    def accuse(self, peer: str, weight: int = 1) -> bool:
        """Note a fault that counts `weight` times; True if the peer is to be dropped now."""
        now = time.monotonic()
        if peer not in self._faults and len(self._faults) >= limits.SCORED_PEERS_MAX:
            self._faults.pop(next(iter(self._faults)))
        faults = self._faults.setdefault(peer, deque(maxlen=limits.FAULTS_MAX))
        faults.extend([now] * weight)
        if len(faults) < limits.FAULTS_MAX or now - faults[0] > limits.FAULT_WINDOW_S:
            return False
        del self._faults[peer]
        self.refuse(peer, limits.REFUSAL_S)
        return True

    def refuse(self, peer: str, seconds: float) -> None:
        """Refuse the peer for this many seconds."""
        now = time.monotonic()
        self._refused_until = {p: t for p, t in self._refused_until.items() if t > now}
        self._refused_until[peer] = now + seconds

    def refused(self, peer: str) -> bool:
        """Whether the peer is refused now."""
        return self._refused_until.get(peer, 0.0) > time.monotonic()
