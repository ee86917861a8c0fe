"""Passports made from real chains: of every ID, while blocks are appended, and their size."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from passport_world import TIME_MS, World, genesis_of, payload, validator

from ledger.blocks import header_digest
from ledger.chain import Chain
from ledger.errors import InvalidIdentifier, NotRegistered, StoreCorrupted
from ledger.genesis import parse_genesis
from ledger.identifiers import format_id
from ledger.leveldb_store import LevelDBStore
from ledger.passport import Passport, Sibling, encode_passport
from ledger.passport_verifier import Verdict, verify_passport
from ledger.proofs import make_passport
from ledger.state import batch_key
from ledger.state_proof import path_of
from ledger.store import MemoryStore, Store, Write
from ledger.transactions import Transaction, parse_transaction
from node.keys import verify

GENESIS = genesis_of(4)
SAMPLES = sorted((Path(__file__).parents[2] / "seeds" / "batches").glob("*.json"))
SIZE_MAX = 8_192  # bytes of a passport of an ordinary registration


class RealChain:
    """The ledger's own chain, its blocks agreed on by the keys of a world."""

    def __init__(self, store: Store) -> None:
        self.world = World.of(GENESIS)
        self.chain = Chain.create(store, parse_genesis(GENESIS), _well_signed)

    def register(self, *numbers: int) -> int:
        """A block of batches; its height."""
        signed = [self.world.transaction(payload(number)) for number in numbers]
        height = self.chain.head.height + 1
        executed, refused = self.chain.build(
            [parse_transaction(each) for each in signed], TIME_MS + height, 0
        )
        assert executed is not None
        assert not refused
        certificate = self.world.certificate(executed.block.header_bytes)
        return self.chain.append(executed, certificate, 0).height

    def verdict(self, text: str, current: bool = False) -> Verdict:
        """What a verifier says of the passport that this chain gives."""
        return verify_passport(
            encode_passport(make_passport(self.chain, text, current)), GENESIS, verify
        )


def _well_signed(transactions: Sequence[Transaction]) -> list[bool]:
    return [verify(t.envelope.key, t.signing_bytes, t.signature) for t in transactions]


@pytest.fixture
def real() -> RealChain:
    made = RealChain(MemoryStore())
    made.register(1)
    made.register(*range(2, 12))
    return made


def kilogram(number: int, serial: int = 1) -> str:
    return format_id("K77G", number, serial)


@pytest.mark.parametrize("current", [False, True])
@pytest.mark.parametrize("number", [1, 2, 11])
@pytest.mark.parametrize("serial", [0, 1, 2, 3])
def test_a_registered_id_has_a_passport(
    real: RealChain, number: int, serial: int, current: bool
) -> None:
    found = real.verdict(kilogram(number, serial), current)
    assert found.valid
    assert found.claim == "registered"
    assert ("state" in [step.name for step in found.steps]) is current


@pytest.mark.parametrize("current", [False, True])
@pytest.mark.parametrize(
    "text", [kilogram(2, 4), kilogram(12), kilogram(12, 0), format_id("ZZZZ", 1, 1)]
)
def test_an_id_that_nobody_registered_has_one_too(
    real: RealChain, text: str, current: bool
) -> None:
    found = real.verdict(text, current)
    assert found.valid
    assert found.claim == "not_registered"


def test_ids_are_read_as_people_type_them(real: RealChain) -> None:
    assert real.verdict("re1-k77g-0000i-000l" + kilogram(1)[16:].lower()).id == kilogram(1)


def test_a_mistyped_id_gets_no_passport(real: RealChain) -> None:
    right = kilogram(1)
    with pytest.raises(InvalidIdentifier) as raised:
        make_passport(real.chain, right[:-1] + ("0" if right[-1] != "0" else "1"))
    assert raised.value.code == "E_CHECK"


def test_a_chain_without_a_block_can_show_nothing() -> None:
    with pytest.raises(NotRegistered, match="no block"):
        make_passport(RealChain(MemoryStore()).chain, kilogram(1))


def test_a_passport_stays_valid_while_the_chain_goes_on(real: RealChain) -> None:
    before = encode_passport(make_passport(real.chain, kilogram(2), current=True))
    real.register(50)
    assert verify_passport(before, GENESIS, verify).valid
    again = make_passport(real.chain, kilogram(2))
    assert encode_passport(again) == encode_passport(make_passport(real.chain, kilogram(2)))


@pytest.mark.parametrize("key", [b"b", b"c"])
def test_a_block_that_is_missing_is_named(key: bytes) -> None:
    store = MemoryStore()
    real = RealChain(store)
    real.register(1)
    real.register(2)
    store.write([(key + (1).to_bytes(8, "big"), None)])
    with pytest.raises(StoreCorrupted, match="block 1 is missing"):
        make_passport(real.chain, kilogram(1))
    assert real.verdict(kilogram(2)).valid


def test_a_block_that_does_not_read_is_named(real: RealChain) -> None:
    store = MemoryStore()
    broken = RealChain(store)
    broken.register(1)
    store.write([(b"b" + (1).to_bytes(8, "big"), b"\x92\xc4")])
    with pytest.raises(StoreCorrupted, match="block 1 does not read"):
        make_passport(broken.chain, kilogram(1))


class WatchedStore(MemoryStore):
    """A store that lets somebody read right after each batch, before the chain goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.after: Callable[[], None] = lambda: None

    def write(self, writes: Sequence[Write]) -> None:
        """Apply every write, then let somebody look."""
        super().write(writes)
        self.after()


def test_a_block_that_is_stored_and_not_yet_the_head_can_be_shown() -> None:
    store = WatchedStore()
    real = RealChain(store)
    found: list[Verdict] = []
    store.after = lambda: found.append(real.verdict(kilogram(1), current=True))
    real.register(1)
    assert [each.claim for each in found] == ["registered"]
    assert found[0].valid


def test_passports_are_whole_while_blocks_are_appended(tmp_path: Path) -> None:
    store = LevelDBStore(tmp_path / "chain", create=True)
    real = RealChain(store)
    real.register(1)
    done = threading.Event()
    failed: list[BaseException] = []

    def append() -> None:
        try:
            for block in range(1, 60):
                real.register(*range(100 * block, 100 * block + 10))
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    writer = threading.Thread(target=append)
    writer.start()
    seen = set()
    while not done.is_set() or len(seen) < 2:
        newest = real.chain.head.height
        for text in (kilogram(1), kilogram(100 * newest + 3), kilogram(100 * newest + 103)):
            passport = make_passport(real.chain, text, current=True)
            found = verify_passport(encode_passport(passport), GENESIS, verify)
            assert found.valid, found.failed
            assert passport.state
            seen.add(header_digest(passport.state.block.header))
    writer.join()
    store.close()
    assert not failed


# --- chains whose validators changed --------------------------------------------------------------


def test_the_maker_adds_the_changes_that_count_and_no_more() -> None:
    world = World.of(GENESIS)
    world.register(1)
    five = [validator(f"v{i}") for i in range(5)]
    world.add([world.transaction(payload(2))], following=five)
    world.register(3)
    world.add([world.transaction(payload(4))], following=five[2:])
    world.register(5)
    for number, current, changes in (
        (1, False, 0),
        (2, False, 0),
        (3, False, 1),
        (4, False, 1),
        (5, False, 2),
        (1, True, 2),
        (9, False, 2),
    ):
        passport = make_passport(world, kilogram(number), current)
        assert len(passport.validator_changes) == changes
        assert verify_passport(encode_passport(passport), GENESIS, verify).valid


def test_a_chain_has_the_set_of_its_genesis(real: RealChain) -> None:
    assert real.chain.validator_sets == ((1, parse_genesis(GENESIS).validators),)


# --- size -----------------------------------------------------------------------------------------


def _in_a_block_of_a_thousand(document: dict[str, Any]) -> Passport:
    world = World.of(GENESIS)
    signed = world.transaction(document)
    world.add([signed, *(b"entry %d" % i for i in range(999))], proposer=3)
    return make_passport(world, format_id("K77G", document["batch_no"], 1), current=True)


def _state_of_a_million() -> tuple[int, int]:
    """The most siblings that are not empty, and the most at all, of a proof among 10^6 batches."""
    keys = (batch_key(code, i) for code in ("K77G", "S3PA") for i in range(1, 500_001))
    paths = sorted(int.from_bytes(path_of(key), "big") for key in keys)
    shared = [0, *(256 - (a ^ b).bit_length() for a, b in _pairs(paths)), 0]
    depths = [max(a, b) + 1 for a, b in _pairs(shared)]
    full: dict[int, list[int]] = {}
    for path, depth in zip(paths, depths, strict=True):
        full.setdefault(depth, []).append(path)
    deep = [path for depth in sorted(full)[-12:] for path in full[depth]]
    return max(_filled(paths, path) for path in deep), max(depths)


def _filled(paths: list[int], path: int) -> int:
    """Of the subtrees beside a path's way, those that hold a leaf."""
    found = 0
    for depth in range(256):
        first = (path >> (255 - depth) ^ 1) << (255 - depth)
        at = bisect_left(paths, first)
        found += at < len(paths) and paths[at] < first + (1 << (255 - depth))
    return found


def _pairs(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    return pairwise(values)


@pytest.mark.slow
def test_a_current_passport_of_an_ordinary_batch_is_smaller_than_8_kb() -> None:
    filled, most = _state_of_a_million()
    assert filled < most
    siblings = tuple([Sibling(b"\xa5" * 32)] * filled + [Sibling(32)] * (most - filled))
    sizes = {}
    for path in SAMPLES:
        passport = _in_a_block_of_a_thousand(json.loads(path.read_text()))
        assert passport.registration
        assert passport.state
        assert len(passport.registration.path) == 10
        state = msgspec.structs.replace(passport.state, siblings=siblings)
        data = encode_passport(msgspec.structs.replace(passport, state=state))
        sizes[path.name] = (len(passport.registration.transaction), len(data))
    for name, (transaction, size) in sizes.items():
        print(f"{name}: transaction {transaction} B, passport {size} B")
        assert size < SIZE_MAX or transaction > 1_300, name
        assert size < 4_700 + 3 * transaction
    ordinary = [size for _, size in sizes.values() if size < SIZE_MAX]
    print(f"{filled} of {most} siblings; {len(ordinary)} of {len(sizes)} below {SIZE_MAX} B")
    assert len(ordinary) >= 24
