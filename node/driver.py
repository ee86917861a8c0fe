"""The one task that owns the replica: events in, outputs performed in their fixed order.

persist → fsync → send → timer → work. Work that blocks runs in threads, one ledger job at a time in
the order in which it was asked for; its answers come back as events. A peer's fault is counted and
the peer accused; our own fault, or a disk that fails, ends the process: nothing is signed after it.
"""

from __future__ import annotations

import time
from random import SystemRandom
from typing import Protocol

import structlog
import trio

from consensus import Replica
from consensus.errors import ProtocolViolation
from consensus.interface import (
    AccusePeer,
    ApplyBlock,
    BlockReceived,
    BuildBlock,
    Event,
    ExecuteBlock,
    FrameReceived,
    Heartbeat,
    Now,
    Output,
    ReplicaStatus,
    Send,
    SendBlock,
    Wake,
    Work,
)
from node.inbox import Inbox
from node.journal import Journal
from node.limits import HEARTBEAT_JITTER_S, HEARTBEAT_S, JOURNAL_COMPACT_BYTES
from node.metrics import Metrics
from node.wall_clock import wall_ms

_log = structlog.get_logger()


class Wire(Protocol):
    """What the driver needs of the network."""

    def send_frame(self, peer: str, data: bytes) -> bool:
        """Queue a frame; False = dropped."""

    def send_block(self, peer: str, data: bytes) -> bool:
        """Queue a body; False = dropped."""

    def connected(self) -> tuple[str, ...]:
        """Peer IDs of the connected peers."""

    def accuse(self, peer: str, reason: str) -> None:
        """Score a peer."""


class Worker(Protocol):
    """Who does the work and answers through the inbox."""

    async def ledger_job(self, work: BuildBlock | ExecuteBlock | ApplyBlock) -> None:
        """One job on the chain; called one at a time, in order."""

    async def side_job(self, work: Work) -> None:
        """Any other job; several may run."""


class StorageFailed(Exception):  # noqa: N818 - the name says what happened
    """The disk refused a write or an fsync: the node stops and signs nothing more."""


def mono_ms() -> int:
    """The monotonic clock of this process, in ms."""
    return int(trio.current_time() * 1000)


class Driver:
    """Feeds the replica and performs what it asks for."""

    def __init__(
        self,
        replica: Replica,
        journal: Journal | None,
        wire: Wire,
        worker: Worker,
        metrics: Metrics,
    ) -> None:
        self.replica = replica
        self.inbox = Inbox()
        self._journal = journal
        self._wire = wire
        self._worker = worker
        self._metrics = metrics
        self._deadline = float("inf")
        # Unbounded, yet small: the replica has at most one job of each sort unanswered.
        self._jobs: tuple[
            trio.MemorySendChannel[BuildBlock | ExecuteBlock | ApplyBlock],
            trio.MemoryReceiveChannel[BuildBlock | ExecuteBlock | ApplyBlock],
        ] = trio.open_memory_channel(float("inf"))

    def offer(self, event: Event) -> None:
        """Hand over what came from outside; a full inbox drops it and counts."""
        if not self.inbox.offer(event):
            self._metrics.dropped.inc()

    def status(self) -> ReplicaStatus:
        """The replica's account of itself."""
        return self.replica.status(_now())

    async def run(self) -> None:
        """Drive until cancelled. Raises StorageFailed, InvariantBroken."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ledger_lane)
            nursery.start_soon(self._heartbeat)
            await self._perform(self.replica.resume(_now()), nursery)
            while True:
                event = await self.inbox.take(self._deadline)
                if event is None:
                    self._deadline = float("inf")
                    event = Wake()
                output = self._step(event)
                if output is not None:
                    await self._perform(output, nursery)

    def _step(self, event: Event) -> Output | None:
        try:
            return self.replica.step(event, _now())
        except ProtocolViolation as error:
            self._metrics.violations.inc()
            if isinstance(event, FrameReceived | BlockReceived):
                self._wire.accuse(event.peer, str(error))
            _log.warning("protocol violation", reason=str(error), peer=getattr(event, "peer", None))
            return None

    async def _perform(self, output: Output, nursery: trio.Nursery) -> None:
        if output.persist:
            await self._persist(output.persist)
        self._send(output)
        wake = output.wake_at_ms
        self._deadline = float("inf") if wake is None else (wake + 1) / 1000
        for work in output.work:
            if isinstance(work, BuildBlock | ExecuteBlock | ApplyBlock):
                self._jobs[0].send_nowait(work)
            elif isinstance(work, AccusePeer):
                self._metrics.violations.inc()
                self._wire.accuse(work.peer, work.reason)
            else:
                nursery.start_soon(self._worker.side_job, work)

    async def _persist(self, records: tuple[bytes, ...]) -> None:
        journal = self._journal
        if journal is None:
            raise StorageFailed("an observer was asked to keep a promise")
        journal.append(records)
        began = time.perf_counter()
        try:
            await trio.to_thread.run_sync(journal.sync)
            if journal.bytes_written > JOURNAL_COMPACT_BYTES:
                await trio.to_thread.run_sync(journal.compact, self.replica.durable_records())
        except OSError as error:
            raise StorageFailed(f"the journal cannot be written: {error}") from error
        self._metrics.fsync.observe(time.perf_counter() - began)

    def _send(self, output: Output) -> None:
        for send in output.send:
            if isinstance(send, Send):
                for peer in send.to:
                    self._wire.send_frame(peer, send.data)
            elif isinstance(send, SendBlock):
                for peer in send.to:
                    self._wire.send_block(peer, send.block.data)
            else:
                for peer in self._wire.connected():
                    self._wire.send_frame(peer, send.data)

    async def _ledger_lane(self) -> None:
        async for work in self._jobs[1]:
            try:
                await self._worker.ledger_job(work)
            except OSError as error:
                raise StorageFailed(f"the chain cannot be written: {error}") from error

    async def _heartbeat(self) -> None:
        chance = SystemRandom()
        while True:
            jitter = chance.uniform(-HEARTBEAT_JITTER_S, HEARTBEAT_JITTER_S)
            await trio.sleep(HEARTBEAT_S + jitter)
            self.offer(Heartbeat())


def _now() -> Now:
    return Now(mono_ms(), wall_ms())
