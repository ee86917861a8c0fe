"""The last look before a signature: independent of the protocol's own bookkeeping.

Whatever the replica believes, this process never signs two different messages for one
(kind, view, height), or for one (kind, epoch, view) where a message has no height. After a restart
the journal's own records say what was signed before (their form: consensus.journal).

What is remembered stays small, because views never go back within an epoch (PROTOCOL §3, §4): once
something is signed in a view, whatever names a lower one is refused without being remembered.
Votes at or below the head are forgotten too; there only a re-proposal in a higher view is legal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from consensus.messages import ACTIVE, PRE_PREPARE, VOTE_KINDS
from consensus.wire import (
    NEW_VIEW_DOMAIN,
    VIEW_CHANGE,
    VIEW_CHANGE_DOMAIN,
    VOTE_DOMAIN,
    vote_bytes,
)
from ledger.codec import decode, signing_bytes
from node.limits import JOURNAL_RECORD_BYTES_MAX

_Place = tuple[str, int, int]  # kind, view, and height (votes) or epoch (the others)


class DoubleSign(Exception):  # noqa: N818 - the name says what happened
    """The replica asked for a signature that contradicts an earlier one: stop the process."""


class VoteGuard:
    """Remembers what was signed; refuses what contradicts it."""

    def __init__(self, records: Iterable[bytes] = (), head: int = 0, epoch: int = 1) -> None:
        """`records`: the journal's, in order; `head`: the chain's height; `epoch`: its epoch.

        Raises DoubleSign when the journal itself holds a contradiction.
        """
        self._signed: dict[_Place, bytes] = {}
        self._epoch = epoch
        self._view = 0  # the highest view of this epoch in which something was signed
        self._floor = (0, -1)  # no votes at heights ≤ [0] in views ≤ [1]
        for record in records:
            self._restore(decode(record, bytes_max=JOURNAL_RECORD_BYTES_MAX))
        self._forget(head)

    def check(self, message: bytes) -> None:
        """Remember `message` (domain ‖ 0x00 ‖ canonical map) or raise DoubleSign."""
        place, vote = self._place_of(message)
        _, view, number = place
        if number < self._epoch or (not vote and number != self._epoch):
            raise DoubleSign(f"{_named(place)} is not of epoch {self._epoch}")
        digest = hashlib.sha256(message).digest()
        known = self._signed.get(place)
        if known is None:
            self._refuse_the_past(place, vote)
        elif known != digest:
            raise DoubleSign(f"{_named(place)} was signed before, with another content")
        self._signed[place] = digest
        self._reach(view)

    def moved(self, head: int, epoch: int) -> None:
        """The chain has reached height `head`, and `epoch` signs the next one."""
        if epoch > self._epoch:
            self._epoch, self._view, self._floor = epoch, 0, (0, -1)
            self._signed = {
                place: digest
                for place, digest in self._signed.items()
                if place[0] in VOTE_KINDS and place[2] >= epoch
            }
        self._forget(head)

    def __len__(self) -> int:
        return len(self._signed)

    def _place_of(self, message: bytes) -> tuple[_Place, bool]:
        domain, _, data = message.partition(b"\0")
        body: Any = decode(data, bytes_max=JOURNAL_RECORD_BYTES_MAX)
        vote = domain == VOTE_DOMAIN.encode()
        if not vote and domain not in (VIEW_CHANGE_DOMAIN.encode(), NEW_VIEW_DOMAIN.encode()):
            raise DoubleSign(f"a voting key signs no {domain.decode(errors='replace')}")
        return (body["kind"], body["view"], body["height" if vote else "epoch"]), vote

    def _refuse_the_past(self, place: _Place, vote: bool) -> None:
        kind, view, number = place
        height, floor_view = self._floor
        if view < self._view:
            raise DoubleSign(f"{_named(place)} after something was signed in view {self._view}")
        if vote and number <= height and view <= floor_view:
            raise DoubleSign(f"{_named(place)} is at or below the head, {height}")
        if kind == VIEW_CHANGE and view == self._view:
            raise DoubleSign(f"{_named(place)} after something else was signed in that view")

    def _reach(self, view: int) -> None:
        """Nothing below `view` is signed any more, so nothing below it needs remembering."""
        if view > self._view:
            self._view = view
            self._signed = {p: digest for p, digest in self._signed.items() if p[1] >= view}

    def _forget(self, head: int) -> None:
        gone = [p for p in self._signed if p[0] in VOTE_KINDS and p[2] <= head]
        view = max([self._floor[1], *(place[1] for place in gone)])
        for place in gone:
            del self._signed[place]
        self._floor = (max(head, self._floor[0]), view)

    # --- what the journal tells

    def _restore(self, fields: Any) -> None:
        if fields[0] == "vote":
            kind, chain_id, view, height, digest, *_ = _frame(fields[1])
            self._remember(vote_bytes(chain_id, kind, view, height, digest))
        elif fields[0] == "view" and fields[1] == self._epoch:
            _, _, _, view, mode, _, _, view_change, new_view, _ = fields
            self._reach(view)
            self._floor = (0, max(self._floor[1], view if mode == ACTIVE else view - 1))
            if view_change is not None:
                self._remember(signing_bytes(VIEW_CHANGE_DOMAIN, _frame(view_change)[2]))
            if new_view is not None:
                self._restore_new_view(_frame(new_view))

    def _restore_new_view(self, frame: list[Any]) -> None:
        """Somebody else's is remembered as well: it names a view in which we sign none."""
        chain_id, payload = frame[1], frame[2]
        body: Any = decode(payload, bytes_max=JOURNAL_RECORD_BYTES_MAX)
        self._remember(signing_bytes(NEW_VIEW_DOMAIN, payload))
        if body["required"] is not None:
            place = (body["view"], body["base"] + 1, body["required"])
            self._remember(vote_bytes(chain_id, PRE_PREPARE, *place))

    def _remember(self, message: bytes) -> None:
        """A message of an earlier epoch or a lower view needs no memory: it is refused anyhow."""
        place, _ = self._place_of(message)
        if place[2] < self._epoch or place[1] < self._view:
            return
        digest = hashlib.sha256(message).digest()
        if self._signed.setdefault(place, digest) != digest:
            raise DoubleSign(f"the journal holds two different contents of {_named(place)}")
        self._reach(place[1])


def _named(place: _Place) -> str:
    kind, view, number = place
    where = "height" if kind in VOTE_KINDS else "epoch"
    return f"{kind} of view {view}, {where} {number}"


def _frame(data: bytes) -> list[Any]:
    value: Any = decode(data, bytes_max=JOURNAL_RECORD_BYTES_MAX)
    return list(value)
