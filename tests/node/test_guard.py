"""Nothing that contradicts what was signed before is ever signed, also after a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consensus import Replica
from consensus.interface import BlockApplied, Environment, Event, Now, Output, Start
from consensus.messages import Vote
from consensus.wire import (
    NEW_VIEW_DOMAIN,
    VIEW_CHANGE_DOMAIN,
    encode_vote,
    seal,
    vote_bytes,
)
from ledger.codec import encode, signing_bytes
from node.environment import NodeEnvironment
from node.guard import DoubleSign, VoteGuard
from node.keys import generate
from node.simulation import run_simulation

CHAIN = "test-0123456789abcdef"
KEY, SIGNATURE = bytes(32), bytes(64)
A, B = b"a" * 32, b"b" * 32


def vote(kind: str, view: int, height: int, digest: bytes) -> bytes:
    return vote_bytes(CHAIN, kind, view, height, digest)


def payload(kind: str, view: int, epoch: int = 1, **fields: Any) -> bytes:
    return encode({"kind": kind, "view": view, "epoch": epoch, **fields})


def view_change(view: int, epoch: int = 1, **fields: Any) -> bytes:
    return signing_bytes(VIEW_CHANGE_DOMAIN, payload("view-change", view, epoch, **fields))


def new_view(view: int, **fields: Any) -> bytes:
    return signing_bytes(NEW_VIEW_DOMAIN, payload("new-view", view, **fields))


def vote_record(kind: str, view: int, height: int, digest: bytes) -> bytes:
    attached = SIGNATURE if kind == "prepare" else b""
    frame = encode_vote(CHAIN, Vote(kind, view, height, digest, KEY, SIGNATURE, attached))
    return encode(["vote", frame])


def view_record(
    view: int, mode: str, change: bytes | None = None, new: bytes | None = None
) -> bytes:
    frames = [
        None if each is None else seal(kind, CHAIN, each, KEY, SIGNATURE)
        for kind, each in (("view-change", change), ("new-view", new))
    ]
    return encode(["view", 1, None, view, mode, 0, None, *frames, None])


def refused(guard: VoteGuard, message: bytes) -> bool:
    try:
        guard.check(message)
    except DoubleSign:
        return True
    return False


def test_the_same_message_may_be_signed_again_and_another_may_not() -> None:
    guard = VoteGuard()
    for sign in (vote("prepare", 0, 1, A), vote("prepare", 0, 1, A), vote("commit", 0, 1, B)):
        guard.check(sign)
    with pytest.raises(DoubleSign, match="prepare of view 0, height 1"):
        guard.check(vote("prepare", 0, 1, B))


def test_a_view_change_is_signed_once_and_binds_every_lower_view() -> None:
    guard = VoteGuard()
    guard.check(view_change(3, head=7))
    guard.check(view_change(3, head=7))
    assert refused(guard, view_change(3, head=8))
    assert refused(guard, view_change(2, head=7))
    assert refused(guard, vote("commit", 2, 8, A))
    assert not refused(guard, vote("pre-prepare", 3, 8, A))
    assert not refused(guard, new_view(3, base=7))
    assert refused(guard, new_view(3, base=8))


def test_a_view_in_which_votes_were_cast_is_never_promised_away_again() -> None:
    guard = VoteGuard()
    guard.check(vote("prepare", 4, 9, A))
    assert refused(guard, view_change(4))
    assert refused(guard, view_change(3))
    assert not refused(guard, view_change(5))


def test_heights_at_or_below_the_head_take_only_what_a_higher_view_repeats() -> None:
    guard = VoteGuard()
    guard.check(vote("prepare", 2, 5, A))
    guard.moved(5, 1)
    assert len(guard) == 0
    assert refused(guard, vote("prepare", 2, 5, B))
    guard.check(view_change(3))
    assert not refused(guard, vote("pre-prepare", 3, 5, A))


def test_a_new_epoch_begins_at_view_zero_above_the_old_heights() -> None:
    guard = VoteGuard()
    guard.check(view_change(6))
    guard.check(vote("commit", 6, 9, A))
    guard.moved(9, 10)
    assert refused(guard, vote("commit", 7, 9, B))
    assert refused(guard, view_change(7, epoch=1))
    assert not refused(guard, vote("commit", 0, 10, B))
    assert not refused(guard, view_change(1, epoch=10))


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([vote_record("prepare", 2, 8, A)], vote("prepare", 2, 8, B)),
        ([vote_record("commit", 2, 8, A)], vote("commit", 1, 8, A)),
        ([view_record(4, "changing", payload("view-change", 4, head=7))], view_change(4, head=8)),
        ([view_record(4, "changing", payload("view-change", 4))], vote("commit", 3, 8, A)),
        ([view_record(4, "active")], view_change(4)),
        ([view_record(4, "active")], vote("prepare", 4, 7, A)),
        (
            [view_record(4, "active", None, payload("new-view", 4, base=7, required=A))],
            vote("pre-prepare", 4, 8, B),
        ),
        (
            [view_record(4, "active", None, payload("new-view", 4, base=7, required=A))],
            new_view(4, base=7, required=B),
        ),
    ],
)
def test_a_restarted_guard_refuses_what_the_journal_contradicts(
    records: list[bytes], message: bytes
) -> None:
    assert refused(VoteGuard(records, head=7, epoch=1), message)


def test_a_restarted_guard_lets_the_journals_own_messages_through() -> None:
    change = payload("view-change", 4, head=7)
    records = [vote_record("prepare", 2, 8, A), view_record(4, "changing", change)]
    guard = VoteGuard(records, head=7, epoch=1)
    guard.check(view_change(4, head=7))
    guard.check(new_view(4, base=7, required=A))
    guard.check(vote("pre-prepare", 4, 8, A))


def test_a_journal_that_contradicts_itself_is_refused() -> None:
    records = [vote_record("commit", 2, 8, A), vote_record("commit", 2, 8, B)]
    with pytest.raises(DoubleSign, match="two different"):
        VoteGuard(records, head=7, epoch=1)


def test_an_unknown_kind_of_message_is_not_signed() -> None:
    with pytest.raises(DoubleSign, match="signs no other"):
        VoteGuard().check(b"other\0" + encode({}))


def test_a_guard_with_nothing_above_the_head_still_guards_what_is_below() -> None:
    records = [vote_record("commit", 0, 3, A)]
    environment = NodeEnvironment(generate("validator"), VoteGuard(records, head=3))
    assert len(environment.guard) == 0
    with pytest.raises(DoubleSign, match="at or below the head"):
        environment.sign(vote("commit", 0, 3, B))


class GuardedReplica(Replica):
    """A replica whose every signature passes a guard made from its journal, as in a node."""

    most = 0

    def __init__(self, start: Start, environment: Environment) -> None:
        self.guard = VoteGuard(start.journal, start.head.height, start.epoch)
        super().__init__(start, _Guarded(environment, self.guard))

    def step(self, event: Event, now: Now) -> Output:
        if isinstance(event, BlockApplied):
            self.guard.moved(event.height, event.epoch)
        GuardedReplica.most = max(GuardedReplica.most, len(self.guard))
        return super().step(event, now)


class _Guarded:
    def __init__(self, inner: Environment, guard: VoteGuard) -> None:
        self.verify, self.read_header = inner.verify, inner.read_header
        self.read_block: Callable[[bytes], Any] = inner.read_block
        self._inner, self._guard = inner, guard

    def sign(self, message: bytes) -> bytes:
        self._guard.check(message)
        return self._inner.sign(message)


@pytest.mark.parametrize("seed", range(40))
def test_no_correct_replica_is_ever_refused_and_memory_stays_small(seed: int) -> None:
    GuardedReplica.most = 0
    result = run_simulation(seed, validators=4 + seed % 4, blocks=10, factory=GuardedReplica)
    assert result.violations == (), result.command
    assert 0 < GuardedReplica.most <= 12
