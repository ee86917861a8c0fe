"""Restart: the journal's view and mode, and what the chain decided since (PROTOCOL §7)."""

from __future__ import annotations

from .errors import ProtocolViolation, invariant
from .interface import Environment, Start
from .journal import restore
from .messages import ACTIVE, PRE_PREPARE, Proof, Vote
from .quorum import replica_set
from .state import State
from .wire import decode_certificate


def restored(start: Start, environment: Environment) -> State:
    """A replica's state from its chain and journal. Raises InvariantBroken if they disagree.

    1. A new epoch begins at view 0, active, base = epoch−1 (C4); 2. the journal's last view of this
    epoch replaces that, mode included; 3. the head's certificate may show a later view (C2); 4. own
    votes at H are counted again and repeated byte-identical.
    """
    invariant(0 < start.epoch <= start.head.height + 1, "an epoch above the next height")
    digest = start.head.digest if start.head.height == start.epoch - 1 else None
    state = State(
        environment=environment,
        chain_id=start.chain_id,
        key=start.key,
        observe=start.observe,
        head=start.head,
        certificate=start.certificate,
        replicas=replica_set(start.validators),
        epoch=start.epoch,
        epoch_digest=digest,
        view=0,
        mode=ACTIVE,
        base=start.epoch - 1,
        required=None,
    )
    state.recent[start.head.height] = start.head.digest
    restore(state, start.journal)
    if state.view_change is not None:
        state.view_changes[state.view_change.sender] = state.view_change
    _enter_by_head(state)
    _own_proposal(state)
    return state


def _enter_by_head(state: State) -> None:
    """C2 again, from the stored certificate: the crash came between the batch and the journal."""
    if state.head.height < state.epoch:
        return
    try:
        view = decode_certificate(state.certificate).view
    except ProtocolViolation as error:
        invariant(False, f"the head's certificate cannot be read: {error}")
        return
    if view > state.view or (view == state.view and not state.active):
        state.view, state.mode = view, ACTIVE
        state.base, state.required = state.head.height, None
        state.new_view = state.view_change = None
    if view == state.view and state.new_view is None:
        state.entry = Proof(state.head, state.certificate)


def _own_proposal(state: State) -> None:
    """A NEW-VIEW of ours holds our PRE-PREPARE, even if the crash cut its own record off."""
    message = state.new_view
    if message is None or message.required is None or message.sender != state.key:
        return
    if message.base != state.head.height or message.required not in state.voted:
        return
    if state.own_vote(PRE_PREPARE, state.view) is None:
        place = (message.view, state.height, message.required)
        vote = Vote(PRE_PREPARE, *place, message.sender, message.proposal)
        state.own.append(vote)
        state.votes.add(vote)
