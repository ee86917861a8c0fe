"""The pool of transactions that are valid on the head and not committed yet: sync and pure."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ledger.errors import InvalidTransaction
from ledger.transactions import Transaction
from node.limits import (
    POOL_BYTES_MAX,
    POOL_DOOR_BYTES,
    POOL_DOOR_TRANSACTIONS,
    POOL_REFUSED_MAX,
    POOL_RETRY_AFTER_MS,
    POOL_SHARED_BYTES,
    POOL_SHARED_TRANSACTIONS,
    POOL_TRANSACTIONS_MAX,
)


class PoolBusy(Exception):  # noqa: N818 - the name says what happened
    """The pool, or this member's share of it, is full; the same bytes may be sent again later."""

    code = "E_BUSY"
    field: str | None = None

    def __init__(self, message: str, retry_after_ms: int = POOL_RETRY_AFTER_MS) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a transaction left the pool without a block. `status`: refused or expired."""

    status: str
    code: str
    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class _Entry:
    transaction: Transaction
    since_ms: int


@dataclass(slots=True)
class _Queue:
    """One member's transactions, oldest first; when the oldest became that (0: when it came)."""

    entries: dict[bytes, _Entry] = field(default_factory=dict)
    size: int = 0
    since_ms: int = 0

    @property
    def oldest(self) -> _Entry:
        return next(iter(self.entries.values()))

    @property
    def waits_since_ms(self) -> int:
        return max(self.oldest.since_ms, self.since_ms)


@dataclass(frozen=True, slots=True)
class Room:
    """So many transactions and signed bytes."""

    count: int
    size: int


LIMIT = Room(POOL_TRANSACTIONS_MAX, POOL_BYTES_MAX)
SHARED = Room(POOL_SHARED_TRANSACTIONS, POOL_SHARED_BYTES)
DOOR = Room(POOL_DOOR_TRANSACTIONS, POOL_DOOR_BYTES)


class Mempool:
    """Bounded by count and bytes, shared fairly between members; oldest first.

    A pool shorter than `shared` takes anything. In a longer one a member gets in as long as it
    holds less than an equal part of `shared`, by the members that have something in the pool. So
    nobody is kept out by what others send, and m members that do their worst hold no more than
    shared × (1 + 1/2 + … + 1/m). `door` is the same for this node's own submitters.
    """

    def __init__(self, limit: Room = LIMIT, shared: Room = SHARED, door: Room = DOOR) -> None:
        self._limit, self._shared, self._door = limit, shared, door
        self._entries: dict[bytes, _Entry] = {}
        self._by_bytes: dict[bytes, Transaction] = {}
        self._bytes = 0
        self._queues: dict[str, _Queue] = {}
        self._expiry: list[tuple[int, bytes]] = []
        self._claims: dict[object, dict[bytes, None]] = {}
        self._refused: OrderedDict[bytes, Refusal] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, tx_id: bytes) -> bool:
        return tx_id in self._entries

    @property
    def is_full(self) -> bool:
        """Whether nobody's transaction fits any more."""
        return len(self._entries) >= self._limit.count or self._bytes >= self._limit.size

    @property
    def size_bytes(self) -> int:
        """Signed bytes in the pool."""
        return self._bytes

    @property
    def oldest_since_ms(self) -> int | None:
        """Since when (monotonic ms) the member that waits longest does; None when empty.

        A member waits for its oldest transaction: since that came in, or since a commit made it the
        oldest. How long its queue is does not count, only whether the queue moves.
        """
        return min((queue.waits_since_ms for queue in self._queues.values()), default=None)

    def find(self, signed: bytes) -> Transaction | None:
        """The pooled transaction with exactly these bytes; any thread may ask."""
        return self._by_bytes.get(signed)

    def since(self, tx_id: bytes) -> int | None:
        """When (monotonic ms) a pooled transaction came in."""
        entry = self._entries.get(tx_id)
        return None if entry is None else entry.since_ms

    def refusal(self, tx_id: bytes) -> Refusal | None:
        """Why a transaction was dropped, as long as that is remembered."""
        return self._refused.get(tx_id)

    def check_door(self, transaction: Transaction) -> None:
        """`check_room` for this node's own submitters, who are turned away sooner: what others have
        taken and gossip must still fit. Raises PoolBusy."""
        self._check(transaction, self._door)

    def check_room(self, transaction: Transaction) -> None:
        """Raise PoolBusy when there is no room; cheap, so ask before verifying."""
        self._check(transaction, self._shared)

    def _check(self, transaction: Transaction, room: Room) -> None:
        member, size = transaction.envelope.member, len(transaction.signed)
        if len(self._entries) >= self._limit.count or self._bytes + size > self._limit.size:
            raise PoolBusy("this node's pool is full; send the transaction again shortly")
        queue = self._queues.get(member) or _Queue()
        count, held = len(queue.entries) + 1, queue.size + size
        sharers = len(self._queues) + (member not in self._queues)
        counted = len(self._entries) < room.count or count * sharers <= room.count
        weighed = self._bytes + size <= room.size or held * sharers <= room.size
        if not (counted and weighed):
            raise PoolBusy(
                f"member {member} has used its share of this node's pool, and more waits than can "
                "be committed at once; send the transaction again"
            )

    def add(self, transaction: Transaction, mono_ms: int) -> bool:
        """Take an admitted, verified transaction; False if it is there. Raises PoolBusy."""
        tx_id = transaction.tx_id
        if tx_id in self._entries:
            return False
        self.check_room(transaction)
        member, size = transaction.envelope.member, len(transaction.signed)
        entry = self._entries[tx_id] = _Entry(transaction, mono_ms)
        self._by_bytes[transaction.signed] = transaction
        self._bytes += size
        queue = self._queues.setdefault(member, _Queue())
        queue.entries[tx_id] = entry
        queue.size += size
        heapq.heappush(self._expiry, (transaction.envelope.valid_until_ms, tx_id))
        self._claims.setdefault(claim_of(transaction), {})[tx_id] = None
        self._refused.pop(tx_id, None)
        return True

    def candidates(self, count_max: int, bytes_max: int) -> list[Transaction]:
        """Transactions that fit both limits: an equal part from each member, its oldest first.

        Whoever has waited longest begins, so no queue of others is ever in somebody's way. Parts
        are equal in count or, where transactions are so large that bytes run out first, in bytes.
        """
        chosen: list[Transaction] = []
        room = bytes_max
        queues = sorted(self._queues.values(), key=lambda queue: queue.waits_since_ms)
        turns = [(0, rank, iter(queue.entries.values())) for rank, queue in enumerate(queues)]
        while turns and len(chosen) < count_max:
            taken, rank, rest = turns[0]
            entry = next(rest, None)
            if entry is None:
                heapq.heappop(turns)
                continue
            size = len(entry.transaction.signed) + 5
            room -= size
            if room < 0:
                break
            chosen.append(entry.transaction)
            cost = max(
                bytes_max, size * count_max
            )  # of both limits together: count_max × bytes_max
            heapq.heapreplace(turns, (taken + cost, rank, rest))
        return chosen

    def refuse(self, tx_id: bytes, error: InvalidTransaction) -> None:
        """Drop a transaction that turned out to be invalid and remember why."""
        status = "expired" if error.code == "E_EXPIRED" else "refused"
        self._remember(tx_id, Refusal(status, error.code, error.field, str(error)))
        self._remove(tx_id)

    def purge(
        self,
        committed: Sequence[Transaction],
        admit: Callable[[Transaction], None],
        now_ms: int,
        mono_ms: int,
    ) -> None:
        """After a commit: drop what is committed, what has expired, what lost its claim.

        Only transactions that claim what a committed one wrote are admitted again (`admit` raises
        InvalidTransaction). `now_ms`: the time of the new head; `mono_ms`: now.
        """
        touched: dict[bytes, None] = {}
        for transaction in committed:
            touched.update(self._claims.get(claim_of(transaction), {}))
        for transaction in committed:
            queue = self._queues.get(transaction.envelope.member)
            if queue is not None and queue.oldest.transaction.tx_id == transaction.tx_id:
                queue.since_ms = mono_ms
            self._remove(transaction.tx_id)
        self._recheck(touched, admit)
        self.expire(now_ms)

    def expire(self, now_ms: int) -> int:
        """Drop what is no longer valid at `now_ms` (wall); how many."""
        before = len(self._entries)
        while self._expiry and self._expiry[0][0] < now_ms:
            _, tx_id = heapq.heappop(self._expiry)
            if tx_id in self._entries:
                message = "valid_until_ms passed before a block took it; sign it again"
                self._remember(tx_id, Refusal("expired", "E_EXPIRED", "valid_until_ms", message))
                self._remove(tx_id)
        return before - len(self._entries)

    def _recheck(self, tx_ids: Iterable[bytes], admit: Callable[[Transaction], None]) -> None:
        for tx_id in tx_ids:
            entry = self._entries.get(tx_id)
            if entry is None:
                continue
            try:
                admit(entry.transaction)
            except InvalidTransaction as error:
                self.refuse(tx_id, error)

    def _remember(self, tx_id: bytes, refusal: Refusal) -> None:
        self._refused[tx_id] = refusal
        while len(self._refused) > POOL_REFUSED_MAX:
            self._refused.popitem(last=False)

    def _remove(self, tx_id: bytes) -> None:
        entry = self._entries.pop(tx_id, None)
        if entry is None:
            return
        member, size = entry.transaction.envelope.member, len(entry.transaction.signed)
        del self._by_bytes[entry.transaction.signed]
        self._bytes -= size
        queue = self._queues[member]
        del queue.entries[tx_id]
        queue.size -= size
        if not queue.entries:
            del self._queues[member]
        claim = claim_of(entry.transaction)
        holders = self._claims[claim]
        del holders[tx_id]
        if not holders:
            del self._claims[claim]
        if len(self._expiry) > 2 * len(self._entries) + 1_000:
            self._expiry = [item for item in self._expiry if item[1] in self._entries]
            heapq.heapify(self._expiry)


def claim_of(transaction: Transaction) -> object:
    """What a transaction wants to write: two with different claims never disturb each other."""
    envelope = transaction.envelope
    return (envelope.kind, envelope.member, envelope.payload.batch_no)
