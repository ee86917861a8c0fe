"""A store with checksums on a disk that may lie: what was synced comes back otherwise, or not.

A checksum covers key and value, as LevelDB's block checksums do: other bytes are seen when they are
read. What the disk never wrote, or wrote over, is missing without a word.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

from ledger.errors import StoreCorrupted
from ledger.store import MemoryStore, Write

DAMAGES = ("bit", "lost write", "misdirected write")


class CheckedStore:
    """See `ledger.store.Store`. Reads raise StoreCorrupted where a checksum does not fit."""

    def __init__(self) -> None:
        self._disk = MemoryStore()
        self._before: list[Write] = []

    def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises StoreCorrupted."""
        kept = self._disk.get(key)
        return None if kept is None else _checked(key, kept)

    def write(self, writes: Sequence[Write]) -> None:
        """One synced batch; what it replaced is remembered, so that the disk can lose it."""
        self._before = [(key, self._disk.get(key)) for key, _ in writes]
        self._disk.write([(key, None if v is None else _framed(key, v)) for key, v in writes])

    def scan(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` entries in order. Raises StoreCorrupted."""
        return [(key, _checked(key, kept)) for key, kept in self._disk.scan(prefix, after, limit)]

    def snapshot(self) -> CheckedStore:
        """A copy of what is stored now."""
        copy = CheckedStore()
        copy._disk = self._disk.snapshot()
        return copy

    def close(self) -> None:
        """Nothing is held."""

    def damage(self, kind: str, chance: random.Random) -> None:
        """Spoil what is durable: one of `DAMAGES`."""
        if kind == "lost write":
            self._disk.write(self._before)
            return
        keys = [key for key, _ in self._disk.scan(b"", b"", _ENTRIES_MAX)]
        key, other = chance.choice(keys), chance.choice(keys)
        kept = self._disk.get(key) or b""
        if kind == "bit":
            at = chance.randrange(len(kept))
            flipped = kept[at] ^ (1 << chance.randrange(8))
            self._disk.write([(key, kept[:at] + bytes([flipped]) + kept[at + 1 :])])
        elif key != other:
            self._disk.write([(other, kept), (key, None)])


_ENTRIES_MAX = 1 << 30
_CHECK = 4


def _framed(key: bytes, value: bytes) -> bytes:
    return zlib.crc32(value, zlib.crc32(key)).to_bytes(_CHECK, "big") + value


def _checked(key: bytes, kept: bytes) -> bytes:
    value = kept[_CHECK:]
    if kept[:_CHECK] != zlib.crc32(value, zlib.crc32(key)).to_bytes(_CHECK, "big"):
        raise StoreCorrupted("E_CORRUPTED", f"the entry {key.hex()} does not fit its checksum")
    return value
