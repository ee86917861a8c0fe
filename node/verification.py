"""Signatures of transactions: checked in threads, many at a time, once per process.

What was found well signed is remembered by the digest of its signed bytes, signature included.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import trio

from ledger.transactions import Transaction
from node import keys
from node.limits import VERIFY_CACHE_MAX, VERIFY_PENDING_MAX, VERIFY_THREADS
from node.mempool import PoolBusy

_SPLIT_FROM = 32  # fewer than this are not worth a second thread
_AT_ONCE_MAX = 3  # this many take less time than a thread does to begin and to report


class _Ticket:
    __slots__ = ("lot", "results")

    def __init__(self, lot: Sequence[Transaction]) -> None:
        self.lot = lot
        self.results: list[bool] | None = None


class Verifier:
    """`check` for worker threads (it is the ledger's SignatureCheck), `verify` for tasks."""

    def __init__(self) -> None:
        self._known: dict[bytes, None] = {}
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(VERIFY_THREADS, thread_name_prefix="verify")
        self._pending: list[_Ticket] = []
        self._waiting = 0
        self._turn = trio.Lock()

    def check(self, transactions: Sequence[Transaction]) -> list[bool]:
        """Whether each one is signed by the key that it names. Blocks; call from a thread."""
        digests = [hashlib.sha256(transaction.signed).digest() for transaction in transactions]
        unknown = [i for i, digest in enumerate(digests) if digest not in self._known]
        result = [True] * len(digests)
        for index, good in zip(
            unknown, self._verify_all([transactions[i] for i in unknown]), strict=True
        ):
            result[index] = good
        with self._guard:
            for index in unknown:
                if result[index]:
                    self._known[digests[index]] = None
            while len(self._known) > VERIFY_CACHE_MAX:
                del self._known[next(iter(self._known))]
        return result

    async def verify_all(self, transactions: Sequence[Transaction]) -> list[bool]:
        """`check` in a thread."""
        return await trio.to_thread.run_sync(self.check, transactions)

    async def verify(self, transactions: Sequence[Transaction]) -> list[bool]:
        """Check a lot; lots that arrive together are checked together. Raises PoolBusy."""
        if self._waiting + len(transactions) > VERIFY_PENDING_MAX:
            raise PoolBusy("too many submissions wait for their signature check")
        ticket = _Ticket(transactions)
        self._pending.append(ticket)
        self._waiting += len(transactions)
        async with self._turn:
            if ticket.results is None:
                tickets, self._pending, self._waiting = self._pending, [], 0
                asked = [one for each in tickets for one in each.lot]
                if len(asked) <= _AT_ONCE_MAX:
                    left = iter(self.check(asked))
                else:
                    with trio.CancelScope(shield=True):  # the others of this turn wait for it too
                        left = iter(await self.verify_all(asked))
                for each in tickets:
                    each.results = list(islice(left, len(each.lot)))
        return ticket.results or []

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify_all(self, transactions: Sequence[Transaction]) -> list[bool]:
        if len(transactions) < _SPLIT_FROM:
            return [_well_signed(transaction) for transaction in transactions]
        size = -(-len(transactions) // VERIFY_THREADS)
        parts = [transactions[i : i + size] for i in range(0, len(transactions), size)]
        done = self._threads.map(lambda part: [_well_signed(each) for each in part], parts)
        return [good for part in done for good in part]


def _well_signed(transaction: Transaction) -> bool:
    return keys.verify(transaction.envelope.key, transaction.signing_bytes, transaction.signature)
