"""State behind one small interface: get, put, and the root after the writes.

The root is a chained digest: the root before, and this block's writes in key order. An
authenticated map can take its place behind the same three calls.
"""

from __future__ import annotations

from ledger.codec import digest, encode
from ledger.store import Store

_PREFIX = b"s"


def batch_key(producer: str, batch_no: int) -> bytes:
    """The state key of a batch; keys sort by producer, then number."""
    return b"batch/" + producer.encode("ascii") + batch_no.to_bytes(4, "big")


class State:
    """The state under a block, with this block's writes on top."""

    def __init__(self, store: Store, root: bytes) -> None:
        self._store = store
        self._root = root
        self._writes: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value, this block's writes first."""
        if key in self._writes:
            return self._writes[key]
        return self._store.get(_PREFIX + key)

    def put(self, key: bytes, value: bytes) -> None:
        """Set a value."""
        self._writes[key] = value

    def root(self) -> bytes:
        """The state's digest after the writes, 32 bytes."""
        pairs = [[key, self._writes[key]] for key in sorted(self._writes)]
        return digest("kilochain/state/1", encode([self._root, pairs]))

    def store_writes(self) -> list[tuple[bytes, bytes | None]]:
        """The writes as store entries, in key order."""
        return [(_PREFIX + key, self._writes[key]) for key in sorted(self._writes)]


def stored_batches(store: Store, producer: str, after: int, limit: int) -> list[tuple[int, bytes]]:
    """(batch number, value) of a producer's batches after number `after`, in order."""
    prefix = _PREFIX + b"batch/" + producer.encode("ascii")
    found = store.scan(prefix, prefix + after.to_bytes(4, "big"), limit)
    return [(int.from_bytes(key[len(prefix) :], "big"), value) for key, value in found]
