"""Transactions on their way to the other nodes: gathered into chunks, gossiped, checked on arrival.

Chunk: canonical MessagePack [nonce as bin 8, [T as bin, …]]. The nonce keeps a chunk that is sent
again on purpose from being taken for one already seen.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence

import structlog
import trio

from ledger.codec import CodecError, decode, encode
from node.limits import (
    CHUNK_BYTES_ACCEPTED_MAX,
    CHUNK_BYTES_MAX,
    CHUNK_LINGER_S,
    CHUNK_TRANSACTIONS_MAX,
)

_log = structlog.get_logger()


class MalformedChunk(Exception):  # noqa: N818 - the name says what happened
    """A chunk that no correct node sends."""


class Disseminator:
    """Gathers submitted transactions for up to 25 ms or 64 KB, then publishes them."""

    def __init__(self, publish: Callable[[bytes], Awaitable[None]]) -> None:
        self._publish = publish
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._some = trio.Event()
        self._enough = trio.Event()

    def add(self, signed: bytes) -> None:
        """Send a transaction with the next chunk. The pool's limits bound what waits here."""
        self._waiting.append(signed)
        self._bytes += len(signed)
        self._some.set()
        if self._bytes >= CHUNK_BYTES_MAX:
            self._enough.set()

    async def run(self) -> None:
        """Publish chunks until cancelled."""
        while True:
            await self._some.wait()
            with trio.move_on_after(CHUNK_LINGER_S):
                await self._enough.wait()
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            self._some, self._enough = trio.Event(), trio.Event()
            for chunk in split(waiting):
                try:
                    await self._publish(encode_chunk(chunk))
                except Exception as error:  # noqa: BLE001 - gossip may fail; the pool keeps them
                    _log.warning("transactions not gossiped", error=str(error))


def split(transactions: Sequence[bytes]) -> list[list[bytes]]:
    """Group signed transactions so that each group makes a chunk within its limits."""
    groups: list[list[bytes]] = []
    size = 0
    for signed in transactions:
        full = not groups or size + len(signed) > CHUNK_BYTES_MAX
        if full or len(groups[-1]) >= CHUNK_TRANSACTIONS_MAX:
            groups.append([])
            size = 0
        groups[-1].append(signed)
        size += len(signed)
    return groups


def encode_chunk(transactions: Sequence[bytes]) -> bytes:
    """The bytes of a chunk."""
    return encode([os.urandom(8), list(transactions)])


def decode_chunk(data: bytes) -> list[bytes]:
    """The signed transactions of a chunk. Raises MalformedChunk."""
    try:
        value = decode(data, bytes_max=CHUNK_BYTES_ACCEPTED_MAX)
    except CodecError as error:
        raise MalformedChunk(str(error)) from error
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], bytes):
        raise MalformedChunk("not a chunk")
    items = value[1]
    if not isinstance(items, list) or not 0 < len(items) <= CHUNK_TRANSACTIONS_MAX:
        raise MalformedChunk("a chunk holds between 1 and 2,000 transactions")
    transactions = [item for item in items if isinstance(item, bytes)]
    if len(transactions) != len(items) or len(value[0]) != 8:
        raise MalformedChunk("not a chunk")
    return transactions
