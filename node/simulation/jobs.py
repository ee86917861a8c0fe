"""The work that a step asks for: computing on the application, and asking peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from consensus.interface import (
    AccusePeer,
    ApplyBlock,
    Block,
    BlockApplied,
    BlockBuilt,
    BlockExecuted,
    BlockMissing,
    BlockReceived,
    BuildBlock,
    ChainReceived,
    CommittedBlock,
    Event,
    ExecuteBlock,
    FetchBlock,
    FetchChain,
    ReportEvidence,
    ShareOldest,
    Work,
)
from ledger.errors import LedgerError
from node.simulation.limits import (
    BLOCK_TRANSACTIONS_MAX,
    FETCH_BLOCKS_MAX,
    FETCH_TIMEOUT_MS,
    WORK_DELAY_MS_MAX,
)

if TYPE_CHECKING:
    from node.simulation.host import Host

T = TypeVar("T")


def start_job(host: Host, work: Work) -> None:
    """Start one job; its answer comes back to the host as an event."""
    delay_ms = host.cluster.world.random.randint(0, WORK_DELAY_MS_MAX)
    match work:
        case BuildBlock() | ExecuteBlock() | ApplyBlock():
            host.later(delay_ms, lambda: _on_the_chain(host, partial(_compute, host, work)))
        case FetchBlock(peer, digest):
            missing = BlockMissing(peer, digest)
            _ask(host, peer, missing, lambda target: answer_block(target, digest))
        case FetchChain(peer, first):
            nothing = ChainReceived(peer, ())
            _ask(host, peer, nothing, lambda target: answer_chain(target, first))
        case ShareOldest():
            for transaction in list(host.pool)[:BLOCK_TRANSACTIONS_MAX]:
                host.gossip(transaction)
        case ReportEvidence(subject, name, data):
            host.evidence[name] = data
            host.note(f"has evidence against {subject}: {name}")
        case AccusePeer(peer, reason):
            host.note(f"accuses {peer}: {reason}")


def _on_the_chain(host: Host, job: Callable[[], T]) -> T | None:
    """Do what reads the chain; one that does not read stops the process."""
    try:
        return job()
    except LedgerError as error:
        host.store_fails(error)
        return None


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
    host.cluster.checkers.on_applied(host.name, block.height)
    host.note(f"applied {block.height} {block.digest.hex()[:6]}")
    host.pool = {each: at for each, at in host.pool.items() if host.app.admits(each)}
    host.take(BlockApplied(block.digest, block.height, head.validators, head.epoch))
    host.take(host.pool_event())


def answer_block(host: Host, digest: bytes) -> Event | None:
    """The body that a peer asked for, if it is held or stored."""
    held = host.machine.body(digest) if host.machine is not None else None
    if held is None:
        held = host.app.find(digest)
    return None if held is None else BlockReceived(host.peer, host.app.read_block(held.data))


def answer_chain(host: Host, first: int) -> Event:
    """Committed blocks from `first` on, at most a limit of them; a liar distorts them."""
    blocks: list[CommittedBlock] = []
    while len(blocks) < FETCH_BLOCKS_MAX:
        stored = host.app.stored(first + len(blocks))
        if stored is None:
            break
        block = host.app.read_block(stored.block.data)
        blocks.append(CommittedBlock(block, stored.certificate))
    told = blocks if host.distort is None else host.distort(blocks)
    return ChainReceived(host.peer, tuple(told))


def _ask(host: Host, peer: str, nothing: Event, answer: Callable[[Host], Event | None]) -> None:
    """Ask every process at `peer`; the first answer counts, silence becomes `nothing`."""
    network = host.cluster.network
    waiting = [True]

    def close(event: Event) -> None:
        if waiting:
            waiting.clear()
            host.take(event)

    def asked(target: Host) -> None:
        reply = _on_the_chain(target, partial(answer, target)) if target.alive else None
        if reply is not None:
            network.send(target.name, host.name, "answer", host.in_this_life(close, reply))

    for target in host.cluster.at_peer(peer):
        if target is not host:
            network.send(host.name, target.name, "request", partial(asked, target))
    host.later(FETCH_TIMEOUT_MS, lambda: close(nothing))
