"""Committed: q COMMITs or a fetched certificate, and what a new head changes (PROTOCOL C1–C5)."""

from __future__ import annotations

from .bodies import forget, need
from .certificates import check_commit_certificate, commit_certificate
from .errors import InvariantBroken, ProtocolViolation, invariant
from .evidence import hidden_commit
from .interface import ApplyBlock, Block, BlockApplied
from .journal import view_record
from .limits import NUMBER_MAX, RECENT_DIGESTS_MAX
from .messages import ACTIVE, COMMIT, Proof, Vote
from .quorum import ReplicaSet, replica_set
from .state import Applying, State
from .timers import disarm
from .wire import decode_certificate, encode_certificate


def commit_votes(state: State) -> list[Vote]:
    """q COMMITs of one (view, H, digest), in any mode; empty when there are none (§4.2)."""
    groups: dict[tuple[int, bytes], list[Vote]] = {}
    for vote in state.votes.at(COMMIT, state.height, state.keys):
        groups.setdefault((vote.view, vote.digest), []).append(vote)
    full = [votes for votes in groups.values() if len(votes) >= state.replicas.quorum]
    digests = dict.fromkeys(votes[0].digest for votes in full)
    invariant(len(digests) <= 1, "two blocks are committed at one height")
    return max(full, key=lambda votes: votes[0].view) if full else []


def apply_committed(state: State) -> bool:
    """Committed: apply the block of q COMMITs of one view, whatever our own view or mode (§4.2)."""
    if state.applying is not None:
        return False
    votes = commit_votes(state)
    if not votes:
        return False
    block = need(state, votes[0].digest)
    if block is None:
        return False
    certificate = commit_certificate(votes, state.replicas)
    start_apply(state, block, encode_certificate(certificate), certificate.view)
    return True


def start_apply(state: State, block: Block, certificate: bytes, view: int) -> None:
    """Ask the driver to append and apply; nothing is signed until it answers."""
    invariant(state.applying is None, "two blocks are applied at once")
    invariant(block.height == state.height, "a block applied at another height than H")
    if block.header.parent != state.head.digest:
        raise InvariantBroken("a committed block does not stand on our head: the chain forked")
    if state.executed.get(block.digest) is not None:
        raise InvariantBroken("a committed block fails here")
    state.applying = Applying(block, certificate, view)
    state.out.work.append(ApplyBlock(block, certificate))


def on_block_applied(state: State, event: BlockApplied) -> None:
    """C1: the head has moved. Clear what is at or below it, then C4, or C2 or C3.

    Castro–Liskov §4.3: each committed block with its certificate is a stable checkpoint.
    """
    applying = state.applying
    if applying is None or applying.block.digest != event.digest:
        raise InvariantBroken("a block was applied that nobody asked for")
    invariant(event.height == state.height, "a block was applied at another height")
    state.applying = None
    state.head, state.certificate = applying.block.header, applying.certificate
    state.head_block = applying.block
    remember_digest(state)
    state.timer.k = 0
    state.prepared = None
    state.own = []
    forget(state)
    if event.epoch != state.epoch:
        start_epoch(state, event.epoch, replica_set(event.validators))
        return
    invariant(event.validators == state.replicas.validators, "the set changed inside an epoch")
    state.votes.forget(state.head.height, state.keys)
    if state.active:
        disarm(state)
    if not enter_by_certificate(state, applying.view, Proof(state.head, state.certificate)):
        keep_entry(state, applying.view)
    for key in state.keys:
        hidden_commit(state, key)


def remember_digest(state: State) -> None:
    """The newest heights' digests, for V2, N3 and C2."""
    state.recent[state.head.height] = state.head.digest
    while len(state.recent) > RECENT_DIGESTS_MAX:
        del state.recent[next(iter(state.recent))]


def keep_entry(state: State, view: int) -> None:
    """A newer certificate of a view entered by C2 takes the place of the older one (R3)."""
    if state.active and view == state.view and state.new_view is None:
        state.entry = Proof(state.head, state.certificate)


def start_epoch(state: State, epoch: int, replicas: ReplicaSet) -> None:
    """C4: the set changed. New epoch, view 0, active, base = head; old VIEW-CHANGEs are void."""
    invariant(epoch == state.head.height + 1, "an epoch that does not start above the head")
    state.replicas, state.epoch, state.epoch_digest = replicas, epoch, state.head.digest
    state.view, state.mode = 0, ACTIVE
    state.base, state.required = state.head.height, None
    state.new_view = state.view_change = state.entry = None
    state.view_changes = {}
    state.waiting_new_view = None
    state.waiting_proof = None
    state.votes.forget(state.head.height, state.keys)
    state.timer.active_since_ms = state.now.mono_ms
    disarm(state)
    state.persist(view_record(state))


def enter_by_certificate(state: State, view: int, proof: Proof) -> bool:
    """C2: a certificate of view w > view, or = view while changing, makes us active in w.

    base = head, required and NEW-VIEW nil. A lower one changes nothing: C3, stay changing.
    """
    if not (view > state.view or (view == state.view and not state.active)):
        return False
    invariant(view <= NUMBER_MAX, "a view out of range")
    state.view, state.mode = view, ACTIVE
    state.base, state.required = state.head.height, None
    state.new_view = None
    state.view_change = None
    state.entry = proof
    state.timer.active_since_ms = state.now.mono_ms
    disarm(state)
    state.persist(view_record(state))
    return True


def on_proof(state: State, proof: Proof) -> None:
    """C2, second sentence: another certificate, of a block that is held or of one at H.

    1. Its block is of this epoch and at most H; 2. the digest is our block's, if it is not H; 3.
    its view would move us, or it is at H; 4. the certificate verifies. Raises ProtocolViolation.
    """
    header = proof.header
    if not state.epoch <= header.height <= state.height:
        return
    at_h = header.height == state.height
    view = decode_certificate(proof.certificate).view
    moves = view > state.view or (view == state.view and not state.active)
    if not moves and not at_h:
        return
    check_commit_certificate(
        header, proof.certificate, state.replicas, state.chain_id, state.environment
    )
    if header.validators_hash != state.head.next_validators_hash:
        raise ProtocolViolation("a certificate of another validator set")
    if not at_h:
        ours = state.recent.get(header.height, header.digest)
        invariant(header.digest == ours, "two certified blocks at one height")
    if state.waiting_proof is None or view > state.waiting_proof[1]:
        state.waiting_proof = (proof, view)


def use_proof(state: State) -> bool:
    """Apply C2, or the block itself, once nothing is being applied."""
    if state.waiting_proof is None or state.applying is not None:
        return False
    proof, view = state.waiting_proof
    if proof.header.height > state.head.height:
        block = need(state, proof.header.digest)
        if block is None:
            return False
        state.waiting_proof = None
        start_apply(state, block, proof.certificate, view)
        return True
    state.waiting_proof = None
    return enter_by_certificate(state, view, proof)
