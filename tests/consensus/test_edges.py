"""Edges of the rules that random runs reach seldom, each by one replica on a bench."""

from __future__ import annotations

from dataclasses import replace

import pytest
from replica_bench import Bench, asks

from consensus.interface import (
    Block,
    BlockBuilt,
    BuildBlock,
    ExecuteBlock,
    FetchChain,
    Heartbeat,
    PoolChanged,
)
from consensus.limits import FETCH_MS_MAX
from consensus.messages import ACTIVE, NewView, Status
from consensus.wire import encode_status

OTHER = b"x" * 32


def test_p1_an_empty_answer_waits_for_the_pool_to_change() -> None:
    bench = Bench(me=0)
    assert asks(bench.work(), BuildBlock)
    nothing = BlockBuilt(bench.block().header.parent, None)
    assert not asks(bench.step(nothing), BuildBlock)
    assert not asks(bench.step(Heartbeat()), BuildBlock)
    assert asks(bench.step(PoolChanged(2, bench.now.mono_ms)), BuildBlock)


@pytest.mark.parametrize("field", ["parent", "validators_hash"])
def test_p2_a_block_on_another_head_or_of_another_set_is_not_executed(field: str) -> None:
    bench = Bench()
    block = bench.block()
    foreign = Block(replace(block.header, **{field: OTHER}), block.data)
    bench.say("pre-prepare", 0, foreign.digest)
    assert not asks(bench.body(foreign), ExecuteBlock)


def second_block(bench: Bench) -> Block:
    """Commit a first block; the block that follows it, not yet proposed."""
    first = bench.block("first")
    bench.to_committed(first)
    bench.applied(first)
    return bench.block("second", time_ms=first.header.time_ms + 1)


def test_a_prepare_that_the_primary_sent_ahead_does_not_count() -> None:
    """At H+1 nobody knows yet that its sender is the primary; at H it must not be counted."""
    digest = second_block(Bench()).digest
    bench = Bench()
    bench.say("prepare", 0, digest, height=2)
    block = second_block(bench)
    assert block.digest == digest
    bench.say("pre-prepare", 0, digest, height=2)
    bench.body(block)
    assert bench.votes(bench.executed(block)) == [("prepare", 0, digest)]
    assert bench.votes(bench.say("prepare", 2, digest, height=2)) == [("commit", 0, digest)]


def test_votes_far_above_the_head_are_not_kept() -> None:
    bench = Bench()
    for height in range(3, 50):
        bench.say("commit", 2, OTHER, height=height)
    assert len(bench.replica._state.votes) == 0


def test_c2_a_view_entered_by_a_certificate_is_durable() -> None:
    bench = Bench()
    block = bench.block(proposer=2)
    bench.body(block)
    for voter in (0, 2, 3):
        bench.say("commit", voter, block.digest, view=2)
    assert bench.applied(block).persist
    assert bench.replica.status(bench.now).view == 2


def test_a_crash_between_the_chain_and_the_journal_keeps_the_view_of_the_head() -> None:
    bench = Bench()
    block = bench.block(proposer=2)
    bench.head, bench.certificate = block.header, bench.commit_certificate(block.digest, view=2)
    bench.start()
    assert bench.replica.status(bench.now).view == 2


def test_n3_a_primary_below_the_base_fetches_before_it_announces() -> None:
    bench = Bench()
    block = bench.block()
    certificate = bench.commit_certificate(block.digest)
    bench.work()
    for voter in (0, 2, 3):
        change = bench.view_change(voter, 1, head=block.header, certificate=certificate)
        output = bench.frame(change.frame, voter)
        assert not [m for m in bench.messages(output) if isinstance(m, NewView)]
    assert bench.replica.status(bench.now).mode == "changing"


def test_r4_a_peer_that_never_answers_makes_way_for_the_next() -> None:
    bench = Bench()
    claim = encode_status(bench.replica._state.chain_id, Status(1, 0, ACTIVE, 9))
    bench.frame(claim, 3)
    bench.frame(claim, 2)
    bench.later(FETCH_MS_MAX)
    output = bench.step(Heartbeat())
    assert [w.peer for w in output.work if isinstance(w, FetchChain)] == ["peer2"]
