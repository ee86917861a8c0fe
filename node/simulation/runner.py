"""One run: build the cluster, let the faults loose, heal, and see that everything commits.

Heights are those of the honest replicas that are not dead for ever. The same seed and arguments
give the same trace hash on every machine.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from node.simulation.application import LedgersFactory, ToyLedgers, set_transaction
from node.simulation.byzantine import TWO_BODIES, corrupt, separate
from node.simulation.checkers import quorum_of
from node.simulation.cluster import add_twin, make_cluster
from node.simulation.faults import Chaos
from node.simulation.host import Host
from node.simulation.limits import (
    HEALING_MS_MAX,
    LAST_TRANSACTION,
    REAL_KEYS_EVERY,
    SEEDS_AT_ONCE,
)
from node.simulation.machine import MachineFactory, real_replica
from node.simulation.plan import Plan, draw_membership, draw_plan
from node.simulation.real_ledger import RealLedgers
from node.simulation.result import SimulationResult
from node.simulation.signatures import Ed25519Ring, KeyedHashRing, KeyRing
from node.simulation.twins import run_twins
from node.simulation.world import World

Explain = Callable[[str], None]
DrawPlan = Callable[[random.Random, int], Plan]


class Simulation:
    """The state of one run."""

    def __init__(
        self, seed: int, validators: int, blocks: int, factory: MachineFactory, ring: KeyRing,
        explain: Explain | None, ledgers: LedgersFactory | None, draw: DrawPlan = draw_plan,
    ) -> None:  # fmt: skip
        self.world = World(seed, explain)
        self.plan = draw(self.world.random, validators)
        drawn = RealLedgers if self.plan.real_ledger else ToyLedgers
        self.cluster = make_cluster(
            self.world, validators, self.plan.extra, factory, ring, ledgers or drawn
        )
        made = self.cluster.ledgers
        self.transactions = [made.transaction(number) for number in range(blocks)]
        self._last = made.transaction(LAST_TRANSACTION)
        self._chaos = Chaos(self.cluster, self.plan, self.survivors)
        self.transactions += [set_transaction(at, each) for at, each in enumerate(self.plan.sets)]
        self._draw_cast()

    def run(self) -> int:
        """Chaos, healing, and the end. Returns the milliseconds that recovery took."""
        self._let_loose()
        self.world.run_for(self.plan.chaos_ms)
        self._heal()
        healed_ms = self.world.now_ms
        if not self.world.run_for(HEALING_MS_MAX, self._settled):
            waiting = ", ".join(f"{host.name} h{_height(host)}" for host in self.survivors())
            self.world.violate(f"liveness: not everything committed after healing ({waiting})")
        recovery_ms = self.world.now_ms - healed_ms
        # One heartbeat and the answers to it: who settled last has the newest block as well.
        self.world.run_for(HEALING_MS_MAX, self._level)
        for host in self.survivors():
            host.compact()
            self.cluster.checkers.on_end(host.name, host.app, host.disk)
        return recovery_ms

    def survivors(self) -> list[Host]:
        """Honest hosts that are not dead for ever."""
        hosts = self.cluster.hosts.values()
        return [host for host in hosts if host.honest and not host.stopped_for_ever]

    def _draw_cast(self) -> None:
        chosen = self.world.random.sample(range(self.plan.cast), len(self.plan.liars))
        pairs = list(zip(chosen, self.plan.liars, strict=True))
        for index, role in pairs:
            liar = self.cluster.hosts[f"r{index}"]
            corrupt(liar, role)
            if role in TWO_BODIES:
                corrupt(add_twin(self.cluster, liar), role)
        separate(self.cluster, [f"r{i}" for i, role in pairs if role == "colluder"])

    def _let_loose(self) -> None:
        world, plan = self.world, self.plan
        self._chaos.let_loose()
        for host in self.cluster.hosts.values():
            host.start()
        for transaction in self.transactions:
            world.after(world.random.randint(0, plan.chaos_ms), self._submitter(transaction))

    def _submitter(self, transaction: bytes) -> Callable[[], None]:
        def submit() -> None:
            host = self.world.random.choice(self.survivors())
            host.submit(transaction)
            host.gossip(transaction)

        return submit

    def _heal(self) -> None:
        self._chaos.heal()
        self._choose_the_dead()
        for host in self.survivors():
            if not host.alive:
                host.start()
        self.transactions.append(self._last)
        for transaction in self.transactions:
            self._submitter(transaction)()

    def _choose_the_dead(self) -> None:
        """Up to f replicas (liars and the one that observes are of them) never come back.

        In a set that is too small to spare a liar, as many as a quorum can do without.
        """
        if not self.plan.dead_for_ever:
            return
        smallest = self.plan.smallest
        lost = len(self.plan.liars) + (1 if self.plan.damage else 0)
        spare = (smallest - 1) // 3 - lost if lost else smallest - quorum_of(smallest)
        for host in self.world.random.sample(self.survivors(), max(0, spare)):
            host.crash()
            host.stopped_for_ever = True

    def _settled(self) -> bool:
        return all(
            host.alive and not any(host.admits(each) for each in self.transactions)
            for host in self.survivors()
        )

    def _level(self) -> bool:
        return all(_height(host) == self.cluster.checkers.height for host in self.survivors())


def _height(host: Host) -> int:
    return host.app.head.header.height


def run_simulation(
    seed: int,
    *,
    validators: int = 4,
    blocks: int = 20,
    explain: Explain | None = None,
    factory: MachineFactory = real_replica,
    ring: KeyRing | None = None,
    ledgers: LedgersFactory | None = None,
    membership: bool = False,
) -> SimulationResult:
    """Run one seed. `blocks`: transactions submitted during the faults; `explain` gets each line;
    `ledgers`: another ledger than the plan draws; `membership`: the validator set changes all the
    time.

    Pure: the result depends on the arguments alone.
    """
    if validators < 1 or blocks < 1:
        raise ValueError("a simulation needs at least one validator and one block")
    if ring is None:
        ring = Ed25519Ring() if seed % REAL_KEYS_EVERY == 0 else KeyedHashRing()
    draw = draw_membership if membership else draw_plan
    run = Simulation(seed, validators, blocks, factory, ring, explain, ledgers, draw)
    recovery_ms = run.run()
    return SimulationResult(
        seed,
        validators,
        run.world.trace_hash,
        tuple(run.world.violations),
        tuple(_height(host) for host in run.survivors()),
        "+".join(run.plan.liars) or None,
        run.world.now_ms,
        recovery_ms,
        f"kilochain simulate --seed {seed} --validators {validators} --blocks {blocks} "
        f"{'--membership ' if membership else ''}--explain",
    )


def simulate_range(
    first: int,
    count: int,
    *,
    validators: int = 4,
    blocks: int = 20,
    jobs: int = 1,
    twins: int | None = None,
    membership: bool = False,
    explain: Explain | None = None,
    on_result: Callable[[SimulationResult], None] | None = None,
) -> tuple[SimulationResult, ...]:
    """Run seeds `first` … `first + count − 1`. Returns those with a violation, in order.

    `jobs`: processes that run seeds side by side; `explain` needs one. `twins`: rounds; then seeds
    are numbers of Twins scenarios, and `validators` and `blocks` are theirs.
    """
    if jobs > 1 and explain is not None:
        raise ValueError("a run is explained in one process")
    run: Callable[..., SimulationResult]
    run = partial(run_simulation, validators=validators, blocks=blocks, membership=membership)
    if twins is not None:
        run = partial(run_twins, rounds=twins)
    failed = []
    for result in _results(partial(run, explain=explain), range(first, first + count), jobs):
        if on_result is not None:
            on_result(result)
        if not result.ok:
            failed.append(result)
    return tuple(failed)


def _results(
    run: Callable[[int], SimulationResult], seeds: range, jobs: int
) -> Iterator[SimulationResult]:
    if jobs == 1:
        yield from map(run, seeds)
        return
    pool = ProcessPoolExecutor(jobs, initializer=signal.signal, initargs=_DEAF)
    try:
        yield from pool.map(run, seeds, chunksize=SEEDS_AT_ONCE)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# Ctrl-C is the parent's to answer: a child that also did would print a traceback of its own.
_DEAF = (signal.SIGINT, signal.SIG_IGN)
