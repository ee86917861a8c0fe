"""Where a chain's bytes are kept: a map with ordered keys and atomic, durable batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Write = tuple[bytes, bytes | None]


class Snapshot(Protocol):
    """A store as it was between two batches; it holds resources until it is closed."""

    def get(self, key: bytes) -> bytes | None:
        """The value then, or None. Raises StoreCorrupted."""

    def close(self) -> None:
        """Release what is held."""


class Store(Protocol):
    """Keys and values are bytes. Reads are safe from any thread."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises StoreCorrupted."""

    def write(self, writes: Sequence[Write]) -> None:
        """All of `writes` or none, durable on return; a None value deletes. Raises OSError."""

    def scan(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` entries under `prefix` with a key greater than `after`, in order."""

    def snapshot(self) -> Snapshot:
        """What is stored now, whatever is written later; no batch is in it by half."""

    def close(self) -> None:
        """Release what is held."""


class MemoryStore:
    """A store that forgets; for simulations and tests."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes | None] = {}

    def snapshot(self) -> MemoryStore:
        """A copy: as long as it takes to copy everything, so for tests."""
        copy = MemoryStore()
        copy._entries = self._entries.copy()
        return copy

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        return self._entries.get(key)

    def write(self, writes: Sequence[Write]) -> None:
        """Apply every write."""
        self._entries.update(writes)  # one step, so that no snapshot sees half of it
        for key, value in writes:
            if value is None and self._entries.get(key) is None:
                self._entries.pop(key, None)

    def scan(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` entries under `prefix` with a key greater than `after`, in order."""
        found = sorted(
            (key, value)
            for key, value in self._entries.copy().items()
            if value is not None and key > after and key.startswith(prefix)
        )
        return found[:limit]

    def close(self) -> None:
        """Nothing is held."""
