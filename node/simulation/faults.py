"""The faults of one run, let loose at the times that its plan says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from node.simulation.host import Host
from node.simulation.plan import Plan
from node.simulation.shared import Cluster

_RESTART_EVERY_MS = 2_000
_TEND_EVERY_MS = 2_000
_FROZEN_SHARE = 0.3
_SHAPES = ("none", "halves", "one way", "one alone", "ring", "deaf")


class Chaos:
    """Crashes, pauses, cuts, clogs, wrong clocks and failing disks among `victims()`."""

    def __init__(self, cluster: Cluster, plan: Plan, victims: Callable[[], list[Host]]) -> None:
        self._cluster, self._plan, self._victims = cluster, plan, victims
        self._world = cluster.world
        self._wrong_clocks: list[Host] = []
        self._damaged: Host | None = None

    def let_loose(self) -> None:
        """Draw the clocks, set the rates and plan every fault."""
        cluster, plan = self._cluster, self._plan
        cluster.network.faults = plan.links
        cluster.crash_permille = plan.crash_permille
        cluster.disk_error_permille = plan.disk_error_permille
        self._set_clocks()
        self._wrong_clocks = self._draw_wrong_clocks()
        self._repeat(plan.crash_every_ms, self._crash_one)
        self._repeat(plan.pause_every_ms, self._pause_one)
        self._repeat(plan.partition_every_ms, self._partition)
        self._repeat(plan.clog_every_ms, self._clog_one)
        self._repeat(plan.jump_every_ms, self._jump_one)
        self._repeat(_RESTART_EVERY_MS, self._restart_one)
        if plan.damage:
            self._world.after(self._world.random.randint(0, plan.chaos_ms), self._damage_one)
        self._tend()

    def heal(self) -> None:
        """No more faults; clocks are as good as they were at first."""
        self._world.note("everything heals")
        self._cluster.network.heal()
        self._cluster.crash_permille = self._cluster.disk_error_permille = 0
        self._set_clocks()
        for host in self._cluster.hosts.values():
            host.disk.scatters = False
        if self._damaged is not None:
            scrub(self._damaged)

    def _tend(self) -> None:
        """Operators look at their nodes now and then, also after everything has healed."""
        for host in self._victims():
            repair(host)
        self._world.after(_TEND_EVERY_MS, self._tend)

    def _set_clocks(self) -> None:
        reach = self._plan.skew_ms_max
        for host in self._cluster.hosts.values():
            host.skew_ms = self._world.random.randint(-reach // 2, reach // 2)
            host.frozen_ms = None

    def _repeat(self, period_ms: int, fault: Callable[[], None]) -> None:
        for at_ms in range(period_ms, self._plan.chaos_ms, period_ms) if period_ms else ():
            self._world.after(at_ms, fault)

    def _any(self) -> Host:
        return self._world.random.choice(self._victims())

    def _crash_one(self) -> None:
        self._any().crash()

    def _pause_one(self) -> None:
        self._any().pause(self._world.random.randint(100, 8_000))

    def _restart_one(self) -> None:
        dead = [host for host in self._victims() if not host.alive]
        if dead:
            self._world.random.choice(dead).start()

    def _draw_wrong_clocks(self) -> list[Host]:
        """f replicas, the liars first: a quorum with wrong clocks would write a wrong time."""
        hosts = list(self._cluster.hosts.values())
        honest = [host for host in self._victims() if host is not hosts[-1]]
        liars = [host for host in hosts if not host.honest]
        spare = (self._plan.smallest - 1) // 3 - len(self._plan.liars)
        return [*liars, *self._world.random.sample(honest, max(0, spare))]

    def _jump_one(self) -> None:
        if not self._wrong_clocks:
            return
        host, reach = self._world.random.choice(self._wrong_clocks), self._plan.jump_ms_max
        host.skew_ms = self._world.random.randint(-reach, reach)
        stands = self._world.random.random() < _FROZEN_SHARE
        host.frozen_ms = self._world.now_ms if stands else None
        said = "stands still" if stands else "runs"
        host.note(f"has a clock that is {host.skew_ms} ms off and {said}")

    def _clog_one(self) -> None:
        names, network = list(self._cluster.hosts), self._cluster.network
        source, target = (self._world.random.choice(names) for _ in range(2))
        network.clog(source, target)
        wait_ms = self._world.random.randint(10, 5_000)
        self._world.after(wait_ms, partial(network.unclog, source, target))
        self._world.note(f"{source}->{target} clogs for {wait_ms} ms")

    def _damage_one(self) -> None:
        """The disk of one replica betrays it; a journal that is not whole never votes again."""
        host, chance = self._any(), self._world.random
        part, _, kind = self._plan.damage.partition(": ")
        host.note(f"has a disk that betrays it: {self._plan.damage}")
        if kind == "scattered":
            host.disk.scatters = True
            return
        if "chain" in part:
            self._damaged, host.store_damaged = host, True
        if part == "chain" and kind != "lost":
            host.app.damage(kind, chance)
            return
        host.crash()
        host.broken = host.broken or "chain" in part
        if kind == "bit":
            host.disk.rot(chance)
        elif kind == "older":
            host.disk.lose_from(max(1, host.app.head.journal_record))
        elif "journal" in part:
            host.disk.gone = True

    def _partition(self) -> None:
        network, chance = self._cluster.network, self._world.random
        names = list(self._cluster.hosts)
        for source in names:
            for target in names:
                network.mend(source, target)
        shape = chance.choice(_SHAPES)
        self._world.note(f"the network is now cut: {shape}")
        chance.shuffle(names)
        if shape == "halves":
            at = chance.randint(1, len(names) - 1)
            network.partition([names[:at], names[at:]])
        elif shape == "one alone":
            network.partition([names[:1], names[1:]])
        elif shape == "one way":
            network.cut(names[0], names[-1])
        elif shape == "ring":
            self._ring(names)
        elif shape == "deaf":
            for source in names[1:]:
                network.cut(source, names[0])

    def _ring(self, names: list[str]) -> None:
        """Each reaches only its two neighbours."""
        size = len(names)
        for at, source in enumerate(names):
            for step in range(2, size - 1):
                self._cluster.network.cut(source, names[(at + step) % size])


def repair(host: Host) -> None:
    """What an operator does: a damaged chain goes, a journal stays, and the node starts.

    One that only waited for its chain to catch up with its journal is started again.
    """
    caught_up = host.waits_for is not None and host.waits_for <= host.app.head.header.height
    if not (host.broken or (host.alive and caught_up)):
        return
    host.crash()
    if host.broken:
        host.note("begins its chain anew")
        host.app.reset()
        host.broken = False
    host.start()


def scrub(host: Host) -> None:
    """Stop a node and check its whole chain: damage that nothing has read yet is found."""
    host.crash()
    fault = host.app.audit()
    if fault is not None:
        host.broken = True
        host.note(f"does not verify: {fault}")
