"""Retransmission, catching up and helping others catch up (PROTOCOL §6)."""

from __future__ import annotations

from .certificates import check_commit_certificate
from .committed import start_apply
from .errors import ProtocolViolation
from .interface import AccusePeer, ChainReceived, FetchChain, PeerId, SendToAll
from .limits import (
    CATCH_UP_REPLY_MS,
    CHAIN_AGAIN_MS,
    CHAIN_BLOCKS_MAX,
    FETCH_MS_MAX,
    PEERS_MAX,
)
from .messages import ACTIVE, CHANGING, VOTE_KINDS, Status
from .state import State
from .wire import encode_proof, encode_status, encode_vote


def status_frame(state: State) -> bytes:
    """R1: STATUS, a hint that nobody counts."""
    status = Status(state.epoch, state.view, state.mode, state.head.height)
    return encode_status(state.chain_id, status)


def retransmit(state: State, to: tuple[PeerId, ...]) -> None:
    """R2: changing, own VIEW-CHANGE; active, own votes at (view, H). Byte-identical."""
    if state.mode == CHANGING and state.view_change is not None:
        state.send(to, state.view_change.frame)
    if state.mode == ACTIVE:
        for kind in VOTE_KINDS:
            vote = state.own_vote(kind, state.view)
            if vote is not None:
                state.send(to, encode_vote(state.chain_id, vote))


def heartbeat(state: State) -> None:
    """R1 and R2, to every peer."""
    state.out.send.append(SendToAll(status_frame(state)))
    retransmit(state, state.other_peers)


def greet(state: State, peer: PeerId) -> None:
    """R1 and R2 on connect."""
    state.lost.pop(peer, None)
    state.send((peer,), status_frame(state))
    if peer in state.other_peers:
        retransmit(state, (peer,))


def note_head(state: State, peer: PeerId, head: int) -> None:
    """A signed message of a higher head or later epoch is a hint to fetch, like STATUS."""
    known = state.heads.get(peer)
    if known is not None and known.head >= head:
        return
    if head > state.head.height and (known is not None or len(state.heads) < PEERS_MAX):
        status = known or Status(0, 0, ACTIVE, head)
        state.heads[peer] = Status(status.epoch, status.view, status.mode, head)


def on_status(state: State, peer: PeerId, status: Status) -> None:
    """R1 and R3: remember what a peer says, and show it the view if it is behind.

    Active, and the peer of our epoch, its head ≤ ours, in a lower view or changing to ours: it gets
    our NEW-VIEW, whoever we are; if the view was entered by C2, our block and its certificate.
    """
    if peer in state.heads or len(state.heads) < PEERS_MAX or peer in state.other_peers:
        state.heads[peer] = status
    behind = status.view < state.view or (status.view == state.view and status.mode == CHANGING)
    ours = status.epoch == state.epoch and status.head <= state.head.height
    if not (state.active and ours and behind and peer in state.other_peers):
        return
    last = state.caught_up_ms.get(peer)
    if last is not None and state.now.mono_ms - last < CATCH_UP_REPLY_MS:
        return
    state.caught_up_ms[peer] = state.now.mono_ms
    new_view, entry = state.new_view, state.entry
    if new_view is not None:
        state.send((peer,), new_view.frame)
        body = None if new_view.required is None else state.body(new_view.required)
        if body is not None and body.height == status.head + 1:
            state.send_block((peer,), body)
    elif entry is not None:
        state.send((peer,), encode_proof(state.chain_id, entry))
        block = state.head_block
        if block is not None and block.digest == entry.header.digest:
            state.send_block((peer,), block)


def request_chain(state: State) -> bool:
    """R4: somebody's head is higher: fetch, one request in flight, from one peer after the other.

    Whoever was asked goes to the end: a peer that gives little at a time sets nobody's pace.
    """
    chain, now = state.chain, state.now.mono_ms
    if state.applying is not None or chain.queue:
        return False
    if chain.peer is not None:
        if now - chain.asked_ms < FETCH_MS_MAX:
            return False
        _refuse(state, chain.peer)
        chain.peer = None
    for peer, status in state.heads.items():
        refused = chain.refused_ms.get(peer)
        if status.head <= state.head.height:
            continue
        if refused is None or now - refused >= CHAIN_AGAIN_MS:
            state.heads[peer] = state.heads.pop(peer)
            chain.peer, chain.first, chain.asked_ms = peer, state.height, now
            state.out.work.append(FetchChain(peer, state.height))
            return True
    return False


def _refuse(state: State, peer: PeerId) -> None:
    refused = state.chain.refused_ms
    refused.pop(peer, None)
    refused[peer] = state.now.mono_ms
    while len(refused) > PEERS_MAX:
        del refused[next(iter(refused))]


def on_chain(state: State, event: ChainReceived) -> None:
    """R4, the answer: keep the blocks in order; nothing useful means: next peer."""
    chain = state.chain
    if event.peer != chain.peer:
        return
    chain.peer = None
    blocks = [b for b in event.blocks[:CHAIN_BLOCKS_MAX] if b.block.height >= state.height]
    if event.blocks and event.blocks[0].block.height != chain.first:
        _refuse(state, event.peer)
        accusation = "a chain that does not begin where it was asked to"
        state.out.work.append(AccusePeer(event.peer, accusation))
        return
    if not blocks and event.blocks:
        return
    if not blocks:
        _refuse(state, event.peer)
    chain.queue, chain.queue_from = blocks, event.peer


def apply_chain(state: State) -> bool:
    """R4: verify and apply the next fetched block.

    1. Its height is H; 2. it was made for our set and on our head; 3. its commit certificate
    verifies under the set of that height. A wrong one ends the answer, and its sender is accused.
    """
    chain = state.chain
    while chain.queue and chain.queue[0].block.height < state.height:
        chain.queue.pop(0)
    if not chain.queue or state.applying is not None:
        return False
    fetched = chain.queue.pop(0)
    header = fetched.block.header
    try:
        if header.height != state.height:
            raise ProtocolViolation("fetched blocks are not consecutive")
        if header.validators_hash != state.head.next_validators_hash:
            raise ProtocolViolation("a fetched block of another validator set")
        certificate = check_commit_certificate(
            header, fetched.certificate, state.replicas, state.chain_id, state.environment
        )
    except ProtocolViolation as error:
        chain.queue = []
        _refuse(state, chain.queue_from)
        state.out.work.append(AccusePeer(chain.queue_from, str(error)))
        return True
    start_apply(state, fetched.block, fetched.certificate, certificate.view)
    return True


def forget_peer(state: State, peer: PeerId) -> None:
    """A connection is gone: its claims and the request it had in flight are void."""
    state.heads.pop(peer, None)
    state.caught_up_ms.pop(peer, None)
    if state.chain.peer == peer:
        state.chain.peer = None
    for fetch in state.fetches.values():
        if fetch.peer == peer:
            fetch.peer = None
    if peer in state.other_peers:
        state.lost[peer] = True
