"""Twins, systematically: two bodies under one key, and every way to cut five bodies apart.

After "Twins: BFT Systems Made Robust" (Bano et al., OPODIS 2021). Four replicas, of which one has a
second body with the same key. A scenario is the replica that has a twin, which decides whose views
it leads, and one partition of the five bodies for each round. In each round everybody's view timer
expires under that round's partition, and every body has work of its own, so that each primary has
another block to propose. Then the network heals. Nothing is drawn: a scenario is its number.

The three honest replicas must agree, commit nothing twice, and commit everything in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from consensus.interface import Heartbeat
from node.simulation.application import ToyLedgers
from node.simulation.byzantine import corrupt
from node.simulation.cluster import add_twin, make_cluster
from node.simulation.host import Host
from node.simulation.limits import (
    TIMEOUT_STEPS_MAX,
    TWIN_ROUND_MS,
    TWINS_HEALING_MS_MAX,
)
from node.simulation.machine import MachineFactory, real_replica
from node.simulation.network import LinkFaults
from node.simulation.result import SimulationResult
from node.simulation.signatures import KeyedHashRing
from node.simulation.world import World

REPLICAS = 4
_BODIES = REPLICAS + 1


def _partitions(count: int) -> Iterator[tuple[int, ...]]:
    """Every partition of `count` things: the group of each, groups numbered as they appear."""

    def extend(groups: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(groups) == count:
            yield groups
            return
        for group in range(max(groups) + 2):
            yield from extend((*groups, group))

    yield from extend((0,))


PARTITIONS = tuple(_partitions(_BODIES))


def scenarios(rounds: int) -> int:
    """How many scenarios of so many rounds there are."""
    return REPLICAS * int(len(PARTITIONS) ** rounds)


def scenario(number: int, rounds: int) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Which replica has a twin, and the partition of r0, r1, r2, r3 and the twin in each round.

    Numbers that follow each other differ in all digits, so that a part of them is a fair sample.
    """
    chosen, shift = [], 0
    rest, twin = divmod(number, REPLICAS)
    for _ in range(rounds):
        rest, digit = divmod(rest, len(PARTITIONS))
        # Shifted by the earlier digits: the last rounds do not wait for the first to repeat.
        shift = (shift * _STRIDE + digit) % len(PARTITIONS)
        chosen.append(PARTITIONS[shift])
    return twin, tuple(chosen)


_STRIDE = 23  # has no divisor in common with the number of partitions


class Twins:
    """The state of one scenario."""

    def __init__(
        self,
        number: int,
        rounds: int,
        factory: MachineFactory,
        explain: Callable[[str], None] | None,
    ) -> None:
        self.twin, self._partitions = scenario(number, rounds)
        self.world = World(number, explain)
        self.cluster = make_cluster(self.world, REPLICAS, 0, factory, KeyedHashRing(), ToyLedgers)
        self.cluster.network.faults = LinkFaults(delay_ms_min=1, delay_ms_max=1)
        self.cluster.heartbeats = False
        original = self.cluster.hosts[f"r{self.twin}"]
        corrupt(original, "twin")
        corrupt(add_twin(self.cluster, original), "twin")
        self.bodies = list(self.cluster.hosts.values())
        self.honest = [host for host in self.bodies if host.honest]
        self.transactions: list[bytes] = []

    def run(self) -> int:
        """All rounds, then healing. Returns the milliseconds that recovery took."""
        for host in self.bodies:
            host.start()
        for number, groups in enumerate(self._partitions):
            self._round(number, groups)
        self.cluster.network.heal()
        self.cluster.heartbeats = True
        healed_ms = self.world.now_ms
        self._work(self.honest, again=True)
        if not self.world.run_for(TWINS_HEALING_MS_MAX, self._settled):
            heads = ", ".join(f"{host.name} h{_height(host)}" for host in self.honest)
            self.world.violate(f"liveness: not everything committed after healing ({heads})")
        for host in self.honest:
            self.cluster.checkers.on_end(host.name, host.app, host.disk)
        return self.world.now_ms - healed_ms

    def _round(self, number: int, groups: tuple[int, ...]) -> None:
        network = self.cluster.network
        named = [
            [host.name for host, group in zip(self.bodies, groups, strict=True) if group == each]
            for each in range(max(groups) + 1)
        ]
        said = " | ".join(",".join(names) for names in named)
        self.world.note(f"round {number}: {said}")
        network.heal()
        network.faults = LinkFaults(delay_ms_min=1, delay_ms_max=1)
        network.partition(named)
        for host in self.bodies:
            host.take(Heartbeat())
        if number:
            self.world.run_for(TWIN_ROUND_MS)
            for host in self.bodies:
                _expire(host)
        self._work(self.bodies, again=False)
        self.world.run_for(TWIN_ROUND_MS)

    def _work(self, hosts: list[Host], *, again: bool) -> None:
        """A transaction of its own for each body, and all earlier ones again if so wished."""
        if again:
            for transaction in self.transactions:
                for host in hosts:
                    host.submit(transaction)
        for host in hosts:
            transaction = self.cluster.ledgers.transaction(len(self.transactions))
            self.transactions.append(transaction)
            host.submit(transaction)

    def _settled(self) -> bool:
        return len({_height(host) for host in self.honest}) == 1 and not any(
            host.app.admits(each) for host in self.honest for each in self.transactions
        )


def _height(host: Host) -> int:
    return host.app.head.header.height


def _expire(host: Host) -> None:
    """Let the view timer run out, if it runs."""
    if host.machine is None:
        return
    before = host.machine.status(host.now).view
    for _ in range(TIMEOUT_STEPS_MAX):
        if host.machine.status(host.now).view == before:
            host.expire()


def run_twins(
    number: int,
    *,
    rounds: int = 2,
    explain: Callable[[str], None] | None = None,
    factory: MachineFactory = real_replica,
) -> SimulationResult:
    """Run one scenario of `rounds` rounds. Pure: the result depends on the arguments alone."""
    if not 0 <= number < scenarios(rounds):
        raise ValueError(f"there are {scenarios(rounds)} scenarios of {rounds} rounds")
    run = Twins(number, rounds, factory, explain)
    recovery_ms = run.run()
    return SimulationResult(
        number,
        REPLICAS,
        run.world.trace_hash,
        tuple(run.world.violations),
        tuple(_height(host) for host in run.honest),
        f"twin of r{run.twin}",
        run.world.now_ms,
        recovery_ms,
        f"kilochain simulate --twins {rounds} --seed {number} --explain",
    )
