"""Block bodies: which ones are needed, whom to ask, which ones to keep (PROTOCOL P5, N1)."""

from __future__ import annotations

from .interface import Block, FetchBlock, PeerId
from .limits import BODIES_MAX, FETCH_AGAIN_MS, FETCH_MS_MAX, UNASKED_BODIES_PER_PEER_MAX
from .messages import COMMIT, PREPARE
from .state import BodyFetch, State


def keep(state: State, peer: PeerId, block: Block) -> None:
    """Keep a body that came: asked for, or one of the few that each replica's peer may push.

    1. Its height is H or H+1; 2. it is not held; 3. it was asked for, or `peer` is a replica's, and
    then it displaces the oldest unasked body of that peer.
    """
    asked = state.fetches.pop(block.digest, None) is not None
    if block.height not in (state.height, state.height + 1) or state.body(block.digest) is not None:
        return
    if not asked:
        if peer not in state.other_peers:
            return
        pushed = [d for d, (source, _) in state.bodies.items() if source == peer]
        for digest in pushed[: max(0, len(pushed) - UNASKED_BODIES_PER_PEER_MAX + 1)]:
            del state.bodies[digest]
    state.bodies[block.digest] = ("" if asked else peer, block)
    while len(state.bodies) > BODIES_MAX:
        del state.bodies[next(iter(state.bodies))]


def voters_for(state: State, digest: bytes) -> tuple[PeerId, ...]:
    """P5: the primary, then whoever sent PREPARE or COMMIT for `digest`, then the others."""
    order: dict[PeerId, bool] = {state.replicas.primary(state.view).peer: True}
    for kind in (PREPARE, COMMIT):
        for vote in state.votes.at(kind, state.height, state.keys):
            peer = state.replicas.peer_of(vote.sender)
            if vote.digest == digest and peer is not None:
                order[peer] = True
    for message in state.view_changes.values():
        peer = state.replicas.peer_of(message.sender)
        prepared = message.prepared
        if prepared is not None and prepared.digest == digest and peer is not None:
            order[peer] = True
    others = state.other_peers
    return tuple(peer for peer in order if peer in others)


def need(state: State, digest: bytes) -> Block | None:
    """The body of `digest`; when it is missing, see that one peer at a time is asked for it."""
    block = state.body(digest)
    if block is not None:
        return block
    fetch = state.fetches.setdefault(digest, BodyFetch())
    while len(state.fetches) > BODIES_MAX:
        del state.fetches[next(iter(state.fetches))]
    now = state.now.mono_ms
    if fetch.peer is not None and now - fetch.asked_ms[fetch.peer] < FETCH_MS_MAX:
        return None
    for peer in sorted(voters_for(state, digest), key=lambda p: fetch.asked_ms.get(p, -1)):
        asked = fetch.asked_ms.get(peer)
        if asked is None or now - asked >= FETCH_AGAIN_MS:
            fetch.peer = peer
            fetch.asked_ms[peer] = now
            state.out.work.append(FetchBlock(peer, digest))
            return None
    return None


def missing(state: State, peer: PeerId, digest: bytes) -> None:
    """The asked peer had nothing: the next one is asked when the body is needed again."""
    fetch = state.fetches.get(digest)
    if fetch is not None and fetch.peer == peer:
        fetch.peer = None


def forget(state: State) -> None:
    """After the head moved: no bodies, fetches or executions at or below it."""
    state.bodies = {d: kept for d, kept in state.bodies.items() if kept[1].height >= state.height}
    state.voted = {d: block for d, block in state.voted.items() if block.height >= state.height}
    state.fetches = {}
    state.executed = {}
    state.executing = None
    state.building = None
    state.pool.nothing_valid = False
