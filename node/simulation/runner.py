"""One run: build the cluster, let the faults loose, heal, and see that everything commits.

Heights are those of the honest replicas that are not dead for ever. The same seed and arguments
give the same trace hash on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.simulation.application import note_transaction, set_transaction
from node.simulation.byzantine import corrupt
from node.simulation.checkers import quorum_of
from node.simulation.cluster import add_twin, make_cluster
from node.simulation.host import Host
from node.simulation.limits import EXTRA_REPLICAS, HEALING_MS_MAX, REAL_KEYS_EVERY
from node.simulation.machine import MachineFactory, real_replica
from node.simulation.plan import Plan, draw_plan
from node.simulation.signatures import Ed25519Ring, KeyedHashRing, KeyRing
from node.simulation.world import World

Explain = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What one run showed. `command` reproduces it; `recovery_ms` is from healing to the end."""

    seed: int
    validators: int
    trace_hash: str
    violations: tuple[str, ...]
    heights: tuple[int, ...]
    byzantine: str | None
    virtual_ms: int
    recovery_ms: int
    command: str

    @property
    def ok(self) -> bool:
        """Whether every property held."""
        return not self.violations


class Simulation:
    """The state of one run."""

    def __init__(
        self, seed: int, validators: int, blocks: int, factory: MachineFactory, ring: KeyRing,
        explain: Explain | None,
    ) -> None:  # fmt: skip
        self.world = World(seed, explain)
        self.cluster = make_cluster(self.world, validators, EXTRA_REPLICAS, factory, ring)
        self.plan: Plan = draw_plan(self.world.random, validators)
        self.transactions = [note_transaction(number) for number in range(blocks)]
        self._draw_cast(validators)

    def run(self) -> int:
        """Chaos, healing, and the end. Returns the milliseconds that recovery took."""
        self._let_loose()
        self.world.run_for(self.plan.chaos_ms)
        self._heal()
        healed_ms = self.world.now_ms
        if not self.world.run_for(HEALING_MS_MAX, self._settled):
            waiting = ", ".join(f"{host.name} h{_height(host)}" for host in self.survivors())
            self.world.violate(f"liveness: not everything committed after healing ({waiting})")
        for host in self.survivors():
            if host.machine is not None:
                host.disk.compact(host.machine.durable_records())
            self.cluster.checkers.on_end(host.name, host.disk)
        return self.world.now_ms - healed_ms

    def survivors(self) -> list[Host]:
        """Honest hosts that are not dead for ever."""
        hosts = self.cluster.hosts.values()
        return [host for host in hosts if host.honest and not host.stopped_for_ever]

    def _draw_cast(self, validators: int) -> None:
        chance = self.world.random
        if self.plan.change_set:
            names = list(self.cluster.hosts)
            changed = names if chance.random() < 0.5 else names[: validators - 1]
            self.transactions.append(set_transaction(0, changed))
        if self.plan.byzantine is not None:
            liar = self.cluster.hosts[f"r{chance.randrange(validators - 1)}"]
            corrupt(liar, self.plan.byzantine)
            if self.plan.byzantine == "twin":
                corrupt(add_twin(self.cluster, liar), "twin")

    def _let_loose(self) -> None:
        world, plan = self.world, self.plan
        self.cluster.network.faults = plan.links
        self.cluster.crash_permille = plan.crash_permille
        for host in self.cluster.hosts.values():
            host.skew_ms = world.random.randint(-plan.skew_ms_max // 2, plan.skew_ms_max // 2)
            host.start()
        for transaction in self.transactions:
            world.after(world.random.randint(0, plan.chaos_ms), self._submitter(transaction))
        self._repeat(plan.crash_every_ms, self._crash_one)
        self._repeat(plan.pause_every_ms, self._pause_one)
        self._repeat(plan.partition_every_ms, self._partition)
        self._repeat(2_000, self._restart_one)

    def _repeat(self, period_ms: int, fault: Callable[[], None]) -> None:
        for at_ms in range(period_ms, self.plan.chaos_ms, period_ms) if period_ms else ():
            self.world.after(at_ms, fault)

    def _submitter(self, transaction: bytes) -> Callable[[], None]:
        def submit() -> None:
            host = self.world.random.choice(self.survivors())
            host.submit(transaction)
            host.gossip(transaction)

        return submit

    def _crash_one(self) -> None:
        self.world.random.choice(self.survivors()).crash()

    def _pause_one(self) -> None:
        duration_ms = self.world.random.randint(100, 8_000)
        self.world.random.choice(self.survivors()).pause(duration_ms)

    def _restart_one(self) -> None:
        dead = [host for host in self.survivors() if not host.alive]
        if dead:
            self.world.random.choice(dead).start()

    def _partition(self) -> None:
        network, chance = self.cluster.network, self.world.random
        names = list(self.cluster.hosts)
        for source in names:
            for target in names:
                network.mend(source, target)
        shape = chance.choice(("none", "halves", "one way"))
        self.world.note(f"the network is now cut: {shape}")
        if shape == "halves":
            chance.shuffle(names)
            at = chance.randint(1, len(names) - 1)
            network.partition([names[:at], names[at:]])
        elif shape == "one way":
            source, target = chance.choice(names), chance.choice(names)
            network.cut(source, target)

    def _heal(self) -> None:
        self.world.note("everything heals")
        self.cluster.network.heal()
        self.cluster.crash_permille = 0
        self._choose_the_dead()
        for host in self.survivors():
            if not host.alive:
                host.start()
        for transaction in [*self.transactions, note_transaction(1_000_000)]:
            self._submitter(transaction)()
        self.transactions.append(note_transaction(1_000_000))

    def _choose_the_dead(self) -> None:
        """Up to f replicas (the liar is one) never come back, in no set too many for its f."""
        if not self.plan.dead_for_ever:
            return
        sizes = {host.name: len(host.app.head.validators) for host in self.survivors()}
        smallest = min(sizes.values()) - (1 if self.plan.change_set else 0)
        lying = 1 if self.plan.byzantine is not None else 0
        spare = (smallest - 1) // 3 - lying if lying else smallest - quorum_of(smallest)
        for host in self.world.random.sample(self.survivors(), max(0, spare)):
            host.crash()
            host.stopped_for_ever = True

    def _settled(self) -> bool:
        return all(
            host.alive and not any(host.app.admits(each) for each in self.transactions)
            for host in self.survivors()
        )


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
) -> SimulationResult:
    """Run one seed. `blocks`: transactions submitted during the faults; `explain` gets each line.

    Pure: the result depends on the arguments alone.
    """
    if validators < 1 or blocks < 1:
        raise ValueError("a simulation needs at least one validator and one block")
    if ring is None:
        ring = Ed25519Ring() if seed % REAL_KEYS_EVERY == 0 else KeyedHashRing()
    run = Simulation(seed, validators, blocks, factory, ring, explain)
    recovery_ms = run.run()
    return SimulationResult(
        seed,
        validators,
        run.world.trace_hash,
        tuple(run.world.violations),
        tuple(_height(host) for host in run.survivors()),
        run.plan.byzantine,
        run.world.now_ms,
        recovery_ms,
        f"kilochain simulate --seed {seed} --validators {validators} --blocks {blocks} --explain",
    )


def simulate_range(
    first: int,
    count: int,
    *,
    validators: int = 4,
    blocks: int = 20,
    explain: Explain | None = None,
    on_result: Callable[[SimulationResult], None] | None = None,
) -> tuple[SimulationResult, ...]:
    """Run seeds `first` … `first + count − 1`. Returns those with a violation, in order."""
    failed = []
    for seed in range(first, first + count):
        result = run_simulation(seed, validators=validators, blocks=blocks, explain=explain)
        if on_result is not None:
            on_result(result)
        if not result.ok:
            failed.append(result)
    return tuple(failed)
