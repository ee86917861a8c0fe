"""The rules of the normal case (PROTOCOL §3), each shown by one replica on a bench."""

from __future__ import annotations

import pytest
from replica_bench import Bench, asks, quorum

from consensus.errors import InvariantBroken, ProtocolViolation
from consensus.interface import (
    ApplyBlock,
    BlockExecuted,
    BlockReceived,
    BuildBlock,
    ExecuteBlock,
    FetchBlock,
    PoolChanged,
    SendBlock,
)
from consensus.limits import EXECUTED_MAX
from consensus.messages import Vote
from consensus.quorum import replica_set
from consensus.wire import decode_certificate, encode_vote

OTHER = b"x" * 32


def test_quorum_and_faults_for_one_to_ten_replicas() -> None:
    sizes = [replica_set(Bench(n=n, me=0).validators) for n in range(1, 11)]
    assert [s.f for s in sizes] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert [s.quorum for s in sizes] == [1, 2, 2, 3, 4, 4, 5, 6, 6, 7]
    for each in sizes:
        assert 2 * each.quorum - each.n >= each.f + 1
        assert each.quorum <= each.n - each.f
        assert each.quorum == quorum(each.n)


def test_p1_a_primary_with_work_builds_and_proposes_once() -> None:
    bench = Bench(me=0)
    assert asks(bench.work(), BuildBlock)
    block = bench.block()
    output = bench.built(block)
    assert bench.votes(output) == [("pre-prepare", 0, block.digest)]
    assert any(isinstance(send, SendBlock) and send.block == block for send in output.send)
    assert output.persist
    assert not asks(bench.work(2), BuildBlock)


def test_p1_an_empty_pool_is_silent() -> None:
    bench = Bench(me=0)
    assert not asks(bench.step(PoolChanged(0, None)), BuildBlock)


def test_p1_a_backup_does_not_propose() -> None:
    assert not asks(Bench(me=1).work(), BuildBlock)


def test_p1_a_block_built_on_an_older_head_is_not_proposed() -> None:
    bench = Bench(me=0)
    bench.work()
    stale = bench.block("stale")
    bench.applied(next(w.block for w in bench.to_committed(bench.block("b")).work
                       if isinstance(w, ApplyBlock)))  # fmt: skip
    assert bench.votes(bench.built(stale)) == []


def test_p2_a_backup_prepares_what_the_primary_proposed_after_it_executed() -> None:
    bench = Bench()
    block = bench.block()
    bench.say("pre-prepare", 0, block.digest)
    assert asks(bench.body(block), ExecuteBlock)
    output = bench.executed(block)
    assert bench.votes(output) == [("prepare", 0, block.digest)]
    assert output.persist


def test_p2_only_the_primary_proposes() -> None:
    bench = Bench()
    with pytest.raises(ProtocolViolation, match="wrong replica"):
        bench.say("pre-prepare", 2, OTHER)


def test_p2_a_primary_sends_no_prepare() -> None:
    with pytest.raises(ProtocolViolation, match="wrong replica"):
        Bench().say("prepare", 0, OTHER)


def test_p2_a_second_digest_in_one_view_is_not_prepared() -> None:
    bench = Bench()
    first, second = bench.block("first"), bench.block("second")
    bench.to_prepared(first)
    bench.say("pre-prepare", 0, second.digest)
    bench.body(second)
    assert bench.votes(bench.executed(second)) == []


def test_p2_a_proposal_of_another_view_waits() -> None:
    bench = Bench()
    block = bench.block(proposer=2)
    bench.say("pre-prepare", 2, block.digest, view=2)
    assert not asks(bench.body(block), ExecuteBlock)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"proposer": 1}, "proposer"),
        ({"count": 0}, "empty"),
        ({"time_ms": 1_795_000_000_000 - 60_000}, "not after its parent"),
        ({"time_ms": 1_795_000_000_000 + 2_001}, "ahead of the clock"),
        ({"height": 2}, "another height"),
    ],
)
def test_p2_a_fresh_block_that_breaks_a_rule_is_not_executed(
    changes: dict[str, int], why: str
) -> None:
    bench = Bench()
    block = bench.block(**changes)
    bench.say("pre-prepare", 0, block.digest)
    assert not asks(bench.body(block), ExecuteBlock), why


def test_p2_a_block_older_than_two_minutes_is_not_fresh() -> None:
    bench = Bench()
    block = bench.block()
    bench.later(120_001)
    bench.say("pre-prepare", 0, block.digest)
    assert not asks(bench.body(block), ExecuteBlock)


def test_p3_a_block_that_fails_here_gets_no_vote() -> None:
    bench = Bench()
    block = bench.block()
    bench.say("pre-prepare", 0, block.digest)
    bench.body(block)
    assert bench.votes(bench.executed(block, "state root differs")) == []


def test_p3_a_committed_block_that_fails_here_stops_the_replica() -> None:
    bench = Bench()
    block = bench.block()
    bench.say("pre-prepare", 0, block.digest)
    bench.body(block)
    bench.executed(block, "state root differs")
    with pytest.raises(InvariantBroken):
        bench.to_committed(block)


def test_p4_a_block_that_is_early_is_looked_at_again_when_its_time_comes() -> None:
    bench = Bench()
    block = bench.block(time_ms=bench.now.wall_ms + 3_000)
    bench.say("pre-prepare", 0, block.digest)
    output = bench.body(block)
    assert not asks(output, ExecuteBlock)
    assert output.wake_at_ms is not None
    assert output.wake_at_ms <= bench.now.mono_ms + 1_000
    bench.later(1_000)
    assert asks(bench.body(block), ExecuteBlock)


def test_p4_a_refused_proposal_starts_the_view_timer() -> None:
    bench = Bench()
    block = bench.block()
    bench.say("pre-prepare", 0, block.digest)
    bench.body(block)
    output = bench.executed(block, "refused")
    assert output.wake_at_ms == bench.now.mono_ms + 1_000  # half of T(0) = 2 s


def test_p5_a_missing_body_is_asked_of_the_primary_first() -> None:
    bench = Bench()
    output = bench.say("pre-prepare", 0, OTHER)
    assert [w.peer for w in output.work if isinstance(w, FetchBlock)] == ["peer0"]


def test_a_prepare_carries_the_proposal_to_those_who_missed_it() -> None:
    bench = Bench()
    block = bench.block()
    bench.say("prepare", 2, block.digest)
    assert asks(bench.body(block, 2), ExecuteBlock)


def test_commit_needs_a_prepared_certificate() -> None:
    bench = Bench()
    block = bench.block()
    assert ("commit", 0, block.digest) not in bench.votes(bench.to_prepared(block))
    output = bench.say("prepare", 2, block.digest)
    assert bench.votes(output) == [("commit", 0, block.digest)]
    assert len(output.persist) >= 2, "the certificate and the vote are durable"


def test_commit_is_not_sent_for_prepares_of_another_block() -> None:
    bench = Bench()
    bench.to_prepared(bench.block("mine"))
    assert bench.votes(bench.say("prepare", 2, OTHER)) == []


def test_committed_is_a_quorum_of_commits_of_one_view() -> None:
    bench = Bench()
    block = bench.block()
    bench.body(block)
    assert not asks(bench.say("commit", 0, block.digest), ApplyBlock)
    assert not asks(bench.say("commit", 2, block.digest, view=1), ApplyBlock)
    assert not asks(bench.say("commit", 3, block.digest), ApplyBlock)
    output = bench.say("commit", 2, block.digest)
    [apply] = [w for w in output.work if isinstance(w, ApplyBlock)]
    certificate = decode_certificate(apply.certificate)
    assert certificate.view == 0
    assert [index for index, _ in certificate.votes] == [0, 2, 3]


def test_commits_of_a_lower_view_prove_too() -> None:
    bench = Bench()
    block = bench.block()
    bench.later(10_000)
    for by in (0, 2, 3):
        bench.frame(bench.view_change(by, 3).frame, by)
    assert bench.replica.status(bench.now).view == 3
    assert asks(bench.to_committed(block), ApplyBlock)


def test_nothing_is_signed_while_a_block_is_being_applied() -> None:
    bench = Bench(me=0)
    block = bench.block()
    bench.to_committed(block)
    assert not asks(bench.work(), BuildBlock)
    assert asks(bench.applied(block), BuildBlock)


def test_c1_a_new_head_forgets_votes_and_bodies_below_it() -> None:
    bench = Bench()
    block = bench.block()
    bench.to_prepared(block)
    bench.to_committed(block)
    bench.applied(block)
    status = bench.replica.status(bench.now)
    assert (status.head, status.prepares, status.commits) == (1, (), ())
    assert len(bench.replica.durable_records()) == 2, "the head and the view"


def test_executions_on_one_head_are_kept_in_a_bounded_number() -> None:
    bench = Bench()
    for number in range(EXECUTED_MAX + 10):
        bench.step(BlockExecuted(b"%032d" % number, bench.head.digest, None))
    [size] = [each for each in bench.replica.sizes() if each.name == "executions"]
    assert size.count == size.limit == EXECUTED_MAX


def test_c5_votes_at_or_below_the_head_are_ignored() -> None:
    bench = Bench()
    block = bench.block()
    bench.to_committed(block)
    bench.applied(block)
    output = bench.say("pre-prepare", 0, OTHER, height=1)
    assert output.work == ()


def test_votes_for_the_next_height_wait_for_the_head() -> None:
    bench = Bench()
    first = bench.block("first")
    bench.to_committed(first)
    bench.head = first.header
    second = bench.block("second", time_ms=first.header.time_ms + 1)
    bench.say("pre-prepare", 0, second.digest, height=2)
    bench.step(BlockReceived("peer0", second))
    assert asks(bench.applied(first), ExecuteBlock)


def test_a_vote_with_a_wrong_signature_is_refused_and_changes_nothing() -> None:
    bench = Bench()
    before = bench.replica.durable_records()
    vote = bench.vote("commit", 0, OTHER)
    forged = Vote("commit", 0, 1, b"y" * 32, vote.sender, vote.signature)
    with pytest.raises(ProtocolViolation, match="wrong signature"):
        bench.frame(encode_vote("bench-0011223344556677", forged))
    assert bench.replica.status(bench.now).commits == ()
    assert bench.replica.durable_records() == before


def test_a_vote_of_nobody_is_refused() -> None:
    bench = Bench()
    stranger = Bench(n=5).vote("commit", 4, OTHER)
    with pytest.raises(ProtocolViolation, match="does not vote"):
        bench.frame(encode_vote("bench-0011223344556677", stranger))


def test_one_sender_cannot_fill_the_memory_with_views() -> None:
    bench = Bench()
    for view in range(0, 400, 4):
        bench.say("commit", 2, OTHER, view=view + 1)
    assert len(bench.replica._state.votes) <= 4


def test_one_replica_commits_alone() -> None:
    bench = Bench(n=1, me=0)
    bench.work()
    block = bench.block()
    output = bench.built(block)
    assert asks(output, ApplyBlock)
    bench.applied(block)
    assert bench.replica.status(bench.now).head == 1
