"""Fresh blocks: which pooled transactions, and at what time."""

from __future__ import annotations

import trio

from ledger.chain import Chain, ExecutedBlock
from ledger.errors import InvalidTransaction
from ledger.transactions import Transaction
from node.limits import BLOCK_FRAMING_BYTES, PROPOSER_LINGER_S, PROPOSER_SMALL_POOL
from node.mempool import Mempool
from node.wall_clock import wall_ms

Rejected = list[tuple[Transaction, InvalidTransaction]]


async def choose(chain: Chain, pool: Mempool) -> list[Transaction]:
    """The oldest pooled transactions that fit a block; a small pool is given 15 ms to grow."""
    if len(pool) < PROPOSER_SMALL_POOL:
        await trio.sleep(PROPOSER_LINGER_S)
    limits = chain.genesis.parameters
    return pool.candidates(
        limits.block_transactions_max, limits.block_bytes_max - BLOCK_FRAMING_BYTES
    )


def build(
    chain: Chain, candidates: list[Transaction], proposer: int
) -> tuple[ExecutedBlock | None, Rejected]:
    """Build and execute on the head; blocks, so call it in a thread.

    A block's time is the wall clock in ms, or its parent's time + 1 where the clock is behind it.
    """
    time_ms = max(wall_ms(), chain.head.time_ms + 1)
    return chain.build(candidates, time_ms, proposer)
