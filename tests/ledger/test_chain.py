"""The chain: building, executing, appending, and what it answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import HOUR_MS, TIME_MS, check_signatures, genesis, public_key, transaction

from ledger.blocks import build_block, parse_block
from ledger.chain import Chain
from ledger.errors import (
    GenesisError,
    InvalidBlock,
    InvalidIdentifier,
    InvalidTransaction,
    NotRegistered,
)
from ledger.identifiers import format_id
from ledger.leveldb_store import LevelDBStore
from ledger.store import MemoryStore
from ledger.transactions import Transaction, parse_transaction

GENESIS = genesis()


def new_chain(**changes: Any) -> Chain:
    return Chain.create(MemoryStore(), genesis(**changes), check_signatures)


def grow(chain: Chain, *transactions: Transaction, time_ms: int = TIME_MS) -> None:
    """Build a block, execute its bytes as a backup would, append it."""
    built, refused = chain.build(transactions, max(time_ms, chain.head.time_ms + 1), 0)
    assert built is not None
    assert not refused
    executed = chain.execute(parse_block(built.block.data))
    assert executed == built
    chain.append(executed, b"certificate", chain.head.height)


def test_a_block_is_built_executed_and_appended() -> None:
    chain = new_chain()
    first, second = (transaction(GENESIS, batch_no=number) for number in (1, 2))
    grow(chain, first, second)
    assert chain.head.height == 1
    anchor = chain.find_transaction(second.tx_id)
    assert anchor is not None
    assert (anchor.height, anchor.index, anchor.time_ms) == (1, 1, TIME_MS)
    assert chain.transaction(second.tx_id) == second
    stored = chain.stored_block(1)
    assert stored is not None
    assert parse_block(stored.data).transactions == (first, second)
    assert stored.certificate == b"certificate"
    assert chain.height_of(chain.head.digest) == 1
    header = chain.header(1)
    assert header is not None
    assert header.state_root == chain.head.state_root
    assert chain.stored_block(2) is None
    assert chain.header(-1) is None
    assert chain.epoch == 1


REFUSALS = [
    ("E_CHAIN", "chain_id", {"chain_id": "other"}),
    ("E_MEMBER", "member", {"member": "ZZZZ"}),
    ("E_ROLE", "member", {"member": "QAB1", "key": public_key("QAB1"), "facility": "QAB1-01"}),
    ("E_KEY", "key", {"key": public_key("S3PA")}),
    ("E_FACILITY", "facility", {"facility": "S3PA-01"}),
    ("E_EXPIRED", "valid_until_ms", {"valid_until_ms": TIME_MS}),
    ("E_EXPIRED", "valid_until_ms", {"valid_until_ms": TIME_MS + 24 * HOUR_MS + 1}),
    ("E_DATE", "produced_on", {"produced_on": "2026-11-20"}),
    ("E_UNITS", "units", {"units": 9}),
]


@pytest.mark.parametrize(("code", "field", "changes"), REFUSALS, ids=str)
def test_admission_and_building_refuse_alike(
    code: str, field: str, changes: dict[str, Any]
) -> None:
    chain, bad = new_chain(), transaction(GENESIS, **changes)
    for _ in range(2):
        with pytest.raises(InvalidTransaction) as caught:
            chain.admit(bad, TIME_MS)
        assert (caught.value.code, caught.value.field) == (code, field)
    block, refused = chain.build([bad], TIME_MS, 0)
    assert block is None
    assert [(each, error.code) for each, error in refused] == [(bad, code)]


def test_a_batch_and_a_transaction_are_anchored_once() -> None:
    chain = new_chain()
    first, again = transaction(GENESIS), transaction(GENESIS, salt=bytes([1] * 16))
    block, refused = chain.build([first, first, again], TIME_MS, 0)
    assert block is not None
    assert [error.code for _, error in refused] == ["E_DUPLICATE", "E_BATCH_EXISTS"]
    grow(chain, first)
    for each, code in ((first, "E_DUPLICATE"), (again, "E_BATCH_EXISTS")):
        with pytest.raises(InvalidTransaction) as caught:
            chain.admit(each, TIME_MS)
        assert caught.value.code == code


def test_a_suspended_member_and_a_key_of_another_facility_are_refused() -> None:
    from support import member

    places = [{"id": name, "name": "w", "country": "AU"} for name in ("K77G-01", "K77G-02")]
    keys = [{"key": public_key("K77G").hex(), "status": "active", "facilities": ["K77G-02"]}]
    bound = member("K77G", "producer", facilities=places, keys=keys)
    for document, code in (
        (bound, "E_FACILITY"),
        (member("K77G", "producer", status="suspended"), "E_MEMBER"),
    ):
        with_it = genesis(members=[document, member("QAB1", "lab")])
        chain = Chain.create(MemoryStore(), with_it, check_signatures)
        with pytest.raises(InvalidTransaction) as caught:
            chain.admit(transaction(with_it), TIME_MS)
        assert caught.value.code == code


def test_a_block_keeps_its_limits() -> None:
    chain = new_chain(parameters={"block_transactions_max": 2})
    pooled = [transaction(chain.genesis, batch_no=number) for number in range(1, 5)]
    block, refused = chain.build(pooled, TIME_MS, 0)
    assert block is not None
    assert len(block.block.transactions) == 2
    assert not refused
    small = new_chain(parameters={"block_bytes_max": 4000})
    pooled = [transaction(small.genesis, batch_no=number) for number in range(1, 9)]
    block, _ = small.build(pooled, TIME_MS, 0)
    assert block is not None
    assert len(block.block.data) <= 4000
    small.execute(parse_block(block.block.data))


CHANGES = [
    ("chain_id", {"chain_id": "other"}),
    ("height", {"height": 2}),
    ("parent", {"parent": bytes(32)}),
    ("time_ms", {"time_ms": TIME_MS - HOUR_MS}),
    ("proposer", {"proposer": 1}),
    ("validators_hash", {"validators_hash": bytes(32)}),
    ("next_validators_hash", {"next_validators_hash": bytes(32)}),
    ("state_root", {"state_root": bytes(32)}),
    ("valid_until_ms", {"time_ms": TIME_MS + HOUR_MS}),
]


@pytest.mark.parametrize(("field", "changes"), CHANGES, ids=str)
def test_a_block_that_does_not_follow_is_refused(field: str, changes: dict[str, Any]) -> None:
    chain = new_chain()
    built, _ = chain.build([transaction(GENESIS)], TIME_MS, 0)
    assert built is not None
    wrong = build_block(replace(built.block.header, **changes), built.block.transactions)
    with pytest.raises(InvalidBlock) as caught:
        chain.execute(parse_block(wrong.data))
    assert caught.value.field == field
    assert chain.execute(parse_block(built.block.data)) == built


def test_a_body_that_is_not_its_headers_is_refused() -> None:
    chain = new_chain()
    built, _ = chain.build([transaction(GENESIS)], TIME_MS, 0)
    assert built is not None
    header = built.block.header
    other = [transaction(GENESIS, batch_no=7)]
    for wrong in (
        build_block(header, other),
        build_block(header, other * 2),
        build_block(header, []),
        build_block(replace(header, version=2), built.block.transactions),
        build_block(replace(header, parent=b""), built.block.transactions),
        build_block(replace(header, height=-1), built.block.transactions),
    ):
        with pytest.raises(InvalidBlock):
            parse_block(wrong.data)
    for data in (b"", built.block.data + b"\x00", built.block.data[:-1], b"\x92\xc4\x00\x90"):
        with pytest.raises(InvalidBlock):
            parse_block(data)


def test_an_empty_block_and_a_bad_signature_are_refused() -> None:
    chain = new_chain()
    good = transaction(GENESIS)
    forged = parse_transaction(good.signed[:-1] + bytes([good.signed[-1] ^ 1]))
    built, _ = chain.build([forged], TIME_MS, 0)
    assert built is not None
    with pytest.raises(InvalidBlock) as caught:
        chain.execute(parse_block(built.block.data))
    assert caught.value.code == "E_SIG"


def test_only_what_was_executed_on_the_head_is_appended() -> None:
    chain = new_chain()
    built, _ = chain.build([transaction(GENESIS)], TIME_MS, 0)
    assert built is not None
    grow(chain, transaction(GENESIS, batch_no=9))
    with pytest.raises(InvalidBlock):
        chain.append(built, b"", 0)


def test_a_kilogram_is_looked_up() -> None:
    chain = new_chain()
    grow(chain, transaction(GENESIS))
    masses = [chain.lookup(format_id("K77G", 1, serial))["mass_g"] for serial in range(4)]
    assert masses == [2500, 1000, 1000, 500]
    found = chain.lookup(format_id("K77G", 1, 3).lower())
    assert (found["kind"], found["status"]) == ("kilogram", "registered")
    assert found["batch"] == format_id("K77G", 1, 0)
    composition: Any = found["composition"]
    assert composition[0] == {
        "element": "Nd",
        "oxide": "Nd2O3",
        "oxide_ppm": 990_025,
        "element_ppm": 848_804,
    }
    record = chain.batch_record(format_id("K77G", 1, 0))
    assert (record["units"], record["net_mass_g"]) == (3, 2500)
    assert record["anchored"] == found["anchored"]


def test_what_is_not_registered_is_told_from_what_is_mistyped() -> None:
    chain = new_chain()
    grow(chain, transaction(GENESIS))
    for number, serial in ((1, 4), (2, 0), (2, 1)):
        with pytest.raises(NotRegistered) as caught:
            chain.lookup(format_id("K77G", number, serial))
        assert caught.value.code == "E_NOT_REGISTERED"
    with pytest.raises(InvalidIdentifier, match="check characters do not match"):
        chain.lookup(format_id("K77G", 1, 1)[:-1] + "0")


def test_batches_are_listed_in_pages() -> None:
    chain = new_chain()
    for number in (5, 300, 2, 70_000):
        grow(chain, transaction(GENESIS, batch_no=number), time_ms=TIME_MS + number)
    pages = [chain.batches("K77G", after, 2) for after in (0, 5, 70_000)]
    assert [[each.batch_no for each in page] for page in pages] == [[2, 5], [300, 70_000], []]
    for member, after, limit in (("K77", 0, 9), ("é", 0, 9), ("K77G", 0, -1), ("K77G", 2**40, 9)):
        assert chain.batches(member, after, limit) == []
    assert len(chain.batches("K77G", -1, 10**9)) == 4
    assert chain.batch("K77G", 2**40) is None


def test_a_chain_on_disk_is_found_again(tmp_path: Path) -> None:
    store = LevelDBStore(tmp_path / "chain", create=True)
    chain = Chain.create(store, GENESIS, check_signatures)
    grow(chain, transaction(GENESIS))
    head = chain.head
    with pytest.raises(GenesisError):
        Chain.create(store, GENESIS, check_signatures)
    store.close()
    store = LevelDBStore(tmp_path / "chain", create=False)
    again = Chain.open(store, GENESIS, check_signatures)
    assert (again.head, again.journal_record) == (head, 0)
    grow(again, transaction(GENESIS, batch_no=2), time_ms=TIME_MS + 1)
    other = genesis(parameters={"block_transactions_max": 7})
    with pytest.raises(GenesisError, match="another genesis"):
        Chain.open(store, other, check_signatures)
    store.close()
