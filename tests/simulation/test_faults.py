"""Disks that betray, clocks that stand, liars of every kind: each happens as it is told."""

from __future__ import annotations

import dataclasses
import random

import pytest
from click.testing import CliRunner

from consensus.interface import Validator
from ledger.errors import LedgerError
from node.cli.simulate import simulate
from node.simulation import run_simulation
from node.simulation.byzantine import ROLES, corrupt, separate
from node.simulation.checkers import Checkers
from node.simulation.cluster import Formats, add_twin, make_cluster
from node.simulation.disk import JournalDisk
from node.simulation.faults import repair, scrub
from node.simulation.host import Host
from node.simulation.limits import SECTOR_BYTES
from node.simulation.machine import real_replica
from node.simulation.plan import DISK_DAMAGES, Plan, draw_plan
from node.simulation.real_ledger import RealLedger, RealLedgers
from node.simulation.shared import Cluster
from node.simulation.signatures import KeyedHashRing, SignatureRegister
from node.simulation.store import DAMAGES
from node.simulation.world import World

SET = tuple(Validator(f"r{i}", bytes([i]) * 32, f"peer{i}") for i in range(4))
NOW_MS = 1_800_000_000_000


def chain_of(blocks: int) -> RealLedger:
    made = RealLedgers(SET, SET, Formats(KeyedHashRing()))
    ledger = made.new()
    for number in range(blocks):
        block = ledger.build([made.transaction(5 * number)], NOW_MS + number, 0)
        assert block is not None
        ledger.append(block, b"", number)
    return ledger


def running(seed: int = 0, blocks: int = 6) -> Cluster:
    """Four replicas with a few blocks, and quiet links."""
    cluster = make_cluster(World(seed), 4, 0, real_replica, KeyedHashRing(), RealLedgers)
    for host in cluster.hosts.values():
        host.start()
    for number in range(blocks):
        for host in cluster.hosts.values():
            host.submit(cluster.ledgers.transaction(5 * number))
        cluster.world.run_for(500)
    assert all(host.app.head.header.height == blocks for host in cluster.hosts.values())
    return cluster


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_chain_is_found_by_a_check_and_is_never_read_wrongly(kind: str) -> None:
    found = 0
    for seed in range(40):
        ledger = chain_of(4)
        told = [ledger.stored(height) for height in range(1, 5)]
        ledger.damage(kind, random.Random(seed))
        for height in range(1, 5):
            try:
                read = ledger.stored(height)
            except LedgerError:
                continue
            assert read is None or read == told[height - 1], "damage is an error or an absence"
        try:
            ledger.reopen()
            found += ledger.audit() is not None
        except LedgerError:
            found += 1
    # A lost last block leaves a chain that is whole, and lower.
    assert found >= (0 if kind == "lost write" else 38)


def test_a_crash_may_keep_any_subset_of_what_was_not_synced() -> None:
    seen = set()
    for seed in range(60):
        disk = JournalDisk()
        disk.scatters = True
        disk.append((b"a" * SECTOR_BYTES, b"b" * SECTOR_BYTES))
        disk.crash(random.Random(seed))
        bodies = disk._durable[24:]
        seen.add((b"a" in bodies, b"b" in bodies))
    assert {(True, True), (True, False), (False, True), (False, False)} <= seen


def test_an_older_journal_ends_where_it_is_told() -> None:
    for upto in range(1, 6):
        disk = JournalDisk()
        disk.append((b"a", b"b"))
        disk.sync()
        disk.compact((b"c",))
        disk.append((b"d", b"e"))
        disk.sync()
        disk.lose_from(upto)
        assert disk.records == (b"c", b"d", b"e")[: max(0, upto - 3)]
        assert disk.last_record == upto - 1


def lost_chain(host: Host) -> None:
    host.store_damaged = True
    host.crash()
    host.broken = True
    repair(host)


def test_a_lost_chain_beside_a_whole_journal_votes_again_only_when_it_has_caught_up() -> None:
    cluster = running()
    host = cluster.hosts["r1"]
    host.compact()
    lost_chain(host)
    assert host.machine is not None
    assert "blocks were lost" in (host.machine.status(host.now).observe or "")
    repair(host)
    assert host.app.head.header.height == 0, "not before it has caught up"
    cluster.world.run_for(5_000)
    assert host.app.head.header.height == 6
    repair(host)
    assert host.machine.status(host.now).observe is None
    assert cluster.world.violations == []


def test_a_lost_chain_beside_a_lost_journal_never_votes_again() -> None:
    cluster = running()
    host = cluster.hosts["r1"]
    host.disk.gone = True
    lost_chain(host)
    cluster.world.run_for(5_000)
    repair(host)
    assert host.machine is not None
    assert host.app.head.header.height == 6
    assert host.machine.status(host.now).observe == "the journal is missing"


def test_a_chain_that_does_not_read_stops_its_replica() -> None:
    cluster = running()
    host = cluster.hosts["r1"]
    host.store_damaged = True
    for seed in range(200):
        host.app.damage("bit", random.Random(seed))
    for other in ("r0", "r3"):
        cluster.network.cut(other, "r2")
    lost_chain(cluster.hosts["r2"])
    cluster.world.run_for(5_000)
    assert not host.alive, "it was asked for blocks"
    assert host.broken
    cluster.network.heal()
    scrub(host)
    repair(host)
    cluster.world.run_for(5_000)
    assert host.app.audit() is None


def test_a_lost_block_that_was_acknowledged_is_found() -> None:
    cluster = running()
    host = cluster.hosts["r1"]
    host.crash()
    host.app.damage("lost write", random.Random(0))
    host.start()
    assert any("lost a block that it had acknowledged" in each for each in cluster.world.violations)


@pytest.mark.parametrize("damage", DISK_DAMAGES)
def test_each_betrayal_of_a_disk_is_survived(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(chance: random.Random, validators: int) -> Plan:
        plan = draw_plan(chance, validators)
        return dataclasses.replace(plan, liars=(), sets=(), damage=damage, real_ledger=True)

    monkeypatch.setattr("node.simulation.runner.draw_plan", drawn)
    said: list[str] = []
    for seed in range(6):
        result = run_simulation(seed, blocks=10, explain=said.append)
        assert result.violations == (), f"{damage}: seed {seed}"
    assert sum(f"betrays it: {damage}" in line for line in said) == 6
    if "chain" in damage:
        assert any("begins its chain anew" in line or "blocks were lost" in line for line in said)
    else:
        assert any(" starts at head " in line and ", the journal " in line for line in said)


@pytest.mark.parametrize("role", ROLES)
def test_each_liar_is_survived(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(chance: random.Random, validators: int) -> Plan:
        plan = draw_plan(chance, validators)
        liars = (role,) * ((validators - 1) // 3)
        return dataclasses.replace(plan, liars=liars, sets=(), damage="", real_ledger=True)

    monkeypatch.setattr("node.simulation.runner.draw_plan", drawn)
    for seed, validators in ((0, 4), (1, 4), (2, 7)):
        result = run_simulation(seed, validators=validators, blocks=8)
        assert result.violations == (), f"{role}: seed {seed}, n = {validators}"
        assert result.byzantine == "+".join([role] * ((validators - 1) // 3))


def test_colluders_live_in_two_networks_that_share_no_honest_replica() -> None:
    cluster = make_cluster(World(3), 7, 0, real_replica, KeyedHashRing(), RealLedgers)
    for name in ("r0", "r1"):
        corrupt(cluster.hosts[name], "colluder")
        corrupt(add_twin(cluster, cluster.hosts[name]), "colluder")
    separate(cluster, ["r0", "r1"])
    network, honest = cluster.network, ["r2", "r3", "r4", "r5", "r6"]
    network.heal()

    def reached(name: str) -> set[str]:
        return {other for other in honest if network.passes(name, other)}

    assert reached("r0") == reached("r1")
    assert reached("r0'") == reached("r1'") == set(honest) - reached("r0")
    assert network.passes("r0", "r1")
    assert not network.passes("r0", "r0'")
    assert not network.passes("r0", "r1'")


def test_a_clock_may_stand_still() -> None:
    world = World(0)
    cluster = make_cluster(world, 1, 0, real_replica, KeyedHashRing(), RealLedgers)
    host = cluster.hosts["r0"]
    host.frozen_ms = 5
    walls, monos = [], []
    for _ in range(2):
        world.run_for(1_000)
        walls.append(host.now.wall_ms)
        monos.append(host.now.mono_ms)
    assert walls[0] == walls[1]
    assert monos[1] - monos[0] == 1_000


def test_sizes_name_everything_that_grows() -> None:
    """A part of the state that can hold several entries has a size with a limit."""
    from consensus.sizes import sizes
    from consensus.state import State

    cluster = running()
    machine = cluster.hosts["r0"].machine
    assert machine is not None
    state = machine._state  # type: ignore[attr-defined]
    assert isinstance(state, State)
    growing = [
        each.name
        for each in dataclasses.fields(State)
        if isinstance(getattr(state, each.name), dict | list)
    ]
    assert len(sizes(state)) >= len(growing) + 3, growing
    assert all(0 <= size.count <= size.limit for size in sizes(state))


def test_an_explained_line_says_where_the_replica_stands() -> None:
    said: list[str] = []
    run_simulation(3, blocks=3, explain=said.append)
    assert any(line[9:].startswith("P v0 h0") and " ← " in line for line in said)
    assert any(line[9:].startswith("B v0 h1") for line in said)
    assert all(len(line) < 300 for line in said)


def test_explaining_changes_nothing_and_the_command_repeats_the_run() -> None:
    silent = run_simulation(11, blocks=4)
    told = run_simulation(11, blocks=4, explain=lambda line: None)
    assert silent.trace_hash == told.trace_hash
    words = silent.command.split()
    assert words[:2] == ["kilochain", "simulate"]
    done = CliRunner().invoke(simulate, words[2:])
    assert done.exit_code == 0, done.output
    assert silent.trace_hash[:16] in done.output


def test_a_violation_ends_with_the_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def doubt(self: Checkers, name: str, height: int) -> None:
        self._world.violate(f"agreement: {name} doubts {height}")

    monkeypatch.setattr(Checkers, "on_applied", doubt)
    first = CliRunner().invoke(simulate, ["--seed", "5", "--count", "2", "--blocks", "3"])
    assert first.exit_code == 1
    told = [line.strip() for line in first.output.splitlines() if "--explain" in line]
    assert len(told) == 2
    again = CliRunner().invoke(simulate, told[0].split()[2:])
    broken = [line for line in first.output.splitlines() if "agreement" in line]
    assert again.exit_code == 1
    assert broken[0] in again.output


def test_a_part_that_outgrows_its_limit_is_named() -> None:
    from consensus.sizes import Size

    world = World(0)
    checkers = Checkers(world, SignatureRegister(KeyedHashRing()))
    checkers.on_sizes("r0", (Size("votes", 96, 96), Size("bodies", 193, 192)))
    assert [line.split(": ", 1)[1] for line in world.violations] == [
        "bounded memory: r0 has 193 bodies, 192 are allowed"
    ]
