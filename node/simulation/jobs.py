"""The work that a step asks for: computing on the application, and asking peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from consensus.interface import (
    AccusePeer,
    ApplyBlock,
    Block,
    BlockApplied,
    BlockBuilt,
    BlockExecuted,
    BlockMissing,
    BuildBlock,
    ChainReceived,
    Event,
    ExecuteBlock,
    FetchBlock,
    FetchChain,
    ReportEvidence,
    ShareOldest,
    Work,
)
from node.simulation.limits import BLOCK_TRANSACTIONS_MAX, FETCH_TIMEOUT_MS, WORK_DELAY_MS_MAX

if TYPE_CHECKING:
    from node.simulation.host import Host


def start_job(host: Host, work: Work) -> None:
    """Start one job; its answer comes back to the host as an event."""
    delay_ms = host.cluster.world.random.randint(0, WORK_DELAY_MS_MAX)
    match work:
        case BuildBlock() | ExecuteBlock() | ApplyBlock():
            host.later(delay_ms, lambda: _compute(host, work))
        case FetchBlock(peer, digest):
            missing = BlockMissing(peer, digest)
            _ask(host, peer, missing, lambda target: target.answer_block(digest))
        case FetchChain(peer, first):
            nothing = ChainReceived(peer, ())
            _ask(host, peer, nothing, lambda target: target.answer_chain(first))
        case ShareOldest():
            for transaction in list(host.pool)[:BLOCK_TRANSACTIONS_MAX]:
                host.gossip(transaction)
        case ReportEvidence(subject, name, data):
            host.evidence[name] = data
            host.cluster.world.note(f"{host.name} has evidence against {subject}: {name}")
        case AccusePeer(peer, reason):
            host.cluster.world.note(f"{host.name} accuses {peer}: {reason}")


def _compute(host: Host, work: BuildBlock | ExecuteBlock | ApplyBlock) -> None:
    match work:
        case BuildBlock(parent, _, proposer):
            pooled = tuple(host.pool) if host.app.head.header.digest == parent else ()
            block = host.app.build(pooled, host.now.wall_ms, proposer)
            host.take(BlockBuilt(parent, block))
        case ExecuteBlock(block):
            parent = host.app.head.header.digest
            host.take(BlockExecuted(block.digest, parent, host.app.execute(block)))
        case ApplyBlock(block, certificate):
            _apply(host, block, certificate)


def _apply(host: Host, block: Block, certificate: bytes) -> None:
    if host.dies() or host.disk_fails():
        return
    if host.honest:
        host.cluster.checkers.on_append(host.name, host.app, block, certificate)
    try:
        host.app.append(block, certificate, host.disk.last_record)
    except ValueError as error:
        host.fail(error)
        return
    if host.dies():
        return
    head = host.app.head
    host.cluster.world.note(f"{host.name} applied {block.height} {block.digest.hex()[:6]}")
    host.pool = {each: at for each, at in host.pool.items() if host.app.admits(each)}
    host.take(BlockApplied(block.digest, block.height, head.validators, head.epoch))
    host.take(host.pool_event())


def _ask(host: Host, peer: str, nothing: Event, answer: Callable[[Host], Event | None]) -> None:
    """Ask every process at `peer`; the first answer counts, silence becomes `nothing`."""
    network = host.cluster.network
    waiting = [True]

    def close(event: Event) -> None:
        if waiting:
            waiting.clear()
            host.take(event)

    def asked(target: Host) -> None:
        reply = answer(target) if target.alive else None
        if reply is not None:
            network.send(target.name, host.name, "answer", host.in_this_life(close, reply))

    for target in host.cluster.at_peer(peer):
        if target is not host:
            network.send(host.name, target.name, "request", partial(asked, target))
    host.later(FETCH_TIMEOUT_MS, lambda: close(nothing))
