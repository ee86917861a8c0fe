"""A journal disk that keeps what was synced and loses what was not."""

from __future__ import annotations

import random


class JournalDisk:
    """Records in order; a crash keeps a drawn prefix of those that were not synced."""

    def __init__(self) -> None:
        self._durable: tuple[bytes, ...] = ()
        self._unsynced: list[bytes] = []
        self.last_record = 0

    @property
    def records(self) -> tuple[bytes, ...]:
        """The records that a restart would read."""
        return self._durable

    @property
    def size(self) -> int:
        """Bytes of all durable records."""
        return sum(len(record) for record in self._durable)

    def holds(self, part: bytes) -> bool:
        """Whether `part` occurs in a durable record."""
        return any(part in record for record in self._durable)

    def append(self, records: tuple[bytes, ...]) -> None:
        """Write behind the page cache: not yet durable."""
        self._unsynced.extend(records)

    def sync(self) -> None:
        """fsync: all that was written is durable."""
        self._keep(len(self._unsynced))

    def crash(self, chance: random.Random) -> int:
        """Lose unsynced records from a drawn point on. Returns how many were lost."""
        written = len(self._unsynced)
        kept = chance.randint(0, written)
        self._keep(kept)
        return written - kept

    def compact(self, records: tuple[bytes, ...]) -> None:
        """Replace the whole journal atomically; the record number goes on from where it was."""
        assert not self._unsynced
        self._durable = records
        self.last_record += 1

    def wipe(self) -> None:
        """Lose everything, as an amnesiac replica does."""
        self._durable = ()
        self._unsynced.clear()
        self.last_record = 0

    def _keep(self, count: int) -> None:
        self._durable += tuple(self._unsynced[:count])
        self.last_record += count
        self._unsynced.clear()
