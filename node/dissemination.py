"""Transactions on their way to the other nodes: gathered into chunks, gossiped, checked on arrival.

Chunk: canonical MessagePack [nonce as bin 8, [T as bin, …]]. The nonce keeps a chunk that is sent
again on purpose from being taken for one already seen.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
import trio

from ledger.codec import CodecError, decode, encode
from node.limits import (
    CHUNK_BYTES_ACCEPTED_MAX,
    CHUNK_BYTES_MAX,
    CHUNK_LINGER_S,
    CHUNK_TRANSACTIONS_MAX,
    WAITING_BYTES_MAX,
)

_log = structlog.get_logger()


class MalformedChunk(Exception):  # noqa: N818 - the name says what happened
    """A chunk that no correct node sends."""


class Disseminator:
    """Gathers submitted transactions for up to 25 ms or 64 KB, then publishes them.

    The network takes chunks at a pace of its own. What was committed before its turn came is not
    sent any more (`wanted` says so of signed bytes), so that what waits is bounded by the pool.
    """

    def __init__(
        self,
        publish: Callable[[bytes], Awaitable[None]],
        wanted: Callable[[bytes], bool] = lambda signed: True,
    ) -> None:
        self._publish = publish
        self._wanted = wanted
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._some = trio.Event()
        self._enough = trio.Event()

    @property
    def waiting_bytes(self) -> int:
        """Signed bytes that wait for their turn."""
        return self._bytes

    def add(self, signed: bytes) -> None:
        """Send a transaction with the next chunk."""
        self._waiting.append(signed)
        self._bytes += len(signed)
        self._some.set()
        if self._bytes >= CHUNK_BYTES_MAX:
            self._enough.set()
        if self._bytes > WAITING_BYTES_MAX:
            self._sift()

    async def run(self) -> None:
        """Publish chunks until cancelled."""
        while True:
            await self._some.wait()
            with trio.move_on_after(CHUNK_LINGER_S):
                await self._enough.wait()
            while chunk := self._next():
                try:
                    await self._publish(encode_chunk(chunk))
                except Exception as error:  # noqa: BLE001 - gossip may fail; the pool keeps them
                    _log.warning("transactions not gossiped", error=str(error))
            self._some, self._enough = trio.Event(), trio.Event()

    def _next(self) -> list[bytes]:
        """The oldest that are still wanted and fit a chunk; none when nothing waits."""
        chunk: list[bytes] = []
        room = CHUNK_BYTES_MAX
        while self._waiting and len(chunk) < CHUNK_TRANSACTIONS_MAX:
            room -= len(self._waiting[0])
            if chunk and room < 0:
                break
            signed = self._waiting.popleft()
            self._bytes -= len(signed)
            if self._wanted(signed):
                chunk.append(signed)
            else:
                room += len(signed)
        return chunk

    def _sift(self) -> None:
        """Let go of what is not wanted any more, and of the newest if it is still too much."""
        kept: deque[bytes] = deque()
        size = 0
        for signed in self._waiting:
            if size + len(signed) <= WAITING_BYTES_MAX // 2 and self._wanted(signed):
                kept.append(signed)
                size += len(signed)
        self._waiting, self._bytes = kept, size


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
