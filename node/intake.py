"""How a transaction gets into the pool, what became of it, and who waits to be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import trio

from ledger.chain import Chain
from ledger.errors import InvalidTransaction, LedgerError
from ledger.transactions import Transaction, parse_transaction
from node.dissemination import Disseminator, MalformedChunk, decode_chunk
from node.driver import mono_ms
from node.limits import SUBMIT_SLICE, WAITERS_MAX
from node.mempool import Mempool, PoolBusy, Refusal
from node.metrics import Metrics
from node.verification import Verifier
from node.wall_clock import wall_ms

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """`status`: unknown, pooled, committed, refused or expired. `time_ms`: of its block.

    `error` says why a transaction was refused or expired.
    """

    tx_id: bytes
    status: str
    height: int | None = None
    index: int | None = None
    time_ms: int | None = None
    error: Refusal | None = None


class Intake:
    """The pool's door: decode once, refuse early, verify in threads, admit on the head."""

    def __init__(self, chain: Chain, pool: Mempool, verifier: Verifier, metrics: Metrics) -> None:
        self._chain = chain
        self._pool = pool
        self._verifier = verifier
        self._metrics = metrics
        self._waiters: dict[bytes, list[trio.Event]] = {}
        self._waiting = 0
        self._turn = trio.Lock()

    async def submit(self, signed: bytes, disseminator: Disseminator) -> TransactionStatus:
        """Pool a signed transaction and send it on; one that is known gets its status again.

        Raises InvalidTransaction (its code says what is wrong) and PoolBusy.
        """
        try:
            found = self._examine(signed)
            if isinstance(found, TransactionStatus):
                return found
            [good] = await self._verifier.verify([found])
            return self._take(found, good, disseminator)
        except (LedgerError, PoolBusy) as error:
            self._metrics.refusals.labels(error.code).inc()
            raise

    async def submit_many(
        self, lot: Sequence[bytes], disseminator: Disseminator
    ) -> list[TransactionStatus | LedgerError | PoolBusy]:
        """`submit` for each of a lot, in order, with one signature check; refusals as values."""
        outcomes: list[TransactionStatus | LedgerError | PoolBusy] = []
        fresh: dict[int, Transaction] = {}
        for position, signed in enumerate(lot):
            await self._turns(position)
            found = self._attempt(partial(self._examine, signed))
            if isinstance(found, Transaction):
                fresh[position] = found
                found = TransactionStatus(found.tx_id, "unknown")
            outcomes.append(found)
        try:
            checked = await self._verifier.verify(list(fresh.values())) if fresh else []
        except PoolBusy as error:
            for position in fresh:
                outcomes[position] = error
            return outcomes
        verdicts = zip(fresh.items(), checked, strict=True)
        for count, ((position, transaction), good) in enumerate(verdicts):
            await self._turns(count)
            take = partial(self._take, transaction, good, disseminator)
            outcomes[position] = self._attempt(take)
        return outcomes

    async def take_chunk(self, data: bytes) -> int:
        """Pool what is new and valid in a chunk; how many. Raises MalformedChunk: a peer's fault.

        A transaction that is merely stale (committed, expired) or that has no room in the pool is
        left out, the latter before its signature costs anything: a block brings what it needs.
        """
        if self._pool.is_full:
            return 0
        fresh: list[Transaction] = []
        try:
            for count, signed in enumerate(decode_chunk(data)):
                await self._turns(count)
                if self._pool.find(signed) is None:
                    transaction = parse_transaction(signed)
                    if self._has_room(transaction):
                        fresh.append(transaction)
        except LedgerError as error:
            raise MalformedChunk(f"{error.code}: {error}") from error
        if not all(await self._verifier.verify_all(fresh)):
            raise MalformedChunk("E_SIG: a transaction is not signed by the key that it names")
        taken = 0
        for count, each in enumerate(fresh):
            await self._turns(count)
            taken += self._admit(each)
        return taken

    def status(self, tx_id: bytes) -> TransactionStatus:
        """What became of a transaction, as far as this node knows."""
        if tx_id in self._pool:
            return TransactionStatus(tx_id, "pooled")
        anchor = self._chain.find_transaction(tx_id)
        if anchor is not None:
            return TransactionStatus(
                tx_id, "committed", anchor.height, anchor.index, anchor.time_ms
            )
        refusal = self._pool.refusal(tx_id)
        if refusal is not None:
            return TransactionStatus(tx_id, refusal.status, error=refusal)
        return TransactionStatus(tx_id, "unknown")

    async def wait(self, tx_id: bytes, timeout_s: float) -> TransactionStatus:
        """The status once it is no longer pooled, or after `timeout_s`. Raises PoolBusy."""
        if self._waiting >= WAITERS_MAX:
            raise PoolBusy("too many callers wait for a commit; ask tx.get instead")
        if self.status(tx_id).status == "pooled":
            event = trio.Event()
            self._waiters.setdefault(tx_id, []).append(event)
            self._waiting += 1
            try:
                with trio.move_on_after(timeout_s):
                    await event.wait()
            finally:
                self._forget(tx_id, event)
        return self.status(tx_id)

    def settle(self, committed: list[Transaction], head_time_ms: int) -> None:
        """After a commit: purge the pool and wake whoever waits for what left it."""
        now = mono_ms()
        for transaction in committed:
            since = self._pool.since(transaction.tx_id)
            if since is not None:
                self._metrics.latency.observe((now - since) / 1000)
        self._pool.purge(
            committed,
            lambda transaction: self._chain.admit(transaction, wall_ms()),
            head_time_ms,
            now,
        )
        self._metrics.commits.inc(len(committed))
        self.wake()

    def wake(self) -> None:
        """Wake whoever waits for a transaction that is no longer pooled."""
        for tx_id in [each for each in self._waiters if each not in self._pool]:
            for event in self._waiters[tx_id]:
                event.set()

    def _examine(self, signed: bytes) -> Transaction | TransactionStatus:
        """A new transaction that only its signature can still refuse, or a known one's status."""
        transaction = parse_transaction(signed)
        known = self.status(transaction.tx_id)
        if known.status in ("pooled", "committed"):
            return known
        self._pool.check_door(transaction)  # first, for a flood is refused at the least cost
        self._chain.admit(transaction, wall_ms())
        return transaction

    def _take(
        self, transaction: Transaction, well_signed: bool, disseminator: Disseminator
    ) -> TransactionStatus:
        """Pool an examined transaction; the head may have moved while its signature was checked."""
        if not well_signed:
            raise InvalidTransaction("E_SIG", "the signature is not this key's", "signature")
        self._chain.admit(transaction, wall_ms())
        if transaction.tx_id not in self._pool:  # others came through the door since it was asked
            self._pool.check_door(transaction)
        if self._pool.add(transaction, mono_ms()):
            disseminator.add(transaction.signed)
        return self.status(transaction.tx_id)

    def _attempt(self, step: Callable[[], T]) -> T | LedgerError | PoolBusy:
        try:
            return step()
        except (LedgerError, PoolBusy) as error:
            self._metrics.refusals.labels(error.code).inc()
            return error

    async def _turns(self, count: int) -> None:
        """Before the `count`-th of a lot: every few, give votes and blocks their turn; of many lots
        only one goes on at a time."""
        if count % SUBMIT_SLICE == 0:
            async with self._turn:
                await trio.lowlevel.checkpoint()

    def _admit(self, transaction: Transaction) -> bool:
        try:
            self._chain.admit(transaction, wall_ms())
            return self._pool.add(transaction, mono_ms())
        except (InvalidTransaction, PoolBusy) as error:
            self._metrics.refusals.labels(error.code).inc()
            return False

    def _has_room(self, transaction: Transaction) -> bool:
        try:
            self._pool.check_room(transaction)
        except PoolBusy as error:
            self._metrics.refusals.labels(error.code).inc()
            return False
        return True

    def _forget(self, tx_id: bytes, event: trio.Event) -> None:
        self._waiting -= 1
        events = self._waiters[tx_id]
        events.remove(event)
        if not events:
            del self._waiters[tx_id]
