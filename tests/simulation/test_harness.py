"""The simulator itself: its disk loses, its clock is virtual, its checkers find what is planted."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import msgpack
import pytest
from stand_in import Alone, CertifiesNothing, KeepsTooMuch, SendsUnpersisted, Stalls, vote

from consensus.interface import Validator
from node.journal import JournalDamaged
from node.simulation import run_simulation
from node.simulation.application import (
    LedgersFactory,
    ToyLedger,
    ToyLedgers,
    note_transaction,
    set_transaction,
)
from node.simulation.checkers import Checkers, quorum_of
from node.simulation.cluster import Formats
from node.simulation.disk import JournalDisk
from node.simulation.limits import RIVAL_EVERY
from node.simulation.network import LinkFaults, SimulatedNetwork
from node.simulation.real_ledger import RealLedgers
from node.simulation.signatures import KeyedHashRing, SignatureRegister, frame_kind
from node.simulation.world import World

SET = tuple(Validator(f"r{i}", bytes([i]) * 32, f"peer{i}") for i in range(4))


def test_a_crash_keeps_a_prefix_of_what_was_not_synced_and_all_that_was() -> None:
    kept = set()
    for seed in range(200):
        disk = JournalDisk()
        disk.append((b"a",))
        disk.sync()
        disk.append((b"b", b"c"))
        disk.crash(random.Random(seed))
        kept.add(disk.records)
        assert disk.last_record == len(disk.records)
    assert kept == {(b"a",), (b"a", b"b"), (b"a", b"b", b"c")}


def test_equal_times_keep_the_order_of_their_calls() -> None:
    world, seen = World(0), []
    for number in range(5):
        world.after(10, lambda number=number: seen.append(number))
    world.run_for(10)
    assert seen == [0, 1, 2, 3, 4]
    assert world.now_ms == 10


def test_a_cut_is_one_way_and_also_stops_what_is_under_way() -> None:
    world = World(0)
    network, seen = SimulatedNetwork(world), []
    network.send("a", "b", "x", lambda: seen.append("early"))
    network.cut("a", "b")
    network.send("a", "b", "x", lambda: seen.append("late"))
    network.send("b", "a", "x", lambda: seen.append("back"))
    world.run_for(1_000)
    assert seen == ["back"]


def test_a_link_loses_and_duplicates_as_often_as_it_is_told() -> None:
    world = World(1)
    network, seen = SimulatedNetwork(world), []
    network.faults = LinkFaults(loss_permille=500, duplicate_permille=1000)
    for _ in range(1_000):
        network.send("a", "b", "x", lambda: seen.append(1))
    world.run_for(1_000)
    assert 800 < len(seen) < 1_200


def test_the_toy_ledger_takes_a_transaction_once_and_changes_the_set() -> None:
    ledger = ToyLedger(SET, SET)
    block = ledger.build([note_transaction(1), set_transaction(2, ["r0", "r1"])], 5, 0)
    assert block is not None
    ledger.append(ledger.read_block(block.data), b"", 0)
    assert ledger.head.validators == SET[:2]
    assert ledger.head.epoch == 2
    assert not ledger.admits(note_transaction(1))
    with pytest.raises(ValueError, match="does not execute"):
        ledger.append(block, b"", 0)


def test_quorums_are_those_of_the_table() -> None:
    assert [quorum_of(n) for n in range(1, 11)] == [1, 2, 2, 3, 4, 4, 5, 6, 6, 7]


def test_a_frame_is_named_by_what_it_begins_with() -> None:
    assert frame_kind(msgpack.packb(["pre-prepare", "chain", 0])) == "pre-prepare"
    assert [frame_kind(data) for data in (b"", b"\xc1", b"\x91\x01")] == ["garbage"] * 3


def test_a_second_digest_for_one_vote_is_a_double_sign() -> None:
    world, ring, disk = World(0), KeyedHashRing(), JournalDisk()
    register, key = SignatureRegister(ring), ring.public(bytes(32))
    checkers = Checkers(world, register)
    for digest in (bytes(32), b"x" * 32):
        frame = msgpack.packb([register.sign(key, vote("c", "commit", 1, digest))])
        disk.append((frame,))
        disk.sync()
        checkers.on_send("r0", key, disk, frame)
    assert [line.split(": ")[1] for line in world.violations] == ["double sign"]


def test_two_blocks_at_one_height_break_agreement() -> None:
    world, ring = World(0), KeyedHashRing()
    register = SignatureRegister(ring)
    members = (Validator("r0", ring.public(bytes(32)), "peer0"),)
    checkers = Checkers(world, register)
    for number in (1, 2):
        ledger = ToyLedger(members, members)
        block = ledger.build([note_transaction(number)], 5, 0)
        assert block is not None
        signature = register.sign(members[0].key, vote("c", "commit", 1, block.digest))
        checkers.on_append(f"r{number}", ledger, block, msgpack.packb([signature]))
    assert [line.split(": ")[1] for line in world.violations] == ["agreement"]


@pytest.mark.parametrize("seed", range(20))
def test_a_single_validator_and_an_observer_survive_every_fault(seed: int) -> None:
    result = run_simulation(seed, validators=1, blocks=10)
    assert result.violations == (), result.command
    assert min(result.heights) > 0


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (SendsUnpersisted, "persisted before sent"),
        (CertifiesNothing, "certificate"),
        (Stalls, "liveness"),
        (KeepsTooMuch, "bounded memory"),
    ],
)
def test_a_planted_fault_is_found_and_named(planted: type[Alone], found: str) -> None:
    result = run_simulation(1, validators=1, blocks=3, factory=planted, ledgers=ToyLedgers)
    assert any(found in line for line in result.violations)
    assert "--seed 1" in result.command


def test_one_seed_gives_one_trace_under_any_hash_seed() -> None:
    code = (
        "from node.simulation import run_simulation\n"
        "print(*[run_simulation(7, validators=n, blocks=5).trace_hash for n in (1, 4, 5, 7)])"
    )
    traces = set()
    for hash_seed in ("0", "1", "12345"):
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": root}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        traces.add(done.stdout)
    assert len(traces) == 1


def test_a_flipped_bit_is_seen_or_falls_into_what_a_crash_may_tear() -> None:
    outcomes = set()
    for seed in range(100):
        disk = JournalDisk()
        disk.append((b"a", b"b"))
        disk.sync()
        disk.rot(random.Random(seed))
        try:
            outcomes.add(disk.records)
        except JournalDamaged:
            outcomes.add("damaged")
    assert outcomes == {"damaged"}


def test_a_clogged_link_keeps_the_order_of_what_waits() -> None:
    world, seen = World(0), []
    network = SimulatedNetwork(world)
    network.clog("a", "b")
    for number in range(3):
        network.send("a", "b", "x", lambda number=number: seen.append(number))
        world.run_for(1_000)
    assert seen == []
    network.unclog("a", "b")
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("ledgers", [ToyLedgers, RealLedgers])
def test_a_ledger_that_lies_is_refused_and_an_audit_tells(ledgers: LedgersFactory) -> None:
    made = ledgers(SET, SET, Formats(KeyedHashRing()))
    liar, honest = made.new(), made.new()
    liar.lies = True
    block = liar.build([made.transaction(1)], 1_800_000_000_000, 0)
    assert block is not None
    assert honest.execute(honest.read_block(block.data)) is not None
    good = honest.build([made.transaction(1)], 1_800_000_000_000, 0)
    assert good is not None
    honest.append(good, b"no certificate", 0)
    assert (honest.audit() is None) == (ledgers is ToyLedgers)


def test_a_rival_registration_is_refused_once_the_first_is_in() -> None:
    made = RealLedgers(SET, SET, Formats(KeyedHashRing()))
    first, rival = made.transaction(RIVAL_EVERY - 2), made.transaction(RIVAL_EVERY - 1)
    ledger = made.new()
    block = ledger.build([first, rival], 1_800_000_000_000, 0)
    assert block is not None
    assert ledger.transactions(block) == (first,)
    assert first != rival
