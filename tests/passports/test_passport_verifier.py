"""The verifier of passports: what it counts again by itself, and what no byte can change."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from passport_world import VECTORS, World, compact, genesis_of, key_of, payload, validator

from consensus.interface import Validator
from consensus.quorum import replica_set
from consensus.wire import vote_bytes
from ledger.blocks import validators_hash
from ledger.errors import InvalidPassport
from ledger.identifiers import format_id
from ledger.passport import encode_passport
from ledger.passport_agreement import commit_bytes, quorum, validator_set
from ledger.passport_verifier import Verdict, batch_key, unchanged_since, verify_passport
from ledger.proofs import make_passport
from ledger.state import batch_key as stored_key
from node.keys import verify

FILE: dict[str, Any] = json.loads(VECTORS.read_text())
GOOD = {each["name"]: each for each in FILE["good"]}
GENESIS = genesis_of(4)


def kilogram(number: int, serial: int = 1) -> str:
    return format_id("K77G", number, serial)


def verdict(world: World, text: str, current: bool = False) -> Verdict:
    found = verify_passport(
        encode_passport(make_passport(world, text, current)), world.genesis.data, verify
    )
    assert found.valid, found.failed
    return found


@pytest.fixture
def world() -> World:
    made = World.of(GENESIS)
    made.register(1)
    made.register(2, 3)
    return made


@pytest.mark.parametrize("n", range(1, 31))
def test_quorum_votes_and_sets_are_those_of_agreement(n: int) -> None:
    voters = [Validator(f"v{i}", bytes([i]) * 32, f"peer-{i}") for i in range(n)]
    assert quorum(n) == replica_set(voters).quorum
    digest = hashlib.sha256(bytes([n])).digest()
    for view, height in ((0, 1), (n, 2**53 - 1)):
        own = commit_bytes("tests-0011223344556677", view, height, digest)
        assert own == vote_bytes("tests-0011223344556677", "commit", view, height, digest)
    members = [replace(validator(v.name), key=v.key, peer_id=v.peer) for v in voters]
    rows = [(v.key, v.name, v.peer) for v in voters]
    assert validator_set(0, rows).hash == validators_hash(members)


@pytest.mark.parametrize(("producer", "number"), [("K77G", 1), ("ZZZZ", 33_554_431), ("0000", 0)])
def test_the_key_of_a_batch_is_that_of_the_state(producer: str, number: int) -> None:
    assert batch_key(producer, number) == stored_key(producer, number)


def test_any_quorum_will_do(world: World) -> None:
    text = kilogram(2)
    passport = make_passport(world, text)
    assert passport.registration
    header = bytes(passport.registration.block.header)
    for voters in ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3), (0, 1, 2, 3)):
        world.blocks[2] = replace(world.blocks[2], certificate=world.certificate(header, voters, 9))
        assert verdict(world, text).valid


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kilogram_current", "absent_other_entry", "between_the_changes"])
def test_no_single_byte_can_be_changed_to_another_verdict(name: str) -> None:
    genesis = FILE["genesis"][GOOD[name]["genesis"]].encode()
    data = compact(GOOD[name]["passport"]).encode()
    first = verify_passport(data, genesis, verify)
    said = (first.claim, first.id, first.proven, first.not_proven)
    for place in range(len(data)):
        for change in (1, 32, 1 + hashlib.sha256(place.to_bytes(4, "big")).digest()[0] % 255):
            changed = data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
            found = verify_passport(changed, genesis, verify)
            if found.valid:
                assert (found.claim, found.id, found.proven, found.not_proven) == said
            else:
                assert not found.proven


def test_a_verifier_that_trusts_no_signature_accepts_nothing() -> None:
    for each in GOOD.values():
        genesis = FILE["genesis"][each["genesis"]].encode()
        data = compact(each["passport"]).encode()
        found = verify_passport(data, genesis, lambda key, message, signature: False)
        assert found.failed is not None
        assert found.failed.name in ("validators", "agreement")


@pytest.mark.parametrize("genesis", [b"", b"{}", b"[]", b"\xff", b"x" * 5_000_000])
def test_a_genesis_that_does_not_read_fails_its_step(genesis: bytes) -> None:
    data = compact(GOOD["batch"]["passport"]).encode()
    found = verify_passport(data, genesis, verify)
    assert found.failed is not None
    assert found.failed.name == "genesis"


def test_the_words_say_what_is_proven_and_what_is_not(world: World) -> None:
    there = verdict(world, kilogram(2))
    assert "1000 g" in there.proven[0]
    assert "Invented K77G" in there.proven[0]
    assert any("assay" in each for each in there.not_proven)
    assert any("time after the registration" in each for each in there.not_proven)
    current = verdict(world, kilogram(2, 3), current=True)
    assert "500 g" in current.proven[0]
    assert "block 2" in current.proven[1]
    assert current.not_proven[-1].endswith("after block 2")
    absent = verdict(world, kilogram(99))
    assert "not registered up to block 2" in absent.proven[0]
    beyond = verdict(world, kilogram(2, 4))
    assert "3 kilograms and not one more" in beyond.proven[0]


# --- two passports of one batch -------------------------------------------------------------------


def test_a_batch_that_still_stands_is_unchanged(world: World) -> None:
    old = verdict(world, kilogram(2))
    world.register(4)
    older = verdict(world, kilogram(2, 0), current=True)
    world.register(5)
    new = verdict(world, kilogram(2, 3), current=True)
    for each in (old, older, new):
        assert "up to block 4" in unchanged_since(each, new)


def test_what_two_passports_cannot_show_is_refused(world: World) -> None:
    old = verdict(world, kilogram(2), current=True)
    absent = verdict(world, kilogram(7))
    other = verdict(world, kilogram(3), current=True)
    world.register(7)
    new = verdict(world, kilogram(2), current=True)
    came = verdict(world, kilogram(7), current=True)
    broken = verify_passport(b"{}", GENESIS, verify)
    for first, second, why in (
        (old, verdict(world, kilogram(2)), "no state"),
        (new, old, "older"),
        (other, new, "two batches"),
        (absent, came, "without a registration"),
        (broken, new, "proves nothing"),
        (old, broken, "proves nothing"),
    ):
        with pytest.raises(InvalidPassport, match=why) as raised:
            unchanged_since(first, second)
        assert raised.value.step == "unchanged"


def test_another_registration_or_another_place_is_a_change(world: World) -> None:
    old = verdict(world, kilogram(2))
    again = World.of(GENESIS)
    again.salt = 99
    again.register(2)
    with pytest.raises(InvalidPassport, match="another registration"):
        unchanged_since(old, verdict(again, kilogram(2), current=True))
    signed = world.transaction(payload(2), salt=(2).to_bytes(16, "big"))
    moved = World.of(GENESIS)
    moved.add([signed])
    with pytest.raises(InvalidPassport, match="stands elsewhere"):
        unchanged_since(old, verdict(moved, kilogram(2), current=True))
    foreign = World.of(genesis_of(7))
    foreign.register(1)
    foreign.register(2)
    with pytest.raises(InvalidPassport, match="two chains"):
        unchanged_since(old, verdict(foreign, kilogram(2), current=True))


def test_the_verifier_looks_at_signatures_with_the_keys_of_the_set(world: World) -> None:
    asked: list[bytes] = []

    def check(key: bytes, message: bytes, signature: bytes) -> bool:
        asked.append(key)
        return verify(key, message, signature)

    data = encode_passport(make_passport(world, kilogram(1)))
    assert verify_passport(data, GENESIS, check).valid
    voters = [key_of(f"v{i}").public for i in (1, 2, 3)]
    assert asked == [*voters, key_of("K77G").public]
