"""Journal records: what a replica must find again after a crash (PROTOCOL §2, §7).

Four records, each a canonical array: ["view", …] (epoch, view, mode, base, required, own
VIEW-CHANGE, NEW-VIEW, entry), ["vote", frame], ["body", bytes], ["prepared", certificate].
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.codec import Value, encode

from .errors import InvariantBroken, ProtocolViolation, invariant
from .interface import Block, Environment
from .limits import OWN_VIEWS_MAX, RECORD_BYTES_MAX
from .messages import ACTIVE, CHANGING, NewView, Prepared, Proof, ViewChange, Vote
from .state import State
from .wire import (
    binary,
    decode_frame,
    encode_proof,
    encode_vote,
    items,
    number,
    prepared_value,
    read_prepared,
    unpack,
)


def view_record(state: State) -> bytes:
    """Everything of the view in one record; the last one counts."""
    view_change, new_view, entry = state.view_change, state.new_view, state.entry
    fields: list[Value] = ["view", state.epoch, state.epoch_digest, state.view, state.mode]
    return encode(
        [
            *fields,
            state.base,
            state.required,
            None if view_change is None else view_change.frame,
            None if new_view is None else new_view.frame,
            None if entry is None else encode_proof(state.chain_id, entry),
        ]
    )


def vote_record(state: State, vote: Vote) -> bytes:
    """One own vote, as the frame that is sent."""
    return encode(["vote", encode_vote(state.chain_id, vote)])


def body_record(block: Block) -> bytes:
    """One body voted for."""
    return encode(["body", block.data])


def prepared_record(prepared: Prepared) -> bytes:
    """The newest prepared certificate for H."""
    return encode(["prepared", prepared_value(prepared)])


def durable_records(state: State) -> tuple[bytes, ...]:
    """The minimal journal equal to the present durable state."""
    records = [view_record(state)]
    records.extend(body_record(block) for block in state.voted.values())
    if state.prepared is not None:
        records.append(prepared_record(state.prepared))
    records.extend(vote_record(state, vote) for vote in state.own)
    return tuple(records)


def remember_vote(state: State, vote: Vote, block: Block) -> None:
    """Make an own vote and its body durable, body first; older views beyond a limit go."""
    invariant(block.digest == vote.digest, "a vote kept with another block's body")
    remember_body(state, block)
    state.persist(vote_record(state, vote))
    state.own.append(vote)
    trim_own(state)


def remember_body(state: State, block: Block) -> None:
    """Make a body durable, once."""
    if block.digest not in state.voted:
        state.persist(body_record(block))
        state.voted[block.digest] = block


def trim_own(state: State) -> None:
    """Keep the votes of the highest own views, and bodies that they or `prepared` name."""
    views = sorted(dict.fromkeys(vote.view for vote in state.own), reverse=True)[:OWN_VIEWS_MAX]
    state.own = [vote for vote in state.own if vote.view in views]
    named = [vote.digest for vote in state.own]
    if state.required is not None:
        named.append(state.required)
    if state.prepared is not None:
        named.append(state.prepared.digest)
    state.voted = {digest: block for digest, block in state.voted.items() if digest in named}


def reached(records: Iterable[bytes], chain_id: str, environment: Environment) -> int:
    """The height that the chain had reached, at least, when these records were written.

    A chain below it has lost blocks since, and perhaps the journal no longer holds the votes at
    those heights. Raises InvariantBroken for a record that cannot be read.
    """
    height = 0
    for record in records:
        try:
            height = max(height, _reached(record, chain_id, environment))
        except (ProtocolViolation, ValueError) as error:
            raise InvariantBroken(f"a journal record cannot be read: {error}") from error
    return height


def _reached(record: bytes, chain_id: str, environment: Environment) -> int:
    fields = items(unpack(record, bytes_max=RECORD_BYTES_MAX), count_max=10)
    if fields[0] == "prepared":
        prepared = read_prepared(fields[1])
        return 0 if prepared is None else prepared.height - 1
    if fields[0] == "vote":
        vote = decode_frame(binary(fields[1]), chain_id, environment.read_header)
        return vote.height - 1 if isinstance(vote, Vote) else 0
    if fields[0] != "view":
        return 0  # a body promises nothing without a vote behind it
    # Not the base and the entry: who lags enters a view before it has those blocks, and the view's
    # own record keeps it from voting at or below its base.
    frame = fields[7]
    own = None
    if frame is not None:
        own = decode_frame(binary(frame), chain_id, environment.read_header)
    height = own.head.height if isinstance(own, ViewChange) else 0
    return max(number(fields[1]) - 1, height)


def restore(state: State, records: Iterable[bytes]) -> None:
    """Replay the journal into a fresh `state`, in order (PROTOCOL §7).

    1. The last view record of the present epoch counts; one of an older epoch is void, because
    the chain decided a new set since (C4). 2. Votes, `prepared` and bodies at or below the head are
    ignored. 3. A record that cannot be read, or that names what the chain has not reached, raises
    `InvariantBroken`: the journal is opaque to the driver and checksummed by it.
    """
    bodies: dict[bytes, Block] = {}
    for record in records:
        try:
            _replay(state, record, bodies)
        except (ProtocolViolation, ValueError) as error:
            raise InvariantBroken(f"a journal record cannot be read: {error}") from error
    state.voted = bodies
    trim_own(state)


def _replay(state: State, record: bytes, bodies: dict[bytes, Block]) -> None:
    fields = items(unpack(record, bytes_max=RECORD_BYTES_MAX), count_max=10)
    match fields[0]:
        case "view":
            _replay_view(state, fields)
        case "vote":
            _replay_vote(state, binary(fields[1]))
        case "body":
            block = state.environment.read_block(binary(fields[1], size_max=RECORD_BYTES_MAX))
            if block.height == state.height:
                bodies[block.digest] = block
        case "prepared":
            prepared = read_prepared(fields[1])
            if prepared is not None and prepared.height == state.height:
                state.prepared = prepared
        case _:
            raise InvariantBroken("a journal record of unknown kind")


def _replay_vote(state: State, frame: bytes) -> None:
    vote = decode_frame(frame, state.chain_id, state.environment.read_header)
    if not isinstance(vote, Vote) or vote.height < state.height or vote.sender != state.key:
        return
    invariant(vote.height == state.height, "the journal voted above the chain")
    if vote not in state.own:
        state.own.append(vote)
        state.votes.add(vote)


def _replay_view(state: State, fields: list[Value]) -> None:
    _, epoch, epoch_digest, view, mode, base, required, view_change, new_view, entry = fields
    invariant(number(epoch) <= state.epoch, "the journal is of a later epoch than the chain")
    if number(epoch) < state.epoch:
        return
    invariant(mode in (ACTIVE, CHANGING), "the journal names a mode that does not exist")
    state.epoch_digest = None if epoch_digest is None else binary(epoch_digest)
    state.view = number(view)
    state.mode = ACTIVE if mode == ACTIVE else CHANGING
    state.base = number(base)
    state.required = None if required is None else binary(required)
    read = state.environment.read_header
    kept = [
        None if value is None else decode_frame(binary(value), state.chain_id, read)
        for value in (view_change, new_view, entry)
    ]
    state.view_change = kept[0] if isinstance(kept[0], ViewChange) else None
    state.new_view = kept[1] if isinstance(kept[1], NewView) else None
    state.entry = kept[2] if isinstance(kept[2], Proof) else None
