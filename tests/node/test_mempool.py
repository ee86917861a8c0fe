"""The pool: bounded, fair between members, oldest first, and clear about what left it."""

from __future__ import annotations

import pytest
from test_intake import GENESIS, KEY, PAYLOAD

from ledger.errors import InvalidTransaction
from ledger.transactions import Transaction, parse_transaction
from node.mempool import Mempool, PoolBusy, Room
from node.testnet.signing import sign_batch

SOON_MS, LATE_MS = 1_000, 2_000
MUCH = 1 << 20


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


def test_a_long_queue_stands_in_nobodys_way() -> None:
    pool = Mempool()
    fill(pool, "A" * 30 + "B" * 5 + "C")
    chosen = [each.envelope.member for each in pool.candidates(11, MUCH)]
    assert chosen == ["MAAA", "MBBB", "MCCC", *["MAAA", "MBBB"] * 4]
    assert len(pool.candidates(100, MUCH)) == 36


def test_who_waits_longest_is_first_and_its_time_runs_until_its_oldest_is_committed() -> None:
    pool, first, second, third = Mempool(), pooled(1), pooled(2), pooled(3)
    for turn, each in enumerate((first, second, third, pooled(1, "S3PA"))):
        pool.add(each, 10 * (turn + 1))
    pool.purge([second], admitted, 0, 100)
    assert pool.oldest_since_ms == 10
    pool.purge([first], admitted, 0, 200)
    assert pool.oldest_since_ms == 40
    assert [each.envelope.member for each in pool.candidates(2, MUCH)] == ["S3PA", "K77G"]
    pool.purge(pool.candidates(1, MUCH), admitted, 0, 300)
    assert pool.oldest_since_ms == 200


def test_candidates_fit_both_limits() -> None:
    pool = Mempool()
    for number in range(5):
        pool.add(pooled(number + 1), 0)
    size = len(pooled(1).signed) + 5
    assert len(pool.candidates(3, 1 << 20)) == 3
    assert len(pool.candidates(10, 2 * size)) == 2
    assert pool.candidates(10, size - 1) == []


def fill(pool: Mempool, members: str) -> dict[str, int]:
    """Each letter is a member that tries to get in once; how many of each did."""
    taken = dict.fromkeys(members, 0)
    for number, letter in enumerate(members):
        try:
            pool.add(pooled(number + 1, f"M{letter}{letter}{letter}"), 0)
            taken[letter] += 1
        except PoolBusy:
            continue
    return taken


def test_whoever_fills_the_pool_keeps_nobody_out() -> None:
    pool = Mempool(shared=Room(12, MUCH))
    assert fill(pool, "A" * 20) == {"A": 12}
    with pytest.raises(PoolBusy, match="its share") as busy:
        pool.add(pooled(99, "MAAA"), 0)
    assert busy.value.retry_after_ms > 0
    assert fill(pool, "B" * 20 + "C" * 20) == {"B": 6, "C": 4}
    assert len(pool) <= 12 * (1 + 1 / 2 + 1 / 3)


def test_who_takes_no_more_than_its_part_is_never_refused() -> None:
    pool = Mempool(shared=Room(12, MUCH))
    fill(pool, "A" * 50)
    committed = dict.fromkeys(("MAAA", "MBBB", "MCCC"), 0)
    for turn in range(40):
        lot = pool.candidates(3, MUCH)
        for each in lot:
            committed[each.envelope.member] += 1
        pool.purge(lot, admitted, 0, 0)
        assert fill(pool, "AAAAAAAAAABBBBBC")["C"] == 1, turn
        assert len(pool) <= 22, turn
    assert min(committed.values()) >= 39


def test_large_transactions_use_a_share_as_many_do() -> None:
    size = len(pooled(1).signed)
    pool = Mempool(shared=Room(1_000, 12 * size + 12))
    assert fill(pool, "A" * 20) == {"A": 12}
    assert fill(pool, "B" * 20) == {"B": 6}


def test_a_full_pool_is_busy_for_everybody() -> None:
    pool = Mempool(Room(2, MUCH))
    pool.add(pooled(1), 0)
    pool.add(pooled(1, "S3PA"), 0)
    with pytest.raises(PoolBusy, match="pool is full"):
        pool.add(pooled(1, "MT9A"), 0)
    assert len(pool) == 2


def test_bytes_are_a_limit_too() -> None:
    size = len(pooled(1).signed)
    pool = Mempool(Room(100, 2 * size - 1))
    pool.add(pooled(1), 0)
    with pytest.raises(PoolBusy, match="pool is full"):
        pool.add(pooled(2), 0)


def test_what_is_committed_leaves_and_its_rivals_are_admitted_again() -> None:
    pool, winner, rival, other = Mempool(), pooled(1), pooled(1, until_ms=SOON_MS), pooled(2)
    for each in (winner, rival, other):
        pool.add(each, 0)
    pool.purge([winner], refused, 0, 0)
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
    pool, members = Mempool(shared=Room(8, MUCH)), ("K77G", "S3PA")
    for turn in range(50):
        lot = [pooled(turn + 1, member) for member in members]
        for each in lot:
            pool.add(each, turn)
            assert pool.find(each.signed) is each
        pool.purge(lot, admitted, 0, 0)
    assert len(pool) == 0
    assert pool.size_bytes == 0
    assert pool.oldest_since_ms is None
    for number in range(4):
        assert pool.add(pooled(number + 1), 0)


def test_the_door_closes_before_the_pool_is_full_and_not_to_another_member() -> None:
    pool = Mempool(door=Room(2, MUCH))
    for number in (1, 2):
        pool.check_door(pooled(number))
        pool.add(pooled(number), 0)
    with pytest.raises(PoolBusy, match="its share"):
        pool.check_door(pooled(3))
    pool.check_room(pooled(3))
    pool.check_door(pooled(3, "S3PA"))
