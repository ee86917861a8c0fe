"""Signed contradictions, kept as a file that anybody can verify (PROTOCOL §8)."""

from __future__ import annotations

from ledger.codec import encode

from .interface import ReportEvidence
from .limits import EVIDENCE_MAX
from .messages import COMMIT, NewView, ViewChange, Vote
from .state import State
from .wire import encode_vote


def report(state: State, sender: bytes, name: str, first: bytes, second: bytes) -> None:
    """Report two contradicting frames of `sender`, once per case and in a bounded number."""
    subject = state.replicas.index_of(sender)
    if subject is None or name in state.reported or len(state.reported) >= EVIDENCE_MAX:
        return
    state.reported[name] = True
    data = encode(["evidence", state.chain_id, state.epoch, subject, sender, [first, second]])
    state.out.work.append(ReportEvidence(subject, name, data))


def two_votes(state: State, first: Vote, second: Vote) -> None:
    """Two digests for one (kind, view, height) by one signer."""
    if first.digest == second.digest:
        return
    name = f"{first.kind}-{first.height}-{first.view}-{first.sender.hex()[:16]}"
    frames = (encode_vote(state.chain_id, first), encode_vote(state.chain_id, second))
    report(state, first.sender, name, *frames)


def two_view_changes(state: State, first: ViewChange, second: ViewChange) -> None:
    """Two VIEW-CHANGEs for one (epoch, view) by one signer."""
    if first.payload != second.payload:
        name = f"view-change-{first.epoch}-{first.view}-{first.sender.hex()[:16]}"
        report(state, first.sender, name, first.frame, second.frame)


def two_new_views(state: State, first: NewView, second: NewView) -> None:
    """Two NEW-VIEWs for one (epoch, view) by one signer."""
    if first.payload != second.payload:
        name = f"new-view-{first.epoch}-{first.view}-{first.sender.hex()[:16]}"
        report(state, first.sender, name, first.frame, second.frame)


def hidden_commit(state: State, sender: bytes) -> None:
    """COMMIT(u, h) and VIEW-CHANGE(v′ > u) of one epoch that hides what was committed.

    Hidden means: head < h−1, or head = h−1 and `prepared` nil or below u. Only COMMITs at H are
    compared: those at H+1 may belong to the next epoch.
    """
    message = state.view_changes.get(sender)
    if message is None:
        return
    below = -1 if message.prepared is None else message.prepared.view
    for vote in state.votes.at(COMMIT, state.height, (sender,)):
        hides = message.head.height < vote.height - 1 or (
            message.head.height == vote.height - 1 and below < vote.view
        )
        if message.view > vote.view and hides:
            name = f"hidden-commit-{vote.height}-{vote.view}-{sender.hex()[:16]}"
            report(state, sender, name, encode_vote(state.chain_id, vote), message.frame)
