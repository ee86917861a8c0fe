"""The node's pool and chain under two members, one of whom floods."""

from __future__ import annotations

from collections import Counter

from consensus.interface import Validator
from ledger.chain import Chain
from node.mempool import Mempool, PoolBusy, Room
from node.simulation.cluster import Formats
from node.simulation.limits import BLOCK_TRANSACTIONS_MAX, EPOCH_MS
from node.simulation.real_ledger import MEMBERS, RealLedgers
from node.simulation.signatures import KeyedHashRing
from node.simulation.store import CheckedStore

SET = (Validator("r0", bytes(32), "peer0"),)


class Flood:
    """Transactions of "honest" and "flooder" go through one pool into one chain."""

    def __init__(self, pool_max: int) -> None:
        self._ledgers = RealLedgers(SET, SET, Formats(KeyedHashRing()))
        self._chain = Chain.create(CheckedStore(), self._ledgers.genesis, self._ledgers.check)
        self._pool = Mempool(Room(pool_max, 1 << 24), Room(pool_max // 2, 1 << 23))
        self._numbers = Counter[str]()
        self._owner: dict[bytes, str] = {}
        self.committed = Counter[str]()

    @property
    def size(self) -> int:
        return len(self._pool)

    def waiting(self, who: str) -> int:
        return self._numbers[who] - self.committed[who]

    def offer(self, who: str) -> bool:
        """One more registration by `who`; False when the pool has no room for it."""
        member = MEMBERS[who == "flooder"]
        transaction = self._ledgers.read(
            self._ledgers.transaction(5 * self._numbers["all"], member)
        )
        assert transaction is not None
        self._numbers["all"] += 1
        try:
            self._pool.add(transaction, 0)
        except PoolBusy:
            return False
        self._numbers[who] += 1
        self._owner[transaction.tx_id] = who
        return True

    def commit_one_block(self, turn: int) -> None:
        chosen = self._pool.candidates(BLOCK_TRANSACTIONS_MAX, 1 << 20)
        executed, refused = self._chain.build(chosen, EPOCH_MS + turn + 1, 0)
        assert executed is not None
        assert not refused
        self._chain.append(executed, b"", turn)
        taken = executed.block.transactions
        self._pool.purge(taken, lambda each: None, EPOCH_MS, turn)
        self.committed.update(self._owner[each.tx_id] for each in taken)
