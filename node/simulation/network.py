"""The network between hosts: delay, loss, duplication, reordering, cuts and clogged links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.simulation.limits import CLOGGED_MESSAGES_MAX
from node.simulation.world import World

Gate = Callable[[str, str, str, Callable[[], None]], bool]


@dataclass(slots=True)
class LinkFaults:
    """What may happen to a message. Delays in milliseconds; the rest are per-mille."""

    delay_ms_min: int = 1
    delay_ms_max: int = 20
    loss_permille: int = 0
    duplicate_permille: int = 0
    straggler_permille: int = 0
    straggler_ms_max: int = 5_000


class SimulatedNetwork:
    """Carries closures between named hosts; a cut is one-way, so that it can be asymmetric."""

    def __init__(self, world: World) -> None:
        self.faults = LinkFaults()
        self.gate: Gate | None = None
        self._world = world
        self._cut: set[tuple[str, str]] = set()
        self._walls: set[tuple[str, str]] = set()
        self._clogged: dict[tuple[str, str], list[Callable[[], None]]] = {}

    def cut(self, source: str, target: str) -> None:
        """Nothing passes from `source` to `target` until healed."""
        self._cut.add((source, target))

    def mend(self, source: str, target: str) -> None:
        """Undo one cut."""
        self._cut.discard((source, target))

    def wall(self, source: str, target: str) -> None:
        """Nothing ever passes from `source` to `target`, healed or not."""
        self._walls.add((source, target))

    def partition(self, groups: list[list[str]]) -> None:
        """Only hosts of the same group reach each other."""
        for group in groups:
            for source in group:
                for other in groups:
                    if other is not group:
                        for target in other:
                            self.cut(source, target)

    def clog(self, source: str, target: str) -> None:
        """What arrives on this link waits until it is unclogged."""
        self._clogged.setdefault((source, target), [])

    def unclog(self, source: str, target: str) -> None:
        """What waited arrives now, in order."""
        for arrive in self._clogged.pop((source, target), []):
            self._arrive(source, target, arrive)

    def heal(self) -> None:
        """Every cut is undone and every link is quick and reliable."""
        self._cut.clear()
        for source, target in list(self._clogged):
            self.unclog(source, target)
        self.faults = LinkFaults()

    def passes(self, source: str, target: str) -> bool:
        """Whether the link is not cut."""
        return (source, target) not in self._cut and (source, target) not in self._walls

    def send(self, source: str, target: str, kind: str, arrive: Callable[[], None]) -> None:
        """Have `arrive` called once, twice or never. A cut holds at departure and on arrival.

        A gate may take the message first (True): then it is the gate's to deliver or drop.
        """
        if not self.passes(source, target):
            return
        if self.gate is not None and self.gate(source, target, kind, arrive):
            return
        chance, faults = self._world.random, self.faults
        if chance.randrange(1000) < faults.loss_permille:
            return
        copies = 2 if chance.randrange(1000) < faults.duplicate_permille else 1
        for _ in range(copies):
            delay = chance.randint(faults.delay_ms_min, faults.delay_ms_max)
            if chance.randrange(1000) < faults.straggler_permille:
                delay += chance.randint(0, faults.straggler_ms_max)
            self._world.after(delay, lambda: self._arrive(source, target, arrive))

    def _arrive(self, source: str, target: str, arrive: Callable[[], None]) -> None:
        waiting = self._clogged.get((source, target))
        if waiting is not None:
            if len(waiting) < CLOGGED_MESSAGES_MAX:
                waiting.append(arrive)
        elif self.passes(source, target):
            arrive()
