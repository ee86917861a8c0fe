"""LevelDB, told not to lie: paranoid open, checksums on each read, synced batches.

| key | value |
|---|---|
| `mgenesis` | the genesis digest |
| `mhead` | canonical [header, certificate, journal record number] |
| `b` + height (8, big endian) | block body |
| `c` + height | commit certificate |
| `h` + block digest | height |
| `t` + tx ID | canonical [height, index, time_ms] |
| `s` + state key | state value |
| `p` + level (1 byte) + prefix | page of the state tree (ledger/state_pages.py) |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plyvel

from ledger.errors import StoreCorrupted
from ledger.limits import BLOOM_FILTER_BITS
from ledger.store import Write


class LevelDBStore:
    """A store in the folder `path`; `create` only when a node is made. Raises StoreCorrupted."""

    def __init__(self, path: Path, create: bool) -> None:
        self._path = path
        if create:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                message = f"{path} is not empty and not whole: restore it, or empty it and sync"
                raise StoreCorrupted("E_CORRUPTED", message)
        elif not (path / "CURRENT").exists():
            message = f"{path} holds no chain: restore it, or make the node anew and let it sync"
            raise StoreCorrupted("E_CORRUPTED", message)
        try:
            self._db = plyvel.DB(
                str(path),
                create_if_missing=create,
                error_if_exists=create,
                paranoid_checks=True,
                bloom_filter_bits=BLOOM_FILTER_BITS,
            )
        except plyvel.CorruptionError as error:
            raise _corrupted(error, path) from error
        except plyvel.Error as error:
            raise OSError(f"cannot open {path}: {error}") from error

    def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises StoreCorrupted."""
        try:
            value: bytes | None = self._db.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _corrupted(error, self._path) from error
        return value

    def write(self, writes: Sequence[Write]) -> None:
        """One synced batch. Raises OSError."""
        try:
            with self._db.write_batch(transaction=True, sync=True) as batch:
                for key, value in writes:
                    if value is None:
                        batch.delete(key)
                    else:
                        batch.put(key, value)
        except plyvel.Error as error:
            raise OSError(f"cannot write to the chain: {error}") from error

    def scan(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` entries under `prefix` with a key greater than `after`, in order."""
        found: list[tuple[bytes, bytes]] = []
        start = max(prefix, after)
        try:
            with self._db.iterator(start=start, verify_checksums=True) as entries:
                for key, value in entries:
                    if len(found) == limit or not key.startswith(prefix):
                        break
                    if key > after:
                        found.append((key, value))
        except plyvel.Error as error:
            raise _corrupted(error, self._path) from error
        return found

    def snapshot(self) -> LevelDBSnapshot:
        """What is stored now, whatever is written later."""
        return LevelDBSnapshot(self._db.snapshot(), self._path)

    def close(self) -> None:
        """Close the database."""
        self._db.close()


class LevelDBSnapshot:
    """The store as it was when the snapshot was taken."""

    def __init__(self, snapshot: Any, path: Path) -> None:
        self._snapshot = snapshot
        self._path = path

    def get(self, key: bytes) -> bytes | None:
        """The value then, or None. Raises StoreCorrupted."""
        try:
            value: bytes | None = self._snapshot.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _corrupted(error, self._path) from error
        return value

    def close(self) -> None:
        """Release the snapshot, so that LevelDB may drop what it alone held."""
        self._snapshot.close()


def _corrupted(error: Exception, path: Path) -> StoreCorrupted:
    message = (
        f"the chain in {path} is damaged ({error}): an observer may move its data/ away and fetch "
        "the chain again; a validator needs a new key first (docs/operations.md, Backups)"
    )
    return StoreCorrupted("E_CORRUPTED", message)
