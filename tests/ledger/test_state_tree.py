"""The state tree against a model that builds the whole tree anew from a dict, with hashlib."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import TIME_MS, check_signatures, genesis, transaction

from ledger import state_proof, state_tree
from ledger.blocks import parse_header
from ledger.chain import Chain
from ledger.errors import StoreCorrupted
from ledger.leveldb_store import LevelDBStore
from ledger.state import batch_key
from ledger.state_pages import PAGE_PREFIX
from ledger.state_proof import EMPTY, StateProof, path_of, root_of
from ledger.state_tree import StateTree, prove, root_of_entries
from ledger.store import MemoryStore, Store

Batch = dict[bytes, bytes | None]
PathOf = Callable[[bytes], bytes]

# Few keys, so that batches meet: some of any length, and pairs that agree in many leading bits.
_FEW = [b"key %d" % number for number in range(40)]


def tagged(tag: str, data: bytes) -> bytes:
    return hashlib.sha256(tag.encode() + b"\0" + data).digest()


def path_by_hashlib(key: bytes) -> bytes:
    return tagged("kilochain/state-key/1", key)


def model_root(entries: dict[bytes, bytes], path: PathOf = path_by_hashlib) -> bytes:
    """The root by the definition: every subtree is split by the next bit until one leaf is left."""

    def root(leaves: dict[str, bytes], depth: int) -> bytes:
        if not leaves:
            return bytes(32)
        if len(leaves) == 1:
            return next(iter(leaves.values()))
        halves = ({bits: leaf for bits, leaf in leaves.items() if bits[depth] == way}
                  for way in "01")  # fmt: skip
        return tagged("kilochain/state-node/1", b"".join(root(half, depth + 1) for half in halves))

    leaves = {}
    for key, value in entries.items():
        at = path(key)
        leaf = tagged("kilochain/state-leaf/1", at + hashlib.sha256(value).digest())
        leaves[f"{int.from_bytes(at, 'big'):0256b}"] = leaf
    return root(leaves, 0)


class Kept:
    """A tree, its store, and a dict that says what should be in it."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = MemoryStore() if store is None else store
        self.tree = StateTree(self.store)
        self.root = EMPTY
        self.entries: dict[bytes, bytes] = {}

    def write(self, batch: Batch) -> None:
        update = self.tree.update(self.root, list(batch.items()))
        self.store.write(update.writes)
        self.tree.keep(update)
        self.root = update.root
        self.entries.update({key: value for key, value in batch.items() if value is not None})
        for key in [key for key, value in batch.items() if value is None]:
            self.entries.pop(key, None)

    def pages(self) -> list[tuple[bytes, bytes]]:
        return self.store.scan(PAGE_PREFIX, b"", 100_000)


def kept(*batches: Batch) -> Kept:
    found = Kept()
    for batch in batches:
        found.write(batch)
    return found


def alike_keys() -> Iterator[bytes]:
    """Keys whose neighbour's path agrees in at least 24 bits, as far as a birthday finds them."""
    seen: dict[bytes, bytes] = {}
    for number in range(30_000):
        key = b"batch/K77G" + number.to_bytes(4, "big")
        start = path_of(key)[:3]
        if start in seen:
            yield from (seen[start], key)
        seen[start] = key


ALIKE = list(alike_keys())
KEYS = st.one_of(st.sampled_from(_FEW), st.sampled_from(ALIKE), st.binary(max_size=8))
VALUES = st.one_of(st.none(), st.sampled_from([b"", b"a", b"b"]))
BATCHES = st.lists(st.dictionaries(KEYS, VALUES, max_size=12), max_size=8)


def test_some_paths_agree_in_24_bits() -> None:
    assert len(ALIKE) >= 20


@given(BATCHES)
def test_after_every_batch_the_root_is_that_of_the_entries(batches: list[Batch]) -> None:
    found = Kept()
    for batch in batches:
        found.write(batch)
        assert found.root == model_root(found.entries)
        assert found.root == root_of_entries(found.entries.items())


@given(BATCHES, st.data())
def test_order_and_batching_leave_no_trace(batches: list[Batch], data: st.DataObject) -> None:
    found = kept(*batches)
    at_once = kept(dict(found.entries))
    one_by_one = data.draw(st.permutations(sorted(found.entries)))
    singly = kept(*({key: found.entries[key]} for key in one_by_one))
    assert found.root == at_once.root == singly.root
    assert found.pages() == at_once.pages() == singly.pages()


@given(BATCHES)
def test_what_is_deleted_leaves_nothing(batches: list[Batch]) -> None:
    found = kept(*batches)
    found.write(dict.fromkeys(sorted(found.entries)))
    assert found.root == EMPTY
    assert found.pages() == []


@given(BATCHES, KEYS)
def test_a_proof_shows_what_is_there_and_nothing_else(batches: list[Batch], asked: bytes) -> None:
    found = kept(*batches)
    value = found.entries.get(asked)
    proof = prove(found.store, found.root, asked)
    assert root_of(asked, value, proof) == found.root
    for other in (None, b"", b"a", b"b", b"never written"):
        if other != value:
            assert root_of(asked, other, proof) != found.root
    for key in [*_FEW, *found.entries]:
        if key != asked and (value is not None or key in found.entries):
            assert root_of(key, value, proof) != found.root


@given(BATCHES, KEYS, st.data())
def test_a_proof_with_anything_changed_shows_nothing(
    batches: list[Batch], asked: bytes, data: st.DataObject
) -> None:
    found = kept(*batches)
    value, proof = found.entries.get(asked), prove(found.store, found.root, asked)
    siblings = proof.siblings
    changed = [
        StateProof((*siblings, EMPTY), proof.other),
        StateProof(siblings[:-1] if siblings else (bytes(32),), proof.other),
        StateProof(siblings, (bytes(32), bytes(32)) if proof.other is None else None),
    ]
    if siblings:
        at = data.draw(st.integers(0, len(siblings) - 1))
        bit = data.draw(st.integers(0, 255))
        turned = (int.from_bytes(siblings[at], "big") ^ 1 << bit).to_bytes(32, "big")
        changed.append(StateProof((*siblings[:at], turned, *siblings[at + 1 :]), proof.other))
    if proof.other is not None:
        path, digest = proof.other
        changed.append(StateProof(siblings, (path, bytes(32))))
        changed.append(StateProof(siblings, (path_of(asked), digest)))
    for wrong in changed:
        assert root_of(asked, value, wrong) != found.root


@given(BATCHES)
def test_the_cache_changes_no_result(batches: list[Batch]) -> None:
    found = Kept()
    for batch in batches:
        fresh = StateTree(found.store).update(found.root, list(batch.items()))
        used = found.tree.update(found.root, list(batch.items()))
        assert (used.root, used.writes) == (fresh.root, fresh.writes)
        assert found.tree.update(found.root, list(batch.items())).writes == used.writes
        found.write(batch)


@given(BATCHES)
def test_a_cache_that_missed_an_update_is_not_believed(batches: list[Batch]) -> None:
    found = Kept()
    late = StateTree(found.store)
    for batch in batches:
        expected = StateTree(found.store).update(found.root, list(batch.items()))
        assert late.update(found.root, list(batch.items())).writes == expected.writes
        found.write(batch)


@settings(max_examples=25)
@given(BATCHES)
def test_an_update_reads_and_writes_each_page_at_most_once(batches: list[Batch]) -> None:
    class Counting(MemoryStore):
        def get(self, key: bytes) -> bytes | None:
            read.append(key)
            return super().get(key)

    found = Kept(Counting())
    for batch in batches:
        read: list[bytes] = []
        update = StateTree(found.store).update(found.root, list(batch.items()))
        written = [key for key, _ in update.writes]
        assert len(set(read)) == len(read)
        assert len(set(written)) == len(written)
        found.write(batch)


def test_one_more_key_among_ten_thousand_reads_and_writes_few_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = kept({b"%d" % number: b"x" for number in range(10_000)})
    read = []
    real = state_tree.read_page
    monkeypatch.setattr(state_tree, "read_page", lambda *given: read.append(given) or real(*given))
    update = StateTree(found.store).update(found.root, [(b"another", b"x")])
    assert len(read) <= 5
    assert len(update.writes) <= 6


def test_paths_that_part_at_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    def itself(key: bytes) -> bytes:
        return key

    monkeypatch.setattr(state_tree, "path_of", itself)
    monkeypatch.setattr(state_proof, "path_of", itself)
    first = bytes(31) + b"\x02"
    keys = [(int.from_bytes(first, "big") ^ 1 << bit).to_bytes(32, "big") for bit in range(256)]
    found = Kept()
    for key in (first, keys[0], *keys[1::7]):
        found.write({key: b"x"})
        assert found.root == model_root(found.entries, itself)
    assert len(prove(found.store, found.root, first).siblings) == 256
    for key in (first, *keys):
        value = found.entries.get(key)
        assert root_of(key, value, prove(found.store, found.root, key)) == found.root
    for key in (keys[0], *keys[1::7]):
        found.write({key: None})
        assert found.root == model_root(found.entries, itself)
    assert len(found.pages()) == 1


def test_pages_are_the_same_after_the_store_was_opened_anew(tmp_path: Path) -> None:
    keys = [b"%d" % number for number in range(3000)]
    with closing(LevelDBStore(tmp_path / "c", create=True)) as store:
        found = Kept(store)
        found.write(dict.fromkeys(keys, b"x"))
        root, entries = found.root, found.entries
    with closing(LevelDBStore(tmp_path / "c", create=False)) as store:
        found = Kept(store)
        found.root, found.entries = root, entries
        found.write({**dict.fromkeys(keys[::2]), b"new": b"y"})
        assert found.root == model_root(found.entries)
        assert root_of(b"new", b"y", prove(store, found.root, b"new")) == found.root


def test_a_missing_and_a_misplaced_page_are_told() -> None:
    found = kept({b"%d" % number: b"x" for number in range(500)})
    pages = dict(found.pages())
    top, lower = PAGE_PREFIX + b"\0", [key for key in pages if key[1] == 1]
    changes: list[Batch] = [
        {top: None},
        {top: pages[lower[0]]},
        {top: pages[top][:-1]},
        {top: pages[top] + b"\0"},
        {top: b"\x21" + pages[top][1:]},
        {lower[0]: pages[lower[1]], lower[1]: pages[lower[0]]},
    ]
    for change in changes:
        store = MemoryStore()
        store.write([*pages.items(), *change.items()])
        with pytest.raises(StoreCorrupted):
            StateTree(store).update(found.root, [(b"%d" % n, b"y") for n in range(500)])
        with pytest.raises(StoreCorrupted):
            _ = [prove(store, found.root, b"%d" % number) for number in range(500)]


# --- the chain's proofs ------------------------------------------------------------------------


def test_a_chain_proves_what_is_registered_and_what_is_not() -> None:
    chain = Chain.create(MemoryStore(), genesis(), check_signatures)
    nothing = chain.state_proof(batch_key("K77G", 1))
    assert (nothing.value, nothing.proof, nothing.certificate) == (None, StateProof(()), b"")
    assert parse_header(nothing.header_bytes).state_root == EMPTY
    for number in range(1, 6):
        built, _ = chain.build([transaction(chain.genesis, batch_no=number)], TIME_MS + number, 0)
        assert built is not None
        chain.append(built, b"certificate %d" % number, number)
        for asked in range(1, 7):
            key = batch_key("K77G", asked)
            found = chain.state_proof(key)
            assert (found.value is not None) == (asked <= number)
            assert found.certificate == chain.head.certificate
            assert found.header_bytes == chain.head.header_bytes
            assert root_of(key, found.value, found.proof) == chain.head.state_root


def test_a_block_appended_in_the_middle_of_a_proof_is_not_in_it() -> None:
    class Overtaken(MemoryStore):
        meanwhile: Callable[[], object] = staticmethod(lambda: None)

        def snapshot(self) -> MemoryStore:
            found = super().snapshot()
            self.meanwhile()
            return found

    store = Overtaken()
    chain = Chain.create(store, genesis(), check_signatures)
    for number in range(1, 5):
        built, _ = chain.build([transaction(chain.genesis, batch_no=number)], TIME_MS + number, 0)
        assert built is not None
        if number == 4:
            break
        chain.append(built, b"certificate %d" % number, number)
    before = chain.head
    store.meanwhile = lambda: chain.append(built, b"certificate 4", 4)
    found = chain.state_proof(batch_key("K77G", 4))
    assert chain.head.height == 4
    assert (found.value, found.header_bytes) == (None, before.header_bytes)
    assert found.certificate == b"certificate 3"
    assert root_of(batch_key("K77G", 4), None, found.proof) == before.state_root


def test_a_proof_is_of_one_height_while_blocks_are_appended(tmp_path: Path) -> None:
    with closing(LevelDBStore(tmp_path / "c", create=True)) as store:
        chain = Chain.create(store, genesis(), check_signatures)
        all_signed = [transaction(chain.genesis, batch_no=number) for number in range(1, 121)]
        done = threading.Event()

        def append() -> None:
            try:
                for number in range(0, 120, 2):
                    pair = all_signed[number : number + 2]
                    built, _ = chain.build(pair, TIME_MS + number, 0)
                    assert built is not None
                    certificate = (number // 2 + 1).to_bytes(8, "big")
                    chain.append(built, certificate, 0)
            finally:
                done.set()

        writer = threading.Thread(target=append)
        writer.start()
        seen = []
        while not done.is_set() or not seen:
            key = batch_key("K77G", 1 + len(seen) % 120)
            found = chain.state_proof(key)
            header = parse_header(found.header_bytes)
            assert root_of(key, found.value, found.proof) == header.state_root
            assert int.from_bytes(found.certificate, "big") == header.height
            seen.append(header.height)
        writer.join()
        assert chain.head.height == 60
        assert seen == sorted(seen)


@pytest.mark.parametrize("damaged", [None, b"", b"\x90", b"\x93\xc4\x01x\xc4\x00\x00"])
def test_a_head_that_does_not_read_proves_nothing(damaged: bytes | None) -> None:
    store = MemoryStore()
    chain = Chain.create(store, genesis(), check_signatures)
    store.write([(b"mhead", damaged)])
    with pytest.raises(StoreCorrupted):
        chain.state_proof(batch_key("K77G", 1))


def test_a_value_that_is_not_the_trees_is_never_proven() -> None:
    store = MemoryStore()
    chain = Chain.create(store, genesis(), check_signatures)
    built, _ = chain.build([transaction(chain.genesis)], TIME_MS, 0)
    assert built is not None
    chain.append(built, b"certificate", 1)
    for damaged in (None, b"another"):
        store.write([(b"s" + batch_key("K77G", 1), damaged)])
        with pytest.raises(StoreCorrupted):
            chain.state_proof(batch_key("K77G", 1))
