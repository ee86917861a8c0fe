"""A crash at every step boundary of a run, each in a process of its own that goes on from there.

The run is a simulated network of four with the real replica, guard, ledger and journal format. At
each moment at which the victim may die (before and after its records are appended, synced, before
each frame, before and after a block is stored) the process forks: the child crashes the victim
there, starts it again and runs on until everybody has some more blocks; the parent runs on.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass, field
from functools import partial

from consensus import Replica
from consensus.interface import BlockApplied, Environment, Event, Now, Output, Start
from node.guard import VoteGuard
from node.simulation.cluster import make_cluster
from node.simulation.host import Host
from node.simulation.real_ledger import RealLedgers
from node.simulation.signatures import KeyedHashRing
from node.simulation.world import World

VALIDATORS = 4
DOWN_MS = 40  # between the crash and the start
MORE_BLOCKS = 2
SPACING_MS = 60  # between two transactions
END_MS = 30 * 60_000  # of virtual time, for a network that never gets there
CHILDREN_MAX = os.cpu_count() or 1
FINE = b"fine"
TOLD_BYTES_MAX = 4_000  # less than a pipe holds: nobody reads before the child has ended


class GuardedReplica(Replica):
    """A replica whose every signature passes a guard made from its journal, as in a node."""

    def __init__(self, start: Start, environment: Environment) -> None:
        self.guard = VoteGuard(start.journal, start.head.height, start.epoch)
        super().__init__(start, _Guarded(environment, self.guard))

    def step(self, event: Event, now: Now) -> Output:
        if isinstance(event, BlockApplied):
            self.guard.moved(event.height, event.epoch)
        return super().step(event, now)


class _Guarded:
    def __init__(self, inner: Environment, guard: VoteGuard) -> None:
        self.verify = inner.verify
        self.read_header, self.read_block = inner.read_header, inner.read_block
        self._inner, self._guard = inner, guard

    def sign(self, message: bytes) -> bytes:
        self._guard.check(message)
        return self._inner.sign(message)


@dataclass
class CrashRun:
    """One run of `blocks` blocks with a victim; every `stride`-th moment from `first` is tried."""

    seed: int
    victim: str
    blocks: int
    first: int = 0
    stride: int = 1
    moments: int = 0
    tried: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.seed)
        self.cluster = make_cluster(
            self.world, VALIDATORS, 0, GuardedReplica, KeyedHashRing(), RealLedgers
        )
        self.hosts = list(self.cluster.hosts.values())
        self.target = self.cluster.hosts[self.victim]
        self._goal = self.blocks
        self._children: dict[int, tuple[int, int]] = {}
        self._report: int | None = None  # the child's pipe; None in the parent

    def go(self) -> CrashRun:
        """Run to the end, with a child for each moment that is tried."""
        self.target.dies = self._dies  # type: ignore[method-assign]
        try:
            self._run()
        except BaseException:
            if self._report is None:
                raise
            self.faults.append(traceback.format_exc())
        if self._report is not None:
            os.write(self._report, "; ".join(self.faults).encode()[:TOLD_BYTES_MAX] or FINE)
            os._exit(0)
        while self._children:
            self._collect()
        return self

    def _run(self) -> None:
        for host in self.hosts:
            host.start()
        # Numbers ending in 4 and 9 claim a batch that is taken.
        numbers = [number for number in range(3 * self.blocks) if number % 5 != 4]
        for place, number in enumerate(numbers):
            transaction = self.cluster.ledgers.transaction(number)
            self.world.after(1 + place * SPACING_MS, partial(self._submit, transaction))
        if not self.world.run_for(END_MS, self._reached):
            self.faults.append(f"nobody gets to {self._goal}: {[_height(h) for h in self.hosts]}")
        self.faults += self.world.violations
        audit = self.target.app.audit()
        if audit is not None:
            self.faults.append(audit)

    def _submit(self, transaction: bytes) -> None:
        for host in self.hosts:
            host.submit(transaction)

    def _reached(self) -> bool:
        return all(host.alive and _height(host) >= self._goal for host in self.hosts)

    def _dies(self) -> bool:
        """A moment at which the victim may die; in the child that is made here, it does."""
        self.moments += self._report is None
        if self._report is None and self.moments % self.stride == self.first % self.stride:
            if len(self._children) == CHILDREN_MAX:
                self._collect()
            if self._fork():
                self._goal = max(map(_height, self.hosts)) + MORE_BLOCKS
                self.target.crash()
                self.world.after(DOWN_MS, self.target.start)
        return not self.target.alive

    def _fork(self) -> bool:
        """Whether this is the child."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            self._children[pid] = (reading, self.moments)
            self.tried += 1
            return False
        self._report, self.faults = writing, []
        return True

    def _collect(self) -> None:
        pid, _ = os.wait()
        reading, moment = self._children.pop(pid)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        if told != FINE:
            said = told.decode(errors="replace") or "the child died"
            self.faults.append(f"moment {moment} of {self.victim}: {said}")


def _height(host: Host) -> int:
    return host.app.head.header.height


if __name__ == "__main__":
    seed, blocks, stride = map(int, sys.argv[2:])
    run = CrashRun(seed, sys.argv[1], blocks, seed, stride).go()
    print(f"{run.victim}: {run.tried} of {run.moments} moments, {len(run.faults)} faults")
    print("\n".join(run.faults))
    sys.exit(bool(run.faults))
