"""The normal case: PRE-PREPARE, PREPARE, COMMIT (PROTOCOL §3; Castro–Liskov OSDI'99 §4.2).

Votes are stored whenever they are well signed and in bounds; the rules here ask for them later, in
whatever order they came.
"""

from __future__ import annotations

from .bodies import need
from .certificates import prepared_certificate
from .errors import InvariantBroken, ProtocolViolation, invariant
from .evidence import hidden_commit, two_votes
from .interface import Block, BlockBuilt, BlockExecuted, BuildBlock, ExecuteBlock
from .journal import prepared_record, remember_vote
from .limits import BLOCK_AGE_MS_MAX, BLOCK_AHEAD_MS_MAX, EXECUTED_MAX
from .messages import COMMIT, PRE_PREPARE, PREPARE, Vote
from .state import State
from .wire import encode_vote, vote_bytes


def on_vote(state: State, vote: Vote) -> None:
    """Store a vote, in any mode and phase (§4.2). Raises ProtocolViolation.

    1. Height is H or H+1, else it is ignored; 2. the sender votes in the present set; 3. at H a
    PRE-PREPARE is the primary's and a PREPARE is not; 4. its view is among the sender's 4 highest;
    5. the signature is the sender's; 6. a PREPARE attaches the primary's PRE-PREPARE signature.
    A second digest at one place is evidence and is not stored.
    """
    if vote.height not in (state.height, state.height + 1) or vote.sender == state.key:
        return
    at_h = vote.height == state.height
    if state.replicas.index_of(vote.sender) is None:
        if at_h:
            raise ProtocolViolation("a vote of somebody who does not vote")
        return
    primary = state.replicas.primary(vote.view).key
    if at_h and (vote.kind == PRE_PREPARE) != (vote.sender == primary) and vote.kind != COMMIT:
        raise ProtocolViolation(f"a {vote.kind} of the wrong replica")
    known = state.votes.get(vote.kind, vote.view, vote.height, vote.sender)
    if known == vote or (known is None and not state.votes.has_room(vote)):
        return
    if known is not None and known.digest == vote.digest:
        return
    _check_signature(state, vote)
    proposal = _attached_proposal(state, vote, primary)
    if vote.kind == PREPARE and proposal is None:
        if at_h:
            raise ProtocolViolation("a PREPARE without the primary's signature")
        return
    if known is not None:
        two_votes(state, known, vote)
    _store(state, vote)
    if proposal is not None:
        _store(state, proposal)
    if vote.kind == COMMIT and at_h:
        hidden_commit(state, vote.sender)


def _check_signature(state: State, vote: Vote) -> None:
    signed = vote_bytes(state.chain_id, vote.kind, vote.view, vote.height, vote.digest)
    if not state.environment.verify(vote.sender, signed, vote.signature):
        raise ProtocolViolation(f"a {vote.kind} with a wrong signature")


def _attached_proposal(state: State, vote: Vote, primary: bytes) -> Vote | None:
    """The PRE-PREPARE that a PREPARE attaches, if its signature is the primary's."""
    if vote.kind != PREPARE:
        return None
    place = (vote.view, vote.height, vote.digest)
    known = state.votes.get(PRE_PREPARE, vote.view, vote.height, primary)
    if known is not None and (known.digest, known.signature) == (vote.digest, vote.attached):
        return known
    signed = vote_bytes(state.chain_id, PRE_PREPARE, *place)
    if not state.environment.verify(primary, signed, vote.attached):
        return None
    return Vote(PRE_PREPARE, *place, primary, vote.attached)


def _store(state: State, vote: Vote) -> None:
    known = state.votes.get(vote.kind, vote.view, vote.height, vote.sender)
    if known is None:
        state.votes.add(vote)
    else:
        two_votes(state, known, vote)


def proposal_at_head(state: State) -> Vote | None:
    """The PRE-PREPARE at (view, H): received, or carried by the installed NEW-VIEW."""
    primary = state.replicas.primary(state.view).key
    new_view = state.new_view
    if (
        new_view is not None
        and new_view.required is not None
        and new_view.base == state.head.height
    ):
        place = (new_view.view, state.height, new_view.required)
        return Vote(PRE_PREPARE, *place, primary, new_view.proposal)
    return state.votes.get(PRE_PREPARE, state.view, state.height, primary)


def required_here(state: State) -> bytes | None:
    """What H must be in this view, None when it is free."""
    return state.required if state.height == state.base + 1 else None


def _may_vote(state: State) -> bool:
    """Active, allowed to sign, and H > base (C5, N6)."""
    return state.may_sign and state.active and state.height > state.base


def propose(state: State) -> bool:
    """P1: as primary, ask for a block to propose (§4.2).

    1. primary(view) is this replica; 2. active; 3. H > base; 4. no own vote at (view, H); 5. pool
    not empty; 6. not (H = base+1 and required ≠ nil). Returns whether anything was asked.
    """
    free = required_here(state) is None and state.own_vote(PRE_PREPARE, state.view) is None
    pool = state.pool.pending > 0 and not state.pool.nothing_valid
    if not (_may_vote(state) and state.is_primary and free and pool) or state.building is not None:
        return False
    index = state.index
    invariant(index is not None, "a primary outside the set")
    state.building = state.head.digest
    state.out.work.append(BuildBlock(state.head.digest, state.height, index or 0))
    return True


def on_block_built(state: State, event: BlockBuilt) -> None:
    """P1, second half: vote for the block that was built, if the rule is still enabled.

    1. It was built on the present head; 2. `propose`'s conditions still hold. Vote and body are
    durable before the PRE-PREPARE leaves. An empty-handed answer waits for the pool to change.
    """
    if event.parent != state.building:
        return
    state.building = None
    if event.parent != state.head.digest:
        return
    if event.block is None:
        state.pool.nothing_valid = True
        return
    block = event.block
    free = required_here(state) is None and state.own_vote(PRE_PREPARE, state.view) is None
    if not (_may_vote(state) and state.is_primary and free):
        return
    invariant(block.height == state.height, "a block built for another height")
    invariant(block.header.parent == state.head.digest, "a block built on another parent")
    cast_vote(state, PRE_PREPARE, block)
    state.send_block(state.other_peers, block)


def cast_vote(state: State, kind: str, block: Block, attached: bytes = b"") -> Vote:
    """Sign a vote at (view, H), make it and the body durable, count it and send it to all.

    The signature leaves only after the records: the output is performed in that order.
    """
    invariant(state.may_sign and state.key is not None, "a vote by one who may not sign")
    invariant(state.own_vote(kind, state.view) is None, f"a second {kind} at one place")
    invariant(block.height == state.height, "a vote at another height than H")
    place = (state.view, state.height, block.digest)
    signature = state.environment.sign(vote_bytes(state.chain_id, kind, *place))
    vote = Vote(kind, *place, state.key or b"", signature, attached)
    remember_vote(state, vote, block)
    state.votes.add(vote)
    state.send(state.other_peers, encode_vote(state.chain_id, vote))
    return vote


def prepare(state: State) -> bool:
    """P2–P5: as backup, PREPARE what the primary proposed (§4.2).

    1. Active, same view, H > base, a backup; 2. no own PREPARE at (view, H); 3. its body is held,
    or is fetched (P5); 4. H = base+1 and required ≠ nil: digest = required, and neither time nor
    proposer is looked at; 5. else it is fresh: parent = head, proposer = primary(view), not empty,
    parent time < time, now − 120 s ≤ time ≤ now + 2 s; 6. it executes here to the same roots (P3).
    A refusal consumes nothing (P4). Returns whether anything was done.
    """
    proposal = proposal_at_head(state)
    if proposal is None or not _may_vote(state) or state.is_primary:
        return False
    if state.own_vote(PREPARE, state.view) is not None:
        return False
    required = required_here(state)
    if required is not None and proposal.digest != required:
        return False
    block = need(state, proposal.digest)
    if block is None or not _acceptable(state, block, required):
        return False
    if block.digest not in state.executed:
        return _execute(state, block)
    refusal = state.executed[block.digest]
    if refusal is not None:
        if required is not None:
            raise InvariantBroken(f"a required block fails here: {refusal}")
        return False
    cast_vote(state, PREPARE, block, proposal.signature)
    return True


def _acceptable(state: State, block: Block, required: bytes | None) -> bool:
    """P2: the checks of a required or of a fresh block. Sets the clock's retry (P4)."""
    header = block.header
    in_place = header.height == state.height and header.parent == state.head.digest
    if required is not None:
        invariant(in_place, "a required block that does not stand on its base")
        return True
    proposer = state.view % state.replicas.n
    if not in_place or header.proposer != proposer or header.transaction_count == 0:
        return False
    if header.validators_hash != state.head.next_validators_hash:
        return False
    early = header.time_ms - (state.now.wall_ms + BLOCK_AHEAD_MS_MAX)
    if early > 0:
        state.timer.clock_retry_ms = state.now.mono_ms + early
        return False
    return header.time_ms > state.head.time_ms and header.time_ms >= (
        state.now.wall_ms - BLOCK_AGE_MS_MAX
    )


def _execute(state: State, block: Block) -> bool:
    """P3: ask for an execution on the head, one at a time, cached by digest."""
    if state.executing is not None:
        return False
    state.executing = block.digest
    state.out.work.append(ExecuteBlock(block))
    return True


def on_block_executed(state: State, event: BlockExecuted) -> None:
    """P3, second half: remember the result, if it is for the present head."""
    if event.digest == state.executing:
        state.executing = None
    if event.parent == state.head.digest:
        state.executed[event.digest] = event.refusal
        while len(state.executed) > EXECUTED_MAX:
            del state.executed[next(iter(state.executed))]


def commit(state: State) -> bool:
    """COMMIT (§4.2).

    1. Active, H > base; 2. no own COMMIT at (view, H); 3. own PREPARE or PRE-PREPARE there has the
    digest; 4. a prepared certificate exists for it: the PRE-PREPARE and q−1 backups' PREPAREs. The
    certificate, body and vote are durable before it leaves. Returns whether it was sent.
    """
    if not _may_vote(state) or state.own_vote(COMMIT, state.view) is not None:
        return False
    own = state.own_vote(PRE_PREPARE if state.is_primary else PREPARE, state.view)
    proposal = proposal_at_head(state)
    if own is None or proposal is None or own.digest != proposal.digest:
        return False
    primary = state.replicas.primary(state.view).key
    prepares = [
        vote
        for vote in state.votes.at(PREPARE, state.height, state.keys)
        if vote.view == state.view and vote.digest == own.digest and vote.sender != primary
    ]
    if len(prepares) < state.replicas.quorum - 1:
        return False
    certificate = prepared_certificate(proposal, prepares, state.replicas)
    held = state.prepared
    invariant(held is None or held.view <= certificate.view, "`prepared` goes back to a lower view")
    block = state.body(own.digest)
    if block is None:
        raise InvariantBroken("a body voted for is gone")
    state.prepared = certificate
    state.persist(prepared_record(certificate))
    cast_vote(state, COMMIT, block)
    return True
