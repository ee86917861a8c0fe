"""LevelDB, told not to lie: paranoid open, checksums on each read, synced batches.

| key | value |
|---|---|
| `mformat` | the format of all of these, `1` |
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
            if any(map(_holds_entries, path.iterdir())):
                message = f"the chain in {path} lost its file CURRENT: {_ADVICE}"
                raise StoreCorrupted("E_CORRUPTED", message)
        elif not (path / "CURRENT").exists():
            message = f"{path} holds no chain: start the node to make one"
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


def _holds_entries(file: Path) -> bool:
    """Whether a file may hold entries: a table, or a log that is not empty.

    A power cut in a database's first moments leaves files, and none of these.
    """
    return file.suffix in (".ldb", ".sst") or (file.suffix == ".log" and file.stat().st_size > 0)


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
    said = error.args[0] if error.args else error
    said = said.decode(errors="replace") if isinstance(said, bytes) else said
    return StoreCorrupted("E_CORRUPTED", f"the chain in {path} is damaged ({said}): {_ADVICE}")


_ADVICE = (
    "stop the node, move this folder away and start: it fetches the chain again from the others "
    "(docs/operations.md, A damaged file)"
)
