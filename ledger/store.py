"""Where a chain's bytes are kept: a map with ordered keys and atomic, durable batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Write = tuple[bytes, bytes | None]


class Store(Protocol):
    """Keys and values are bytes. Reads are safe from any thread."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises StoreCorrupted."""

    def write(self, writes: Sequence[Write]) -> None:
        """All of `writes` or none, durable on return; a None value deletes. Raises OSError."""

    def scan(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` entries under `prefix` with a key greater than `after`, in order."""

    def close(self) -> None:
        """Release what is held."""


class MemoryStore:
    """A store that forgets; for simulations and tests."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        return self._entries.get(key)

    def write(self, writes: Sequence[Write]) -> None:
        """Apply every write."""
        for key, value in writes:
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value

    def scan(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` entries under `prefix` with a key greater than `after`, in order."""
        keys = sorted(key for key in list(self._entries) if key.startswith(prefix) and key > after)
        return [(key, self._entries[key]) for key in keys[:limit]]

    def close(self) -> None:
        """Nothing is held."""
