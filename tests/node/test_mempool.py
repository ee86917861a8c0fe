"""The pool: bounded, fair between members, oldest first, and clear about what left it."""

from __future__ import annotations

import pytest
from test_intake import GENESIS, KEY, PAYLOAD

from ledger.errors import InvalidTransaction
from ledger.transactions import Transaction, parse_transaction
from node.mempool import Mempool, PoolBusy
from node.testnet.signing import sign_batch

SOON_MS, LATE_MS = 1_000, 2_000


def pooled(number: int, member: str = "K77G", until_ms: int = LATE_MS) -> Transaction:
    """A transaction as the pool gets it; the pool itself checks no rule of the ledger."""
    signed = sign_batch(
        {**PAYLOAD, "batch_no": number}, GENESIS.chain_id, member, KEY, valid_until_ms=until_ms
    )
    return parse_transaction(signed.data)


def admitted(transaction: Transaction) -> None:
    """An `admit` that refuses nothing."""


def refused(transaction: Transaction) -> None:
    raise InvalidTransaction("E_BATCH_EXISTS", "taken", "batch_no")


def test_the_oldest_come_first_and_twice_is_once() -> None:
    pool, first, second = Mempool(), pooled(1), pooled(2)
    assert pool.add(first, 10)
    assert pool.add(second, 20)
    assert not pool.add(first, 30)
    assert pool.candidates(10, 1 << 20) == [first, second]
    assert pool.oldest_since_ms == 10
    assert pool.size_bytes == len(first.signed) + len(second.signed)


def test_candidates_fit_both_limits() -> None:
    pool = Mempool()
    for number in range(5):
        pool.add(pooled(number + 1), 0)
    size = len(pooled(1).signed) + 5
    assert len(pool.candidates(3, 1 << 20)) == 3
    assert len(pool.candidates(10, 2 * size)) == 2
    assert pool.candidates(10, size - 1) == []


def test_one_member_cannot_fill_the_pool() -> None:
    pool = Mempool(count_max=4)
    pool.add(pooled(1), 0)
    pool.add(pooled(2), 0)
    with pytest.raises(PoolBusy, match="its share") as busy:
        pool.add(pooled(3), 0)
    assert busy.value.retry_after_ms > 0
    assert pool.add(pooled(1, "S3PA"), 0)


def test_a_full_pool_is_busy_for_everybody() -> None:
    pool = Mempool(count_max=2)
    pool.add(pooled(1), 0)
    pool.add(pooled(1, "S3PA"), 0)
    with pytest.raises(PoolBusy, match="pool is full"):
        pool.add(pooled(1, "MT9A"), 0)
    assert len(pool) == 2


def test_bytes_are_a_limit_too() -> None:
    size = len(pooled(1).signed)
    pool = Mempool(bytes_max=2 * size + 2)
    pool.add(pooled(1), 0)
    with pytest.raises(PoolBusy):
        pool.add(pooled(2), 0)


def test_what_is_committed_leaves_and_its_rivals_are_admitted_again() -> None:
    pool, winner, rival, other = Mempool(), pooled(1), pooled(1, until_ms=SOON_MS), pooled(2)
    for each in (winner, rival, other):
        pool.add(each, 0)
    pool.purge([winner], refused, 0)
    assert pool.candidates(10, 1 << 20) == [other]
    said = pool.refusal(rival.tx_id)
    assert said is not None
    assert (said.status, said.code, said.field) == ("refused", "E_BATCH_EXISTS", "batch_no")
    assert pool.refusal(winner.tx_id) is None


def test_what_expired_leaves_and_says_so() -> None:
    pool, short, long = Mempool(), pooled(1, until_ms=SOON_MS), pooled(2)
    pool.add(short, 0)
    pool.add(long, 0)
    assert pool.expire(SOON_MS) == 0
    assert pool.expire(SOON_MS + 1) == 1
    assert long.tx_id in pool
    said = pool.refusal(short.tx_id)
    assert said is not None
    assert (said.status, said.code) == ("expired", "E_EXPIRED")


def test_an_emptied_pool_counts_nothing() -> None:
    pool, members = Mempool(count_max=8), ("K77G", "S3PA")
    for turn in range(50):
        lot = [pooled(turn + 1, member) for member in members]
        for each in lot:
            pool.add(each, turn)
            assert pool.find(each.signed) is each
        pool.purge(lot, admitted, 0)
    assert len(pool) == 0
    assert pool.size_bytes == 0
    assert pool.oldest_since_ms is None
    for number in range(4):
        assert pool.add(pooled(number + 1), 0)


def test_the_door_closes_before_the_pool_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.mempool.POOL_DOOR_TRANSACTIONS_MAX", 2)
    pool = Mempool()
    for number in (1, 2):
        pool.check_door(pooled(number))
        pool.add(pooled(number), 0)
    with pytest.raises(PoolBusy, match="more than it can commit"):
        pool.check_door(pooled(3))
    pool.check_room(pooled(3))
