"""The rules of the view change and of the timer (PROTOCOL §4, §5) on a bench."""

from __future__ import annotations

import pytest
from replica_bench import GENESIS, Bench, asks, header

from consensus.errors import InvariantBroken, ProtocolViolation
from consensus.interface import (
    ApplyBlock,
    BuildBlock,
    ExecuteBlock,
    FetchBlock,
    Heartbeat,
    Now,
    Output,
    PeerDisconnected,
    PoolChanged,
    SendBlock,
    ShareOldest,
    Wake,
)
from consensus.messages import NewView, ViewChange
from consensus.selection import select
from consensus.timers import timer_ms
from consensus.wire import NEW_VIEW_DOMAIN, seal
from ledger.codec import signing_bytes

DIGEST = b"d" * 32


def expire(bench: Bench, milliseconds: int = 2_000) -> Output:
    bench.later(milliseconds)
    return bench.step(Wake())


def changing(bench: Bench, view: int) -> None:
    """Bring the replica to `changing`, by a weak quorum of the others."""
    others = [i for i in range(bench.n) if i != bench.me]
    for by in others[:2]:
        bench.frame(bench.view_change(by, view).frame, by)
    status = bench.replica.status(bench.now)
    assert (status.view, status.mode) == (view, "changing")


def test_v1_expiry_sends_a_view_change_that_is_durable_first() -> None:
    bench = Bench()
    bench.work()
    output = expire(bench)
    [message] = [m for m in bench.messages(output) if isinstance(m, ViewChange)]
    assert (message.view, message.head.height, message.prepared) == (1, 0, None)
    assert output.persist
    assert bench.replica.status(bench.now).mode == "changing"


def test_v1_the_message_carries_the_prepared_certificate_and_the_body_goes_to_the_primary() -> None:
    bench = Bench(me=3)
    block = bench.block()
    bench.to_prepared(block)
    bench.say("prepare", 2, block.digest)
    bench.work()
    output = expire(bench)
    [message] = [m for m in bench.messages(output) if isinstance(m, ViewChange)]
    assert message.prepared is not None
    assert message.prepared.digest == block.digest
    bodies = [s.to for s in output.send if isinstance(s, SendBlock)]
    assert bodies == [("peer1",)]


def test_v1_nothing_is_voted_while_changing() -> None:
    bench = Bench()
    changing(bench, 2)
    block = bench.block(proposer=2)
    bench.say("pre-prepare", 2, block.digest, view=2)
    assert not asks(bench.body(block, 2), ExecuteBlock)


@pytest.mark.parametrize("case", ["view 0", "signature", "prepared view", "prepared height",
                                  "prepared forged", "head unknown", "nobody"])  # fmt: skip
def test_v2_a_view_change_that_breaks_a_rule_is_refused(case: str) -> None:
    bench = Bench()
    good = bench.view_change(2, 3)
    forged = bench.prepared(DIGEST)
    wrong = {
        "view 0": lambda: bench.view_change(2, 0).frame,
        "signature": lambda: seal("view-change", "bench-0011223344556677", good.payload,
                                  bench.keys[0].public, good.signature),
        "prepared view": lambda: bench.view_change(2, 3, prepared=bench.prepared(DIGEST, 3)).frame,
        "prepared height": lambda: bench.view_change(
            2, 3, prepared=bench.prepared(DIGEST, 0, 2)).frame,
        "prepared forged": lambda: bench.view_change(2, 3, prepared=type(forged)(
            0, 1, b"e" * 32, forged.proposal, forged.votes)).frame,
        "head unknown": lambda: bench.view_change(2, 3, head=header(1, GENESIS.digest)).frame,
        "nobody": lambda: Bench(n=5).view_change(4, 3).frame,
    }[case]()  # fmt: skip
    with pytest.raises(ProtocolViolation):
        bench.frame(wrong, 2)
    assert bench.replica.status(bench.now).view_changes == ()


def test_v2_a_head_with_its_certificate_is_taken() -> None:
    bench = Bench()
    ahead = header(1, GENESIS.digest)
    message = bench.view_change(
        2, 3, head=ahead, certificate=bench.commit_certificate(ahead.digest)
    )
    bench.frame(message.frame, 2)
    assert bench.replica.status(bench.now).view_changes == ((2, 3),)


def test_v3_one_other_moves_nobody_and_a_weak_quorum_does() -> None:
    bench = Bench()
    bench.frame(bench.view_change(0, 1_000_000_000).frame, 0)
    assert bench.replica.status(bench.now).view == 0
    bench.frame(bench.view_change(2, 5).frame, 2)
    status = bench.replica.status(bench.now)
    assert (status.view, status.mode) == (5, "changing")


def test_n1_a_view_change_counts_once_its_prepared_body_is_held() -> None:
    bench = Bench(me=1)
    block = bench.block()
    changes = [bench.view_change(0, 1, prepared=bench.prepared(block.digest)),
               bench.view_change(2, 1), bench.view_change(3, 1)]  # fmt: skip
    outputs = [bench.frame(changes[i].frame, by) for i, by in ((0, 0), (1, 2))]
    assert any(asks(output, FetchBlock) for output in outputs)
    assert not any(isinstance(m, NewView) for o in outputs for m in bench.messages(o))
    output = bench.body(block, 0)
    [message] = [m for m in bench.messages(output) if isinstance(m, NewView)]
    assert (message.view, message.base, message.required) == (1, 0, block.digest)


def test_n2_selection_takes_the_highest_head_and_then_the_highest_view() -> None:
    bench = Bench()
    ahead = header(1, GENESIS.digest)
    certificate = bench.commit_certificate(ahead.digest)
    low = bench.view_change(0, 5, prepared=bench.prepared(b"a" * 32, 0))
    high = bench.view_change(2, 5, prepared=bench.prepared(b"b" * 32, 4))
    none = bench.view_change(3, 5)
    assert select([low, high, none]) == (0, b"b" * 32)
    assert select([none, high, low]) == (0, b"b" * 32)
    assert select([none]) == (0, None)
    above = bench.view_change(3, 5, head=ahead, certificate=certificate)
    assert select([low, high, above]) == (1, None)


def test_n2_two_digests_prepared_in_one_view_stop_the_replica() -> None:
    bench = Bench()
    pair = [bench.view_change(i, 5, prepared=bench.prepared(bytes([i]) * 32, 2)) for i in (0, 2)]
    with pytest.raises(InvariantBroken):
        select(pair)


def test_n4_a_new_view_is_durable_and_never_a_fresh_block() -> None:
    bench = Bench(me=1)
    bench.work()
    outputs = [bench.frame(bench.view_change(by, 1).frame, by) for by in (0, 2)]
    output = outputs[-1]
    [message] = [m for m in bench.messages(output) if isinstance(m, NewView)]
    assert message.required is None
    assert output.persist
    assert asks(output, BuildBlock), "the fresh block comes after, as P1 says"


def accept(bench: Bench, message: NewView, by: int = 0) -> str:
    bench.frame(message.frame, by)
    return bench.replica.status(bench.now).mode


def quorum_of(bench: Bench, view: int, **given: object) -> list[ViewChange]:
    return [bench.view_change(by, view, **given) for by in (0, 2, 3)]  # type: ignore[arg-type]


def test_n5_a_justified_new_view_is_installed_whoever_relays_it() -> None:
    bench = Bench()
    message = bench.new_view(2, quorum_of(bench, 2), 0, None)
    assert accept(bench, message, by=0) == "active"
    assert bench.replica.status(bench.now).view == 2


@pytest.mark.parametrize("case", ["signer", "too few", "twice the same", "another view",
                                  "other selection", "dropped required", "no proposal",
                                  "signature"])  # fmt: skip
def test_n5_a_new_view_that_breaks_a_rule_is_refused(case: str) -> None:
    bench = Bench()
    changes = quorum_of(bench, 2)
    proved = [bench.view_change(0, 2, prepared=bench.prepared(DIGEST)), *changes[1:]]
    good = bench.new_view(2, proved, 0, DIGEST)
    wrong = {
        "signer": lambda: bench.new_view(2, changes, 0, None, by=3),
        "too few": lambda: bench.new_view(2, changes[:2], 0, None),
        "twice the same": lambda: bench.new_view(2, [*changes[:2], changes[0]], 0, None),
        "another view": lambda: bench.new_view(2, quorum_of(bench, 3), 0, None),
        "other selection": lambda: bench.new_view(2, changes, 0, DIGEST),
        "dropped required": lambda: bench.new_view(2, proved, 0, None),
        "no proposal": lambda: bench._read(
            _resigned(bench, good.payload.replace(good.proposal, bytes(64))), NewView),
        "signature": lambda: bench._read(
            seal("new-view", "bench-0011223344556677", good.payload, good.sender, bytes(64)),
            NewView),
    }[case]()  # fmt: skip
    with pytest.raises(ProtocolViolation):
        bench.frame(wrong.frame, 2)
    assert bench.replica.status(bench.now).view == 0


def _resigned(bench: Bench, payload: bytes) -> bytes:
    key = bench.keys[2]
    signature = key.sign(signing_bytes(NEW_VIEW_DOMAIN, payload))
    return seal("new-view", "bench-0011223344556677", payload, key.public, signature)


def test_n5_own_prepared_is_no_lock() -> None:
    bench = Bench()
    mine = bench.block("mine")
    bench.to_prepared(mine)
    bench.say("prepare", 2, mine.digest)
    other = bench.block("other")
    changes = quorum_of(bench, 3)
    changes[0] = bench.view_change(0, 3, prepared=bench.prepared(other.digest, 2))
    accept(bench, bench.new_view(3, changes, 0, other.digest))
    bench.body(other, 3)
    assert bench.votes(bench.executed(other)) == [("prepare", 3, other.digest)]


def test_p2_in_a_view_that_requires_a_block_only_that_block_is_prepared() -> None:
    bench = Bench()
    required, fresh = bench.block("required"), bench.block("fresh", proposer=2)
    changes = quorum_of(bench, 2)
    changes[0] = bench.view_change(0, 2, prepared=bench.prepared(required.digest))
    accept(bench, bench.new_view(2, changes, 0, required.digest))
    bench.say("pre-prepare", 2, fresh.digest, view=2)
    bench.body(fresh, 2)
    assert bench.votes(bench.executed(fresh)) == []
    bench.now = Now(bench.now.mono_ms, bench.now.wall_ms + 600_000)
    bench.body(required, 2)
    assert bench.votes(bench.executed(required)) == [("prepare", 2, required.digest)]


def test_p3_a_required_block_that_fails_here_stops_the_replica() -> None:
    bench = Bench()
    required = bench.block("required")
    changes = quorum_of(bench, 2)
    changes[0] = bench.view_change(0, 2, prepared=bench.prepared(required.digest))
    accept(bench, bench.new_view(2, changes, 0, required.digest))
    bench.body(required, 2)
    with pytest.raises(InvariantBroken):
        bench.executed(required, "state root differs")


def test_n6_below_the_base_nobody_votes() -> None:
    bench = Bench()
    ahead = header(1, GENESIS.digest)
    certificate = bench.commit_certificate(ahead.digest)
    changes = quorum_of(bench, 2)
    changes[0] = bench.view_change(0, 2, head=ahead, certificate=certificate)
    assert accept(bench, bench.new_view(2, changes, 1, None)) == "active"
    block = bench.block("another at height 1", proposer=2)
    bench.say("pre-prepare", 2, block.digest, view=2)
    assert not asks(bench.body(block, 2), ExecuteBlock)


def test_c2_a_certificate_of_a_higher_view_makes_active_there() -> None:
    bench = Bench()
    block = bench.block(proposer=3)
    bench.to_committed(block, view=3)
    bench.applied(block)
    status = bench.replica.status(bench.now)
    assert (status.view, status.mode) == (3, "active")


def test_c3_a_certificate_of_a_lower_view_leaves_us_changing() -> None:
    bench = Bench()
    changing(bench, 6)
    block = bench.block()
    bench.to_committed(block)
    bench.applied(block)
    status = bench.replica.status(bench.now)
    assert (status.head, status.view, status.mode) == (1, 6, "changing")


def test_n3_a_new_view_that_contradicts_our_chain_stops_the_replica() -> None:
    bench = Bench()
    block = bench.block("committed")
    bench.to_committed(block)
    bench.applied(block)
    changes = [bench.view_change(by, 2, prepared=bench.prepared(DIGEST)) for by in (0, 2, 3)]
    with pytest.raises(InvariantBroken, match="another block than the committed one"):
        bench.frame(bench.new_view(2, changes, 0, DIGEST).frame, 2)


def test_n7_an_empty_pool_keeps_a_new_view_silent() -> None:
    bench = Bench(me=1)
    outputs = [bench.frame(bench.view_change(by, 1).frame, by) for by in (0, 2)]
    assert bench.replica.status(bench.now).mode == "active"
    assert not any(asks(output, BuildBlock) for output in outputs)
    bench.later(600_000)
    assert not bench.messages(bench.step(Wake()))


# --- the timer


def test_t_doubles_from_two_seconds_to_sixty() -> None:
    assert [timer_ms(k) for k in range(7)] == [2000, 4000, 8000, 16000, 32000, 60000, 60000]
    assert timer_ms(10**6) == 60_000


def test_the_timer_runs_while_there_is_work_and_at_the_primary_too() -> None:
    for me in (0, 1):
        bench = Bench(me=me)
        assert bench.work().wake_at_ms == bench.now.mono_ms + 1_000
        assert bench.step(PoolChanged(0, None)).wake_at_ms is None


def test_at_half_of_the_timer_the_oldest_transactions_are_shared() -> None:
    bench = Bench()
    bench.work()
    assert asks(expire(bench, 1_000), ShareOldest)
    assert bench.replica.status(bench.now).mode == "active"


@pytest.mark.parametrize("who", ["changing alone", "observer"])
def test_without_a_timer_waiting_transactions_are_shared_every_two_seconds(who: str) -> None:
    bench = Bench() if who == "changing alone" else Bench(me=4)
    bench.work()
    if who == "changing alone":
        expire(bench)
        assert bench.replica.status(bench.now).mode == "changing"
    assert bench.replica.status(bench.now).timer_ms is None
    shared = 0
    for _ in range(10):
        bench.later(1_000)
        shared += asks(bench.step(Heartbeat()), ShareOldest)
    assert shared == 5
    bench.step(PoolChanged(0, None))
    bench.later(5_000)
    assert not asks(bench.step(Heartbeat()), ShareOldest), "nothing waits"


def test_changing_the_timer_runs_only_with_a_quorum_at_the_view_or_above() -> None:
    bench = Bench()
    bench.work()
    expire(bench)
    assert bench.replica.status(bench.now).timer_ms is None
    bench.frame(bench.view_change(0, 1).frame, 0)
    assert bench.replica.status(bench.now).timer_ms is None
    bench.frame(bench.view_change(2, 7).frame, 2)
    assert bench.replica.status(bench.now).timer_ms == 4_000


def test_a_lost_primary_gets_half_a_second() -> None:
    bench = Bench()
    bench.work()
    bench.step(PeerDisconnected("peer0"))
    assert bench.replica.status(bench.now).timer_ms == 500
    expire(bench, 500)
    assert bench.replica.status(bench.now).mode == "changing"


def test_work_that_is_passed_over_for_forty_seconds_changes_the_view() -> None:
    bench = Bench()
    bench.step(PoolChanged(1, bench.now.mono_ms))
    for _ in range(39):
        block = bench.block()
        bench.to_committed(block)
        bench.applied(block)
        bench.later(1_000)
        bench.step(Wake())
        assert bench.replica.status(bench.now).mode == "active"
    block = bench.block()
    bench.to_committed(block)
    bench.applied(block)  # the view timer has begun anew: only the 40 s run out now
    bench.later(1_000)
    bench.step(Wake())
    assert bench.replica.status(bench.now).mode == "changing"


def test_a_committed_block_sets_the_timer_back_to_two_seconds() -> None:
    bench = Bench()
    bench.work()
    expire(bench)
    changing(bench, 2)
    accept(bench, bench.new_view(2, quorum_of(bench, 2), 0, None))
    block = bench.block(proposer=2)
    output = bench.to_committed(block, view=2)
    assert asks(output, ApplyBlock)
    bench.applied(block)
    bench.work()
    assert bench.replica.status(bench.now).timer_ms == 2_000
