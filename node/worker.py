"""The jobs that the replica asks for: build, execute, apply, fetch, share, keep evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog
import trio

from consensus.errors import InvariantBroken
from consensus.interface import (
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
    ExecuteBlock,
    FetchBlock,
    FetchChain,
    ReportEvidence,
    ShareOldest,
    Work,
)
from ledger.blocks import ParsedBlock
from ledger.chain import Chain, ExecutedBlock
from ledger.errors import InvalidBlock
from ledger.stored_chain import Head
from node import block_sync, proposer
from node.dissemination import Disseminator
from node.driver import StorageFailed
from node.environment import NodeEnvironment, consensus_block, consensus_validators
from node.inbox import Inbox
from node.journal import Journal, make_folder, write_file
from node.limits import EXECUTED_CACHE_MAX, REQUEST_TIMEOUT_S, SHARE_OLDEST_BYTES
from node.mempool import Mempool
from node.metrics import Metrics
from node.network import Network, PeerUnavailable, RequestFailed

_log = structlog.get_logger()


class ChainWorker:
    """Performs `Work`; answers go to the inbox. `on_applied` runs on the event loop."""

    def __init__(
        self,
        chain: Chain,
        pool: Mempool,
        journal: Journal | None,
        environment: NodeEnvironment,
        metrics: Metrics,
        evidence: Path,
        on_applied: Callable[[ExecutedBlock, Head], None],
    ) -> None:
        self._chain = chain
        self._pool = pool
        self._journal = journal
        self._environment = environment
        self._metrics = metrics
        self._evidence = evidence
        self._on_applied = on_applied
        self._executed: dict[bytes, ExecutedBlock] = {}
        self._network: Network | None = None
        self._disseminator: Disseminator | None = None
        self._inbox = Inbox()

    def connect(self, network: Network, disseminator: Disseminator, inbox: Inbox) -> None:
        """The other end of the wiring, which needs this worker to exist first."""
        self._network, self._disseminator, self._inbox = network, disseminator, inbox

    async def ledger_job(self, work: BuildBlock | ExecuteBlock | ApplyBlock) -> None:
        """One job on the chain. Raises OSError, InvariantBroken."""
        if isinstance(work, BuildBlock):
            await self._build(work)
        elif isinstance(work, ExecuteBlock):
            await self._execute(work)
        else:
            await self._apply(work)

    async def side_job(self, work: Work) -> None:
        """Any other job."""
        if isinstance(work, FetchBlock):
            await self._fetch_block(work)
        elif isinstance(work, FetchChain):
            await self._fetch_chain(work)
        elif isinstance(work, ShareOldest):
            self._share_oldest()
        elif isinstance(work, ReportEvidence):
            await trio.to_thread.run_sync(self._keep_evidence, work)

    async def _build(self, work: BuildBlock) -> None:
        block = None
        if self._chain.head.digest == work.parent:
            candidates = await proposer.choose(self._chain, self._pool)
            executed, rejected = await trio.to_thread.run_sync(
                proposer.build, self._chain, candidates, work.proposer
            )
            for transaction, error in rejected:
                self._pool.refuse(transaction.tx_id, error)
            if executed is not None:
                self._keep(executed)
                block = consensus_block(executed.block)
        self._inbox.answer(BlockBuilt(work.parent, block))

    async def _execute(self, work: ExecuteBlock) -> None:
        parent = self._chain.head.digest
        refusal = None
        if work.block.digest not in self._executed:
            try:
                self._keep(await self._run_block(work.block))
            except InvalidBlock as error:
                refusal = str(error)
        self._inbox.answer(BlockExecuted(work.block.digest, parent, refusal))

    async def _apply(self, work: ApplyBlock) -> None:
        began = time.perf_counter()
        executed = self._executed.get(work.block.digest)
        try:
            executed = executed or await self._run_block(work.block)
        except InvalidBlock as error:
            raise InvariantBroken(f"a committed block does not execute here: {error}") from error
        record = self._chain.journal_record
        if self._journal is not None:
            record = self._journal.last_record
        head = await trio.to_thread.run_sync(self._chain.append, executed, work.certificate, record)
        self._executed.clear()
        self._metrics.apply.observe(time.perf_counter() - began)
        self._environment.guard.moved(head.height, self._chain.epoch)
        self._on_applied(executed, head)
        validators = consensus_validators(self._chain.validators)
        self._inbox.answer(BlockApplied(head.digest, head.height, validators, self._chain.epoch))

    async def _run_block(self, block: Block) -> ExecutedBlock:
        parsed = block.content
        if not isinstance(parsed, ParsedBlock):
            raise InvariantBroken("a block without its parsed content")
        return await trio.to_thread.run_sync(self._chain.execute, parsed)

    def _keep(self, executed: ExecutedBlock) -> None:
        self._executed[executed.block.digest] = executed
        while len(self._executed) > EXECUTED_CACHE_MAX:
            del self._executed[next(iter(self._executed))]

    async def _fetch_block(self, work: FetchBlock) -> None:
        data = await self._request(work.peer, "block", work.digest)
        if data is not None:
            try:
                block = await trio.to_thread.run_sync(self._environment.read_block, data)
            except ValueError as error:
                self._accuse(work.peer, f"a body that does not parse: {error}")
            else:
                self._inbox.answer(BlockReceived(work.peer, block))
                return
        self._inbox.answer(BlockMissing(work.peer, work.digest))

    async def _fetch_chain(self, work: FetchChain) -> None:
        data = await self._request(work.peer, "chain", block_sync.chain_request(work.first))
        blocks: tuple[CommittedBlock, ...] = ()
        if data is not None:
            try:
                blocks = await trio.to_thread.run_sync(
                    block_sync.read_chain, data, self._environment.read_block
                )
            except ValueError as error:
                self._accuse(work.peer, f"a chain that does not parse: {error}")
        self._inbox.answer(ChainReceived(work.peer, blocks))

    async def _request(self, peer: str, kind: str, payload: bytes) -> bytes | None:
        if self._network is None:
            return None
        try:
            return await self._network.request(peer, kind, payload, timeout_s=REQUEST_TIMEOUT_S)
        except (PeerUnavailable, RequestFailed) as error:
            _log.debug("request unanswered", peer=peer, kind=kind, reason=str(error))
            return None

    def _accuse(self, peer: str, reason: str) -> None:
        self._metrics.violations.inc()
        if self._network is not None:
            self._network.accuse(peer, reason)

    def _share_oldest(self) -> None:
        if self._disseminator is None:
            return
        limits = self._chain.genesis.parameters
        oldest = self._pool.candidates(limits.block_transactions_max, SHARE_OLDEST_BYTES)
        for transaction in oldest:
            self._disseminator.add(transaction.signed)

    def _keep_evidence(self, work: ReportEvidence) -> None:
        path = self._evidence / Path(work.name).name
        try:
            make_folder(self._evidence)
            write_file(path, work.data)
        except OSError as error:
            raise StorageFailed(f"the evidence {path} cannot be written: {error}") from error
        _log.warning("misbehaviour proven", validator=work.subject, file=str(path))
