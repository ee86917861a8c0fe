"""One running node: wiring only. Each part is a module of its own."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
import trio
from trio_typing import TaskStatus

from consensus import Replica
from consensus.interface import (
    BlockReceived,
    FrameReceived,
    PeerConnected,
    PeerDisconnected,
    PoolChanged,
    ReplicaStatus,
    Start,
)
from ledger.chain import Chain, ExecutedBlock
from ledger.errors import LedgerError
from ledger.genesis import Genesis
from ledger.leveldb_store import LevelDBStore
from ledger.passport import Passport
from ledger.stored_chain import Head
from node import block_sync, cose, keys, log, startup, wall_clock
from node.config import Config, ConfigError
from node.dissemination import Disseminator, MalformedChunk
from node.driver import Driver
from node.environment import NodeEnvironment, consensus_validators
from node.guard import VoteGuard
from node.intake import Intake, TransactionStatus
from node.journal import HomeLock, Journal
from node.limits import WATCH_S
from node.memory import watch_memory
from node.mempool import Mempool, PoolBusy
from node.metrics import Metrics
from node.network import Network, NetworkConfig, NetworkError, RequestRefused
from node.verification import Verifier
from node.wall_clock import wall_ms
from node.worker import ChainWorker

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Identity:
    """A node's unlocked keys. `voting` is None for an observer."""

    node: keys.KeyFile
    voting: keys.KeyFile | None


class Node:
    """The parts of one node, wired together. Made by `run_node`."""

    def __init__(
        self,
        config: Config,
        identity: Identity,
        genesis: Genesis,
        chain: Chain,
        verifier: Verifier,
        store: LevelDBStore,
    ) -> None:
        self._identity = identity
        self.config, self.genesis, self.chain, self.verifier = config, genesis, chain, verifier
        self.name = config.name
        self.started_ms = wall_ms()
        self.metrics = Metrics()
        self.mempool = Mempool()
        self.intake = Intake(chain, self.mempool, verifier, self.metrics)
        self._store = store
        self._journal, self._observe = startup.open_journal(
            config.journal_path,
            chain.head.height,
            chain.journal_record,
            config.mark_path if identity.voting is not None else None,
        )
        self._head_changed = trio.Event()
        self.caught_up = trio.Event()
        self._log_unsaid = 0
        self._pool_told: tuple[int, int | None] = (0, None)
        self._wire()

    def _wire(self) -> None:
        config = self.config
        voting = self._identity.voting
        records = () if self._journal is None else self._journal.records
        guard = VoteGuard(records, self.chain.head.height, self.chain.epoch)
        self._environment = NodeEnvironment(voting, guard, self.mempool.find)
        self._votes_from = self._find_back()
        journal = self._journal if self._observe is None else None
        self.network = Network(self._network_config(), self._member_of, self)
        self.metrics.add_network(self.network.counters)
        self.disseminator = Disseminator(
            self.network.publish_chunk, lambda signed: self.mempool.find(signed) is not None
        )
        worker = ChainWorker(
            self.chain,
            self.mempool,
            journal,
            self._environment,
            self.metrics,
            config.evidence_path,
            self._applied,
        )
        replica = Replica(self._start(voting, journal), self._environment)
        self.driver = Driver(replica, journal, self.network, worker, self.metrics)
        worker.connect(self.network, self.disseminator, self.driver.inbox)
        self.network.set_known_addresses(
            {each.peer_id: each.address for each in self.genesis.validators if each.address}
        )

    def _find_back(self) -> int | None:
        """The height that the chain has to reach again before this validator votes, or None."""
        if self._journal is None or self._identity.voting is None:
            return None
        height = startup.lost_blocks(self._journal.records, self.chain.head.height)
        if height is not None:
            found = f"the chain in {self.config.chain_path} ends at block {self.chain.head.height}"
            self._observe = f"{found}, its journal saw {height}: it votes when it has caught up"
        return height

    def _network_config(self) -> NetworkConfig:
        config = self.config
        return NetworkConfig(
            seed=self._identity.node.seed,
            listen=config.p2p.listen,
            chain_id=self.genesis.chain_id,
            bootstrap=config.p2p.bootstrap,
            size=len(self.genesis.validators),
        )

    def _start(self, voting: keys.KeyFile | None, journal: Journal | None) -> Start:
        head = self.chain.head
        return Start(
            chain_id=self.genesis.chain_id,
            key=None if voting is None else voting.public,
            head=self._environment.read_header(head.header_bytes),
            certificate=head.certificate,
            validators=consensus_validators(self.chain.validators),
            epoch=self.chain.epoch,
            journal=() if journal is None else journal.records,
            observe=self._observe,
        )

    async def run(self, *, task_status: TaskStatus[Node] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; `started(self)` when the network listens."""
        if self._observe is not None:
            _log.error("observing", reason=self._observe)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.network.run)
                nursery.start_soon(self.driver.run)
                nursery.start_soon(self.disseminator.run)
                nursery.start_soon(self._watch)
                nursery.start_soon(watch_memory)
                _log.info("running", name=self.name, peer_id=self.network.peer_id)
                task_status.started(self)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of what `open_node` opened."""
        self.verifier.close()
        if self._journal is not None:
            self._journal.close()
        self._store.close()

    # --- what the RPC asks

    async def submit(self, signed: bytes) -> TransactionStatus:
        """Pool a signed transaction. Raises InvalidTransaction, PoolBusy."""
        status = await self.intake.submit(signed, self.disseminator)
        self._tell_pool()
        return status

    async def submit_many(
        self, lot: Sequence[bytes]
    ) -> list[TransactionStatus | LedgerError | PoolBusy]:
        """`submit` for each of a lot, in order; refusals as values."""
        outcomes = await self.intake.submit_many(lot, self.disseminator)
        self._tell_pool()
        return outcomes

    def transaction_status(self, tx_id: bytes) -> TransactionStatus:
        """What became of a transaction."""
        return self.intake.status(tx_id)

    async def wait_for(self, tx_id: bytes, wanted: str, timeout_s: float) -> TransactionStatus:
        """The status now ("pooled") or once it left the pool ("committed"). Raises PoolBusy."""
        if wanted != "committed":
            return self.intake.status(tx_id)
        return await self.intake.wait(tx_id, timeout_s)

    async def next_head(self) -> Head:
        """The head, once another block has been applied."""
        await self._head_changed.wait()
        return self.chain.head

    def status(self) -> ReplicaStatus:
        """The replica's account of itself."""
        return self.driver.status()

    def ready(self) -> tuple[bool, str]:
        """Whether this node can serve (and, as a validator, commit); and why not."""
        status = self.status()
        if status.observe is not None and self.config.validator_key_path.exists():
            return False, status.observe
        if status.syncing:
            return False, "catching up with the chain"
        if status.index is None:
            return True, "following the chain"
        linked = frozenset(self.network.connected())
        reached = 1 + sum(each.peer_id in linked for each in self.chain.validators)
        if reached < status.quorum:
            return False, f"{reached} of the {status.quorum} validators that a commit needs"
        if status.mode != "active":
            return False, f"changing to view {status.view}"
        return True, "ready"

    def render_metrics(self) -> bytes:
        """The text of GET /metrics."""
        status = self.status()
        self.metrics.height.set(status.head)
        self.metrics.view.set(status.view)
        self.metrics.changing.set(status.mode != "active")
        self.metrics.peers.set(len(self.network.connected()))
        self.metrics.pool.set(len(self.mempool))
        self.metrics.pool_bytes.set(self.mempool.size_bytes)
        return self.metrics.render()

    def receipt(self, passport: Passport) -> bytes:
        """The registration in a passport as a COSE receipt, signed by this node's identity."""
        return cose.receipt(passport, self._identity.node, self.network.peer_id)

    # --- what the network calls (node.network.Handlers)

    def on_frame(self, peer: str, data: bytes) -> None:
        """A consensus frame."""
        self.driver.offer(FrameReceived(peer, data))

    async def on_block(self, peer: str, data: bytes) -> None:
        """A block body that a peer sent."""
        try:
            block = await trio.to_thread.run_sync(self._environment.read_block, data)
        except ValueError as error:
            self.network.accuse(peer, f"a body that does not parse: {error}")
        else:
            self.driver.offer(BlockReceived(peer, block))

    async def on_request(self, peer: str, kind: str, payload: bytes) -> bytes:
        """A peer asks for blocks. Raises RequestRefused."""
        try:
            if kind == "block":
                return block_sync.serve_block(self.chain, self.driver.replica.body, payload)
            if kind == "chain":
                return await trio.to_thread.run_sync(block_sync.serve_chain, self.chain, payload)
        except block_sync.BadRequest as error:
            raise RequestRefused(str(error)) from error
        raise RequestRefused(f"no such request: {kind}")

    async def on_chunk(self, peer: str, data: bytes) -> bool:
        """A chunk of transactions; True lets gossip forward it: it was checked and held news."""
        try:
            taken = await self.intake.take_chunk(data)
        except MalformedChunk as error:
            self.network.accuse(peer, str(error))
            return False
        self._tell_pool()
        return taken > 0

    def on_peer_up(self, peer: str) -> None:
        """A link stands."""
        self.driver.offer(PeerConnected(peer))

    def on_peer_down(self, peer: str) -> None:
        """A link is gone."""
        self.driver.offer(PeerDisconnected(peer))

    # --- inside

    def _member_of(self, peer: str) -> str | None:
        for validator in self.chain.validators:
            if validator.peer_id == peer:
                return validator.name
        for other in self.genesis.peers:
            if other.peer_id == peer:
                return other.name
        return None

    def _applied(self, executed: ExecutedBlock, head: Head) -> None:
        self.intake.settle(list(executed.block.transactions), head.time_ms)
        self._tell_pool()
        self._head_changed.set()
        self._head_changed = trio.Event()
        self._log_unsaid += len(executed.block.transactions)
        if self._votes_from is not None and head.height >= self._votes_from:
            self.caught_up.set()

    async def _watch(self) -> None:
        """Once a second: what has expired leaves an idle pool, and the log says what changed."""
        told_height, told_view = self.chain.head.height, (0, "active")
        while True:
            await trio.sleep(WATCH_S)
            if self.mempool.expire(wall_ms()):
                self.intake.wake()
                self._tell_pool()
            status = self.status()
            if (status.view, status.mode) != told_view:
                told_view = (status.view, status.mode)
                _log.info("view", view=status.view, mode=status.mode, primary=status.primary)
            if status.head != told_height:
                transactions, self._log_unsaid = self._log_unsaid, 0
                _log.info("committed", height=status.head, transactions=transactions)
                told_height = status.head

    def _tell_pool(self) -> None:
        told = (len(self.mempool), self.mempool.oldest_since_ms)
        if told != self._pool_told:
            self._pool_told = told
            self.driver.inbox.pool(PoolChanged(*told))


def open_node(config: Config, identity: Identity) -> Node:
    """Open everything that a node keeps on disk. Raises what names the file at fault."""
    genesis = startup.read_genesis(config.genesis_path)
    verifier = Verifier()
    try:
        store, chain = startup.open_chain(config.chain_path, genesis, verifier.check)
        return Node(config, identity, genesis, chain, verifier, store)
    except NetworkError as error:
        verifier.close()
        raise ConfigError(f"{config.home / 'config.toml'}: {error}") from error
    except BaseException:
        verifier.close()
        raise


async def run_node(
    config: Config,
    identity: Identity,
    door: Callable[..., Awaitable[None]] | None = None,
    *,
    task_status: TaskStatus[Node] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the node of a home until SIGINT, SIGTERM or cancellation.

    `door(node, task_status=…)`: what serves people beside the node, as a task that ends with it.
    Raises HomeLocked, StartRefused, StorageFailed, InvariantBroken and what `open_node` raises.
    """
    startup.require_assertions()
    startup.raise_descriptor_limit()
    log.set_up(config.log)
    if config.testnet.clock_offset_ms:
        wall_clock.set_wrong(config.testnet.clock_offset_ms)
        _log.warning("the clock is wrong on purpose", offset_ms=config.testnet.clock_offset_ms)
    lock = HomeLock(config.lock_path)
    try:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            while await _live(config, identity, door, signals, task_status):
                task_status = trio.TASK_STATUS_IGNORED
                _log.info("caught up: voting from here on")
    finally:
        lock.release()


async def _live(
    config: Config,
    identity: Identity,
    door: Callable[..., Awaitable[None]] | None,
    signals: AsyncIterator[int],
    task_status: TaskStatus[Node],
) -> bool:
    """Open a home and run it to its end; whether it has caught up and is to be opened again."""
    node = open_node(config, identity)
    async with trio.open_nursery() as nursery:
        await nursery.start(node.run)
        if door is not None:
            await nursery.start(partial(door, node))
        task_status.started(node)
        nursery.start_soon(_end_on_signal, signals, nursery.cancel_scope)
        await node.caught_up.wait()
        nursery.cancel_scope.cancel()
    return node.caught_up.is_set()


async def _end_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for number in signals:
        _log.info("stopping", signal=signal.Signals(number).name)
        scope.cancel()
        return
