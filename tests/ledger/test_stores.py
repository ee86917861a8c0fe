"""Both stores behave alike, and damage on disk is told, never read past."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import TIME_MS, check_signatures, genesis, transaction

from ledger.chain import Chain
from ledger.errors import FormatUnknown, StoreCorrupted
from ledger.integrity import check_chain
from ledger.leveldb_store import LevelDBStore
from ledger.store import MemoryStore, Store

GENESIS = genesis()


@pytest.mark.parametrize("kind", ["memory", "leveldb"])
def test_a_store_keeps_orders_and_deletes(kind: str, tmp_path: Path) -> None:
    store: Store = MemoryStore() if kind == "memory" else LevelDBStore(tmp_path / "c", create=True)
    store.write([(b"a1", b"x"), (b"b", b""), (b"a2", b"y"), (b"a3", b"z"), (b"b", b"w")])
    assert store.get(b"b") == b"w"
    assert store.scan(b"a", b"a1", 1) == [(b"a2", b"y")]
    assert store.scan(b"a", b"", 9) == [(b"a1", b"x"), (b"a2", b"y"), (b"a3", b"z")]
    store.write([(b"a2", None), (b"missing", None)])
    assert store.get(b"a2") is None
    assert store.scan(b"a", b"a1", 9) == [(b"a3", b"z")]
    store.close()


def test_a_folder_that_is_missing_taken_or_lost_its_index_is_told(tmp_path: Path) -> None:
    path = tmp_path / "chain"
    with pytest.raises(StoreCorrupted):
        LevelDBStore(path, create=False)
    store = LevelDBStore(path, create=True)
    with pytest.raises(OSError, match="cannot open"):
        LevelDBStore(path, create=False)
    store.write([(b"key", b"value")])
    store.close()
    (path / "CURRENT").unlink()
    for create in (True, False):
        with pytest.raises(StoreCorrupted):
            LevelDBStore(path, create=create)


def test_a_flipped_byte_is_never_read_as_a_value(tmp_path: Path) -> None:
    path = tmp_path / "chain"
    entries = [(b"k%05d" % i, b"value %d" % i * 20) for i in range(2000)]
    store = LevelDBStore(path, create=True)
    store.write(entries)
    store.close()
    LevelDBStore(path, create=False).close()  # the log becomes a table
    table = max(path.glob("*.ldb"), key=lambda file: file.stat().st_size)
    good = table.read_bytes()
    wrong = 0
    for place in range(100, len(good) - 100, len(good) // 20):
        table.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
        wrong += _damage_is_told(path, entries)
    assert wrong > 10


def _damage_is_told(path: Path, entries: list[tuple[bytes, bytes]]) -> bool:
    try:
        store = LevelDBStore(path, create=False)
    except StoreCorrupted:
        return True
    told = False
    try:
        for key, value in entries:
            try:
                assert store.get(key) == value
            except StoreCorrupted:
                told = True
    finally:
        store.close()
    return told


def long_chain(store: Store) -> Chain:
    chain = Chain.create(store, GENESIS, check_signatures)
    for number in range(1, 4):
        pair = [transaction(GENESIS, batch_no=2 * number + i) for i in (0, 1)]
        built, _ = chain.build(pair, TIME_MS + number, 0)
        assert built is not None
        chain.append(built, b"certificate %d" % number, number)
    return chain


def check(store: Store) -> str | None:
    def verify(header: object, certificate: bytes, validators: object) -> str | None:
        return None if certificate.startswith(b"certificate") else "no quorum"

    return check_chain(store, GENESIS, check_signatures, verify, lambda height, last: None)


def test_a_whole_chain_passes() -> None:
    store = MemoryStore()
    long_chain(store)
    assert check(store) is None


HEIGHT_2 = (2).to_bytes(8, "big")


def test_the_first_thing_that_differs_is_named() -> None:
    reference = MemoryStore()
    chain = long_chain(reference)
    entries = [entry for prefix in (b"b", b"c", b"h", b"m", b"p", b"s", b"t")
               for entry in reference.scan(prefix, b"", 100)]  # fmt: skip
    pages = [key for key, _ in entries if key.startswith(b"p")]
    assert len(pages) > 1
    assert len(entries) == 3 + 3 * 4 + 2 * 6 + len(pages)
    for key, value in entries:
        for damaged in (None, value[:-1] + bytes([(value[-1] if value else 0) ^ 1])):
            if key == b"mhead" and damaged is not None:
                continue  # its last byte is the journal's record number, which no block holds
            if key.startswith(b"c") and damaged is not None:
                damaged = b"another"
            store = MemoryStore()
            store.write([*entries, (key, damaged)])
            assert check(store) is not None, key
    store = MemoryStore()
    store.write([*entries, (b"b" + HEIGHT_2, reference.get(b"b" + (1).to_bytes(8, "big")))])
    assert str(check(store)).startswith("height 2:")
    assert chain.head.height == 3


def test_an_entry_that_no_block_gives_is_named() -> None:
    for key in (
        b"t" + bytes(32), b"s" + b"batch/K77G\xff", b"h" + bytes(32), b"b" + b"\xff" * 8, b"p\xff"
    ):  # fmt: skip
        store = MemoryStore()
        long_chain(store)
        store.write([(key, b"x")])
        assert check(store) is not None


@pytest.mark.parametrize("written", [None, b"2", b"\xff"])
def test_a_store_of_another_format_or_of_none_is_refused(written: bytes | None) -> None:
    store = MemoryStore()
    long_chain(store)
    store.write([(b"mformat", written)])
    with pytest.raises(FormatUnknown, match="this version reads 1"):
        Chain.open(store, GENESIS, check_signatures)
    assert "format" in str(check(store))


@pytest.mark.parametrize("key", [b"b" + HEIGHT_2, b"c" + HEIGHT_2])
def test_a_hole_below_the_head_is_found_when_the_chain_is_opened(key: bytes) -> None:
    store = MemoryStore()
    long_chain(store)
    store.write([(key, None)])
    with pytest.raises(StoreCorrupted, match="height 2"):
        Chain.open(store, GENESIS, check_signatures)
