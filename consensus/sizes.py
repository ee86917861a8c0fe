"""How much a replica holds of everything that can grow, beside its limit (PROTOCOL §2)."""

from __future__ import annotations

from dataclasses import dataclass

from .limits import (
    BODIES_MAX,
    CHAIN_BLOCKS_MAX,
    EVIDENCE_MAX,
    EXECUTED_MAX,
    OWN_VIEWS_MAX,
    PEERS_MAX,
    RECENT_DIGESTS_MAX,
)
from .messages import VOTE_KINDS
from .state import State
from .votes import size_max


@dataclass(frozen=True, slots=True)
class Size:
    """One growing part of the state: how many entries it has and may have."""

    name: str
    count: int
    limit: int


def sizes(state: State) -> tuple[Size, ...]:
    """Every part of the state that grows with what others send or with time."""
    n, peers = state.replicas.n, PEERS_MAX + state.replicas.n
    asked = max((len(fetch.asked_ms) for fetch in state.fetches.values()), default=0)
    return (
        Size("votes", len(state.votes), size_max(n)),
        Size("own votes", len(state.own), len(VOTE_KINDS) * OWN_VIEWS_MAX),
        Size("bodies voted for", len(state.voted), len(VOTE_KINDS) * OWN_VIEWS_MAX + 2),
        Size("VIEW-CHANGEs", len(state.view_changes), n),
        Size("bodies", len(state.bodies), BODIES_MAX),
        Size("recent digests", len(state.recent), RECENT_DIGESTS_MAX),
        Size("executions", len(state.executed), EXECUTED_MAX),
        Size("fetches", len(state.fetches), BODIES_MAX),
        Size("peers asked for one body", asked, n),
        Size("fetched blocks", len(state.chain.queue), CHAIN_BLOCKS_MAX),
        Size("peers without a chain", len(state.chain.refused_ms), PEERS_MAX),
        Size("heads", len(state.heads), peers),
        Size("peers caught up", len(state.caught_up_ms), peers),
        Size("peers lost", len(state.lost), peers),
        Size("reported cases", len(state.reported), EVIDENCE_MAX),
    )
