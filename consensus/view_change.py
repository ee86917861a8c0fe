"""View changes: VIEW-CHANGE, joining, NEW-VIEW (PROTOCOL §4; Castro–Liskov OSDI'99 §4.4)."""

from __future__ import annotations

from ledger.codec import signing_bytes

from .bodies import need
from .certificates import check_commit_certificate, check_prepared
from .errors import InvariantBroken, ProtocolViolation, invariant
from .evidence import hidden_commit, two_new_views, two_view_changes
from .interface import Block, PeerId
from .journal import remember_body, remember_vote, view_record
from .limits import NUMBER_MAX
from .messages import ACTIVE, CHANGING, PRE_PREPARE, NewView, ViewChange, Vote
from .selection import select
from .state import State
from .sync import note_head
from .timers import disarm, expired
from .wire import (
    NEW_VIEW,
    NEW_VIEW_DOMAIN,
    VIEW_CHANGE,
    VIEW_CHANGE_DOMAIN,
    new_view_payload,
    seal,
    view_change_payload,
    vote_bytes,
)


def change_view(state: State, view: int) -> None:
    """V1: promise to sign nothing below `view`, and say so to all (§4.4).

    view, changing, required and NEW-VIEW nil, k += 1: durable first. The prepared body goes to
    primary(view), unsigned. One message per (epoch, view): it is kept, and repeated as it is.
    """
    invariant(state.may_sign and state.key is not None, "a VIEW-CHANGE by one who may not sign")
    invariant(state.view < view <= NUMBER_MAX, "a VIEW-CHANGE that does not go up")
    state.view, state.mode, state.required = view, CHANGING, None
    state.new_view = state.entry = None
    state.timer.k += 1
    disarm(state)
    payload = view_change_payload(
        state.chain_id, state.epoch, view, state.head, state.certificate, state.prepared
    )
    key = state.key or b""
    signature = state.environment.sign(signing_bytes(VIEW_CHANGE_DOMAIN, payload))
    frame = seal(VIEW_CHANGE, state.chain_id, payload, key, signature)
    message = ViewChange(
        state.epoch,
        view,
        state.head,
        state.certificate,
        state.prepared,
        key,
        payload,
        signature,
        frame,
    )
    state.view_change = state.view_changes[key] = message
    state.persist(view_record(state))
    state.send(state.other_peers, frame)
    primary = state.replicas.primary(view)
    if state.prepared is not None and primary.key != key:
        body = state.body(state.prepared.digest)
        invariant(body is not None, "the prepared body is gone")
        if body is not None:
            state.send_block((primary.peer,), body)


def on_view_change(state: State, peer: PeerId, message: ViewChange) -> None:
    """Store the highest-view VIEW-CHANGE of each replica, if it is valid (V2)."""
    if message.epoch != state.epoch or message.sender == state.key:
        if message.epoch > state.epoch:
            note_head(state, peer, message.head.height)
        return
    known = state.view_changes.get(message.sender)
    if known is not None and (known.view > message.view or known.payload == message.payload):
        return
    check_view_change(state, message)
    note_head(state, peer, message.head.height)
    if known is not None and known.view == message.view:
        two_view_changes(state, known, message)
        return
    state.view_changes[message.sender] = message
    hidden_commit(state, message.sender)


def check_view_change(state: State, message: ViewChange) -> None:
    """V2: whether a VIEW-CHANGE is valid (§4.4). Raises ProtocolViolation.

    1. The signer is in S, of the same epoch, and v′ ≥ 1; 2. epoch−1 ≤ head; 3. a head we have has
    our block's digest; 4. above epoch−1 the header names S as present and next set and its
    certificate verifies; 5. `prepared` is for exactly head+1, in a view < v′, and verifies; 6. the
    signature. A known one (byte-identical) has been checked before.
    """
    known = state.view_changes.get(message.sender)
    if known is not None and known.frame == message.frame:
        return
    if message.epoch != state.epoch or state.replicas.index_of(message.sender) is None:
        raise ProtocolViolation("a VIEW-CHANGE of another epoch or of nobody")
    if message.view < 1:
        raise ProtocolViolation("a VIEW-CHANGE for view 0")
    signed = signing_bytes(VIEW_CHANGE_DOMAIN, message.payload)
    if not state.environment.verify(message.sender, signed, message.signature):
        raise ProtocolViolation("a VIEW-CHANGE with a wrong signature")
    _check_head(state, message)
    prepared = message.prepared
    if prepared is None:
        return
    if prepared.height != message.head.height + 1 or prepared.view >= message.view:
        raise ProtocolViolation("a VIEW-CHANGE whose `prepared` is out of place")
    check_prepared(prepared, state.replicas, state.chain_id, state.environment)


def _check_head(state: State, message: ViewChange) -> None:
    head, epoch_start = message.head, state.epoch - 1
    if head.height < epoch_start:
        raise ProtocolViolation("a VIEW-CHANGE whose head is below the epoch")
    ours = state.epoch_digest if head.height == epoch_start else state.recent.get(head.height)
    if ours is not None and head.digest != ours:
        raise ProtocolViolation("a VIEW-CHANGE with another block at a height we have")
    if head.height == epoch_start:
        return
    present = state.head.next_validators_hash
    if head.validators_hash != present or head.next_validators_hash != present:
        raise ProtocolViolation("a VIEW-CHANGE whose head is of another validator set")
    check_commit_certificate(
        head, message.certificate, state.replicas, state.chain_id, state.environment
    )


def join(state: State) -> bool:
    """V3: when the (f+1)-th highest v′ among other replicas exceeds view, go there (§4.5.2)."""
    if not state.may_sign:
        return False
    others = [m.view for key, m in state.view_changes.items() if key != state.key]
    views = sorted(others, reverse=True)
    if len(views) < state.replicas.weak_quorum:
        return False
    view = views[state.replicas.weak_quorum - 1]
    if view <= state.view:
        return False
    change_view(state, view)
    return True


def expire(state: State) -> bool:
    """Expiry of the view timer, or 40 s of censorship: VIEW-CHANGE(view+1) (§4.5.2)."""
    if not state.may_sign or not expired(state):
        return False
    change_view(state, state.view + 1)
    return True


def form_new_view(state: State) -> bool:
    """N1–N4: as primary(v′), changing to v′, announce the new view (§4.4).

    1. A VIEW-CHANGE(v′) counts once its prepared body is held, or its height is (N1); 2. ≥ q of
    them are selected from (N2); 3. own head < base: fetch first; own head > base: required is our
    block at base+1 (N3); 4. body, NEW-VIEW and PRE-PREPARE are durable, then sent and installed
    (N4).
    """
    if not state.may_sign or state.active or not state.is_primary:
        return False
    counted = [
        message
        for message in (state.view_changes.get(key) for key in state.keys)
        if message is not None and message.view == state.view and _counts(state, message)
    ]
    if len(counted) < state.replicas.quorum:
        return False
    base, required = select(counted)
    if state.head.height < base:
        return False
    body = None
    if state.head.height == base and required is not None:
        body = state.body(required)
        invariant(body is not None, "a counted VIEW-CHANGE without its body")
    _announce(state, tuple(counted), base, required, body)
    return True


def _counts(state: State, message: ViewChange) -> bool:
    """N1: the prepared body is held or its height is; it is fetched meanwhile."""
    prepared = message.prepared
    if prepared is None or prepared.height <= state.head.height:
        return True
    if prepared.height > state.height + 1:
        return False
    return need(state, prepared.digest) is not None


def _announce(
    state: State,
    counted: tuple[ViewChange, ...],
    base: int,
    required: bytes | None,
    body: Block | None,
) -> None:
    """N4. Below our head the re-proposal repeats what is committed, for those who lack it."""
    check_required(state, base, required)
    message = _signed_new_view(state, counted, base, required)
    if body is not None:
        remember_body(state, body)
    _install(state, message)
    if body is not None:
        place = (state.view, base + 1, body.digest)
        vote = Vote(PRE_PREPARE, *place, message.sender, message.proposal)
        remember_vote(state, vote, body)
        state.votes.add(vote)
    state.send(state.other_peers, message.frame)
    held = None if required is None else state.body(required)
    if held is not None:
        state.send_block(state.other_peers, held)


def _signed_new_view(
    state: State, counted: tuple[ViewChange, ...], base: int, required: bytes | None
) -> NewView:
    key, proposal = state.key or b"", b""
    if required is not None:
        vote = vote_bytes(state.chain_id, PRE_PREPARE, state.view, base + 1, required)
        proposal = state.environment.sign(vote)
    payload = new_view_payload(
        state.chain_id, state.epoch, state.view, counted, base, required, proposal
    )
    signature = state.environment.sign(signing_bytes(NEW_VIEW_DOMAIN, payload))
    return NewView(
        state.epoch,
        state.view,
        counted,
        base,
        required,
        proposal,
        key,
        payload,
        signature,
        seal(NEW_VIEW, state.chain_id, payload, key, signature),
    )


def check_required(state: State, base: int, required: bytes | None) -> None:
    """N3: a new view that starts below our head must require what we have at base+1."""
    ours = state.recent.get(base + 1)
    if state.head.height > base and ours is not None and ours != required:
        raise InvariantBroken("a new view requires another block than the committed one")


def on_new_view(state: State, peer: PeerId, message: NewView) -> None:
    """Keep the highest acceptable NEW-VIEW, from whoever relays it, until it is installed (N5)."""
    if message.epoch != state.epoch or message.sender == state.key:
        if message.epoch > state.epoch:
            note_head(state, peer, message.base)
        return
    known = state.waiting_new_view or state.new_view
    if known is not None and known.view == message.view:
        if known.payload != message.payload:
            _check_sender(state, message)
            two_new_views(state, known, message)
        return
    if not _is_ahead(state, message) or (known is not None and known.view > message.view):
        return
    check_new_view(state, message)
    note_head(state, peer, message.base)
    state.waiting_new_view = message


def _is_ahead(state: State, message: NewView) -> bool:
    return message.view > state.view or (message.view == state.view and not state.active)


def _check_sender(state: State, message: NewView) -> None:
    if message.view < 1 or message.sender != state.replicas.primary(message.view).key:
        raise ProtocolViolation("a NEW-VIEW of another replica than the view's primary")
    signed = signing_bytes(NEW_VIEW_DOMAIN, message.payload)
    if not state.environment.verify(message.sender, signed, message.signature):
        raise ProtocolViolation("a NEW-VIEW with a wrong signature")


def check_new_view(state: State, message: NewView) -> None:
    """N5: whether a NEW-VIEW may be installed (§4.4). Raises ProtocolViolation.

    1. The signer is primary(v′); 2. ≥ q distinct VIEW-CHANGEs; 3. each is of this epoch and v′, and
    valid (V2); 4. the selection recomputed is equal; 5. unless required is nil, primary(v′)'s
    PRE-PREPARE signature on (v′, base+1, required) verifies. Own `prepared` is not consulted.
    """
    _check_sender(state, message)
    senders = dict.fromkeys(m.sender for m in message.view_changes)
    enough = state.replicas.quorum <= len(senders) == len(message.view_changes)
    if not enough or any(m.view != message.view for m in message.view_changes):
        raise ProtocolViolation("a NEW-VIEW without a quorum of distinct VIEW-CHANGEs for it")
    for view_change in message.view_changes:
        check_view_change(state, view_change)
    if select(message.view_changes) != (message.base, message.required):
        raise ProtocolViolation("a NEW-VIEW that selects something else")
    if message.required is not None:
        place = (message.view, message.base + 1, message.required)
        signed = vote_bytes(state.chain_id, PRE_PREPARE, *place)
        if not state.environment.verify(message.sender, signed, message.proposal):
            raise ProtocolViolation("a NEW-VIEW without its PRE-PREPARE signature")


def install_new_view(state: State) -> bool:
    """N6: install the waiting NEW-VIEW; below its base nobody votes until the chain is fetched."""
    message = state.waiting_new_view
    if message is None or state.applying is not None:
        return False
    state.waiting_new_view = None
    if not _is_ahead(state, message):
        return False
    check_required(state, message.base, message.required)
    _install(state, message)
    return True


def _install(state: State, message: NewView) -> None:
    state.view, state.mode = message.view, ACTIVE
    state.base, state.required = message.base, message.required
    state.new_view, state.view_change, state.entry = message, None, None
    state.timer.active_since_ms = state.now.mono_ms
    disarm(state)
    state.persist(view_record(state))
