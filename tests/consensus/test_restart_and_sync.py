"""Retransmission, catching up, restart and evidence (PROTOCOL §6, §7, §8) on a bench."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replica_bench import CHAIN, GENESIS, Bench, asks, header

from consensus import journal_reach
from consensus.errors import ProtocolViolation
from consensus.interface import (
    AccusePeer,
    ApplyBlock,
    Block,
    BuildBlock,
    ChainReceived,
    CommittedBlock,
    FetchChain,
    FrameReceived,
    Heartbeat,
    PeerConnected,
    ReportEvidence,
    Send,
    SendToAll,
    Wake,
)
from consensus.messages import NewView, Status, ViewChange
from consensus.wire import decode_frame, encode_status, encode_vote

D1, D2 = b"1" * 32, b"2" * 32


def status(view: int, mode: str = "active", head: int = 0, epoch: int = 1) -> bytes:
    return encode_status(CHAIN, Status(epoch, view, mode, head))


def test_r1_a_heartbeat_tells_everybody_where_we_are() -> None:
    bench = Bench()
    output = bench.step(Heartbeat())
    [send] = [each for each in output.send if isinstance(each, SendToAll)]
    assert send.data == status(0)


def test_r2_own_votes_are_repeated_byte_for_byte() -> None:
    bench = Bench()
    block = bench.block()
    first = bench.to_prepared(block)
    sent = [each.data for each in first.send if isinstance(each, Send)]
    again = [each.data for each in bench.step(Heartbeat()).send if isinstance(each, Send)]
    assert sent == again
    greeted = [each.data for each in bench.step(PeerConnected("peer2")).send
               if isinstance(each, Send)]  # fmt: skip
    assert set(sent) <= set(greeted)


def test_r2_a_view_change_is_repeated_even_after_the_head_moved() -> None:
    bench = Bench()
    bench.work()
    bench.later(2_000)
    [message] = [m for m in bench.messages(bench.step(Wake())) if isinstance(m, ViewChange)]
    block = bench.block()
    bench.to_committed(block)
    bench.applied(block)
    again = [m for m in bench.messages(bench.step(Heartbeat())) if isinstance(m, ViewChange)]
    assert [m.frame for m in again] == [message.frame]


def test_r3_a_peer_in_a_lower_view_is_shown_the_new_view() -> None:
    bench = Bench()
    changes = [bench.view_change(by, 2) for by in (0, 2, 3)]
    bench.frame(bench.new_view(2, changes, 0, None).frame, 2)
    output = bench.frame(status(1), 3)
    assert [m.view for m in bench.messages(output) if isinstance(m, NewView)] == [2]


def test_r4_a_peer_that_is_ahead_is_asked_for_blocks() -> None:
    bench = Bench()
    output = bench.frame(status(0, head=9), 3)
    assert [w for w in output.work if isinstance(w, FetchChain)] == [FetchChain("peer3", 1)]
    assert not asks(bench.frame(status(0, head=9), 2), FetchChain), "one request in flight"


def test_r4_fetched_blocks_are_verified_before_they_are_applied() -> None:
    bench = Bench()
    block = bench.block()
    bench.frame(status(0, head=1), 3)
    lie = CommittedBlock(block, bench.commit_certificate(D1))
    output = bench.step(ChainReceived("peer3", (lie,)))
    assert not asks(output, ApplyBlock)
    assert [w.peer for w in output.work if isinstance(w, AccusePeer)] == ["peer3"]
    bench.frame(status(0, head=1), 2)
    true = CommittedBlock(block, bench.commit_certificate(block.digest))
    assert asks(bench.step(ChainReceived("peer2", (true,))), ApplyBlock)


def test_r4_a_peer_that_claims_and_has_nothing_makes_way_for_the_next() -> None:
    bench = Bench()
    bench.frame(status(0, head=10**9), 3)
    bench.frame(status(0, head=2), 2)
    output = bench.step(ChainReceived("peer3", ()))
    assert [w.peer for w in output.work if isinstance(w, FetchChain)] == ["peer2"]


def test_r4_a_chain_that_begins_elsewhere_makes_way_for_the_next() -> None:
    """A peer that claims a high head and answers with old blocks is not asked for ever."""
    bench = Bench()
    first = bench.block()
    bench.to_committed(first)
    bench.applied(first)
    old = CommittedBlock(first, bench.commit_certificate(first.digest))
    bench.frame(status(0, head=9), 3)
    bench.frame(status(0, head=9), 2)
    output = bench.step(ChainReceived("peer3", (old,)))
    assert [w.peer for w in output.work if isinstance(w, FetchChain)] == ["peer2"]
    assert [w.peer for w in output.work if isinstance(w, AccusePeer)] == ["peer3"]


def test_r4_a_peer_that_gives_one_block_at_a_time_takes_turns_with_the_others() -> None:
    bench = Bench()
    bench.frame(status(0, head=9), 3)
    bench.frame(status(0, head=9), 2)
    asked = ["peer3"]
    for _ in range(5):
        block = bench.block()
        proof = bench.commit_certificate(block.digest, height=block.height)
        true = CommittedBlock(block, proof)
        bench.step(ChainReceived(asked[-1], (true,)))
        output = bench.applied(block)
        asked += [w.peer for w in output.work if isinstance(w, FetchChain)]
    assert asked[1:] == ["peer3", "peer2", "peer3", "peer2", "peer3"]


def test_a_claimed_head_turns_no_timer_off() -> None:
    bench = Bench()
    bench.frame(status(0, head=10**9), 3)
    bench.work()
    bench.later(2_000)
    bench.step(Wake())
    assert bench.replica.status(bench.now).mode == "changing"


# --- restart


def test_a_restart_keeps_view_mode_and_votes() -> None:
    bench = Bench()
    block = bench.block()
    first = bench.to_prepared(block)
    before = bench.replica.status(bench.now)
    output = bench.start()
    after = bench.replica.status(bench.now)
    assert (after.view, after.mode, after.prepares) == (
        before.view, before.mode, before.prepares)  # fmt: skip
    sent = [each.data for each in first.send if isinstance(each, Send)]
    assert sent == [each.data for each in output.send if isinstance(each, Send)]
    assert bench.replica.body(block.digest) == block


def test_a_restart_while_changing_stays_changing_with_the_same_bytes() -> None:
    bench = Bench()
    bench.work()
    bench.later(2_000)
    [message] = [m for m in bench.messages(bench.step(Wake())) if isinstance(m, ViewChange)]
    output = bench.start()
    state = bench.replica.status(bench.now)
    assert (state.view, state.mode) == (1, "changing")
    assert [m.frame for m in bench.messages(output) if isinstance(m, ViewChange)] == [message.frame]


def test_a_restarted_replica_prepares_nothing_else() -> None:
    bench = Bench()
    bench.to_prepared(bench.block("first"))
    bench.start()
    second = bench.block("second")
    bench.say("pre-prepare", 0, second.digest)
    bench.body(second)
    assert bench.votes(bench.executed(second)) == []


def test_the_prepared_certificate_survives_a_restart() -> None:
    bench = Bench()
    block = bench.block()
    bench.to_prepared(block)
    bench.say("prepare", 2, block.digest)
    bench.start()
    bench.work()
    bench.later(2_000)
    [message] = [m for m in bench.messages(bench.step(Wake())) if isinstance(m, ViewChange)]
    assert message.prepared is not None
    assert message.prepared.digest == block.digest


def test_compacting_the_journal_changes_nothing() -> None:
    bench = Bench()
    block = bench.block()
    bench.to_prepared(block)
    bench.say("prepare", 2, block.digest)
    bench.records = list(bench.replica.durable_records())
    bench.start()
    assert list(bench.replica.durable_records()) == bench.records
    assert bench.replica.body(block.digest) == block
    assert [vote[0] for vote in bench.votes(bench.out[-1])] == ["prepare", "commit"]


def test_an_observer_signs_nothing_and_follows() -> None:
    bench = Bench(observe="the journal is missing")
    block = bench.block()
    output = bench.to_prepared(block)
    assert bench.messages(output) == []
    assert asks(bench.to_committed(block), ApplyBlock)
    bench.applied(block)
    assert not asks(bench.work(), BuildBlock)
    assert bench.records == []


# --- evidence


def evidence(bench: Bench, frames: list[tuple[bytes, int]]) -> list[ReportEvidence]:
    found = []
    for frame, by in frames:
        found += [w for w in bench.frame(frame, by).work if isinstance(w, ReportEvidence)]
    return found


def test_two_digests_of_one_signer_are_evidence_once() -> None:
    bench = Bench()
    pair = [(encode_vote(CHAIN, bench.vote("commit", 2, d)), 2) for d in (D1, D2)]
    [case] = evidence(bench, [*pair, pair[1]])
    assert case.subject == 2
    assert encode_vote(CHAIN, bench.vote("commit", 2, D1)) in case.data
    assert encode_vote(CHAIN, bench.vote("commit", 2, D2)) in case.data


def test_prepares_show_that_the_primary_proposed_twice() -> None:
    bench = Bench()
    frames = [
        (encode_vote(CHAIN, bench.vote("prepare", by, d)), by) for by, d in ((2, D1), (3, D2))
    ]
    assert [case.subject for case in evidence(bench, frames)] == [0]


def test_two_view_changes_for_one_view_are_evidence() -> None:
    bench = Bench()
    pair = [bench.view_change(2, 1), bench.view_change(2, 1, prepared=bench.prepared(D1))]
    assert [case.subject for case in evidence(bench, [(m.frame, 2) for m in pair])] == [2]


def test_two_new_views_for_one_view_are_evidence() -> None:
    bench = Bench()
    lots = [[bench.view_change(by, 2) for by in lot] for lot in ((0, 2, 3), (2, 3, 1))]
    pair = [(bench.new_view(2, lot, 0, None).frame, 2) for lot in lots]
    assert [case.subject for case in evidence(bench, pair)] == [2]


def test_a_view_change_that_hides_a_commit_is_evidence() -> None:
    bench = Bench()
    frames = [
        (encode_vote(CHAIN, bench.vote("commit", 2, D1)), 2),
        (bench.view_change(2, 1).frame, 2),
    ]
    assert [case.subject for case in evidence(bench, frames)] == [2]


# --- garbage


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_a_violation_and_changes_nothing(data: bytes) -> None:
    bench = Bench()
    before = bench.replica.status(bench.now)
    with pytest.raises(ProtocolViolation):
        bench.step(FrameReceived("peer2", data))
    assert bench.replica.status(bench.now) == before


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 3), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_of_a_good_frame_never_counts(kind: int, at: int, flip: int) -> None:
    bench = Bench()
    block = bench.block()
    frames = [
        encode_vote(CHAIN, bench.vote("prepare", 2, block.digest)),
        encode_vote(CHAIN, bench.vote("commit", 2, block.digest)),
        bench.view_change(2, 3, prepared=bench.prepared(block.digest)).frame,
        bench.new_view(2, [bench.view_change(by, 2) for by in (0, 2, 3)], 0, None).frame,
    ]
    data = bytearray(frames[kind])
    data[at % len(data)] ^= flip
    before = bench.replica.status(bench.now)
    try:
        bench.step(FrameReceived("peer2", bytes(data)))
    except ProtocolViolation:
        assert bench.replica.status(bench.now) == before
        return
    after = bench.replica.status(bench.now)
    assert (after.commits, after.prepares, after.view, after.view_changes) == (
        before.commits, before.prepares, before.view, before.view_changes)  # fmt: skip


def test_a_message_of_another_chain_is_refused() -> None:
    with pytest.raises(ProtocolViolation, match="another chain"):
        decode_frame(encode_status("other-00", Status(1, 0, "active", 0)), CHAIN, lambda d: GENESIS)


def test_a_fetched_block_of_another_set_is_refused() -> None:
    bench = Bench()
    bench.frame(status(0, head=1), 3)
    made = header(1, GENESIS.digest, validators=b"z" * 32)
    lie = CommittedBlock(Block(made, made.data), bench.commit_certificate(made.digest))
    output = bench.step(ChainReceived("peer3", (lie,)))
    assert asks(output, AccusePeer)
    assert not asks(output, ApplyBlock)


def test_a_journal_knows_how_high_its_chain_was() -> None:
    bench = Bench()
    first = bench.block()
    bench.to_prepared(first)
    assert journal_reach(bench.records) == 0, "a vote at height 1 stands on height 0"
    bench.to_committed(first)
    bench.applied(first)
    assert journal_reach(bench.replica.durable_records()) == 1, "a rewritten journal names the head"
    second = bench.block(time_ms=first.header.time_ms + 1)
    bench.say("pre-prepare", 0, second.digest, height=2)
    bench.body(second)
    assert bench.votes(bench.executed(second)), "it votes at height 2"
    assert journal_reach(bench.records) == 1


def test_a_view_change_binds_its_sender_to_the_head_that_it_names() -> None:
    bench = Bench()
    first = bench.block()
    bench.to_committed(first)
    bench.applied(first)
    bench.work()
    bench.later(2_000)
    output = bench.step(Wake())
    assert journal_reach(output.persist) == 1
