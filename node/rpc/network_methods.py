"""The methods about this node, its peers and the consortium."""

from __future__ import annotations

from ledger.genesis import Peer as GenesisPeer
from ledger.genesis import Validator
from node.rpc.context import Context, software_version
from node.rpc.shapes import (
    ChainStatus,
    Cut,
    CutDone,
    FacilityRow,
    KeyRow,
    MemberRow,
    NodeInfo,
    NoParameters,
    Peer,
    ValidatorRow,
)


async def chain_status(context: Context, given: NoParameters) -> ChainStatus:
    """Where this node stands."""
    node = context.node
    head, status, (ready, reason) = node.chain.head, node.status(), node.ready()
    return ChainStatus(
        chain_id=node.genesis.chain_id,
        version=software_version(),
        height=head.height,
        head=head.digest.hex(),
        head_time_ms=head.time_ms,
        state_root=head.state_root.hex(),
        epoch=status.epoch,
        view=status.view,
        mode=status.mode,  # type: ignore[arg-type]
        primary=status.primary,
        replica=status.index,
        n=status.n,
        f=status.f,
        quorum=status.quorum,
        pending=len(node.mempool),
        peers=len(node.network.connected()),
        syncing=status.syncing,
        ready=ready,
        reason=reason,
    )


async def node_info(context: Context, given: NoParameters) -> NodeInfo:
    """Who answers."""
    node = context.node
    return NodeInfo(
        name=node.name,
        peer_id=node.network.peer_id,
        addresses=list(node.network.addresses),
        version=software_version(),
        started_ms=node.started_ms,
    )


async def peer_list(context: Context, given: NoParameters) -> list[Peer]:
    """Every peer that this node has seen or looks for."""
    node = context.node
    members: tuple[GenesisPeer | Validator, ...] = (*node.genesis.peers, *node.chain.validators)
    known = {each.peer_id: each for each in members}
    heights = dict(node.status().heads)
    return [
        Peer(
            peer_id=info.peer_id,
            name=known[info.peer_id].name if info.peer_id in known else None,
            member=known[info.peer_id].member if info.peer_id in known else None,
            address=info.address,
            connected=info.connected,
            height=heights.get(info.peer_id),
            round_trip_ms=info.round_trip_ms,
        )
        for info in node.network.peers()
    ]


async def validator_list(context: Context, given: NoParameters) -> list[ValidatorRow]:
    """Who votes on the next block, in the order of their indexes."""
    return [
        ValidatorRow(index, each.name, each.member, each.key.hex(), each.peer_id)
        for index, each in enumerate(context.node.chain.validators)
    ]


async def member_list(context: Context, given: NoParameters) -> list[MemberRow]:
    """Who may register, attest and read."""
    return [
        MemberRow(
            code=member.code,
            name=member.name,
            country=member.country,
            roles=list(member.roles),
            status=member.status,
            keys=[
                KeyRow(
                    key.key.hex(),
                    key.status,
                    None if key.facilities is None else list(key.facilities),
                )
                for key in member.keys
            ],
            facilities=[
                FacilityRow(place.id, place.name, place.country) for place in member.facilities
            ],
        )
        for member in context.node.genesis.members
    ]


async def testnet_cut(context: Context, given: Cut) -> CutDone:
    """Refuse and drop these peers from now on, and be deaf to those."""
    peers, deaf_to = frozenset(given.peers), frozenset(given.deaf_to)
    context.node.network.cut(peers, deaf_to)
    return CutDone(sorted(peers), sorted(deaf_to))
