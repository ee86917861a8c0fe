"""A journal disk that keeps what was synced and may lose, tear or spoil the rest.

It holds the bytes of a real journal file, written and read by the node's own journal code.
"""

from __future__ import annotations

import random

from node.journal import frame_record, scan, whole_file
from node.simulation.limits import SECTOR_BYTES


class JournalDisk:
    """One journal file under a page cache. Reading it raises JournalDamaged when it is spoilt."""

    def __init__(self) -> None:
        self._durable = whole_file(0, ())
        self._unsynced = b""
        self._count = 0
        self.last_record = 0
        self.gone = False
        self.scatters = False

    @property
    def records(self) -> tuple[bytes, ...]:
        """The records that a restart reads; a torn tail is cut off. Raises JournalDamaged."""
        found, self.last_record, end = scan(self._durable)
        self._durable, self._count = self._durable[:end], len(found)
        return tuple(found)

    @property
    def count(self) -> int:
        """How many records there are, unsynced ones included."""
        return self._count

    @property
    def size(self) -> int:
        """Durable bytes."""
        return len(self._durable)

    def holds(self, part: bytes) -> bool:
        """Whether `part` is durable."""
        return part in self._durable

    def append(self, records: tuple[bytes, ...]) -> None:
        """Write behind the page cache: not yet durable."""
        for record in records:
            self.last_record += 1
            self._count += 1
            self._unsynced += frame_record(self.last_record, record)

    def sync(self) -> None:
        """fsync: all that was written is durable."""
        self._durable, self._unsynced = self._durable + self._unsynced, b""

    def crash(self, chance: random.Random) -> int:
        """Lose unsynced bytes from a drawn one on; a disk that `scatters` loses any of its sectors.

        Returns how many were lost. A sector that never arrived reads as zeros.
        """
        written, unsynced = len(self._unsynced), self._unsynced
        kept = chance.randint(0, written)
        self._durable += self._scattered(chance) if self.scatters else unsynced[:kept]
        self._unsynced, self.scatters = b"", False
        return written - kept

    def _scattered(self, chance: random.Random) -> bytes:
        """What was not synced, with each sector there or not."""
        parts = []
        for at in range(0, len(self._unsynced), SECTOR_BYTES):
            part = self._unsynced[at : at + SECTOR_BYTES]
            parts.append(part if chance.random() < 0.5 else bytes(len(part)))
        return b"".join(parts)

    def lose_from(self, record: int) -> None:
        """Be an older journal: record number `record` and all behind it were never there."""
        found, last, _ = scan(self._durable)
        base = last - len(found)
        self._durable = whole_file(min(base, record - 1), found[: max(0, record - 1 - base)])

    def rot(self, chance: random.Random) -> None:
        """Flip one bit of what is durable."""
        at = chance.randrange(len(self._durable))
        flipped = self._durable[at] ^ (1 << chance.randrange(8))
        self._durable = self._durable[:at] + bytes([flipped]) + self._durable[at + 1 :]

    def compact(self, records: tuple[bytes, ...]) -> None:
        """Replace the whole journal atomically; numbers go on rising."""
        assert not self._unsynced
        self._durable, self._count = whole_file(self.last_record, records), len(records)
        self.last_record += len(records)

    def wipe(self) -> None:
        """Lose everything, as an amnesiac replica does."""
        self._durable = whole_file(0, ())
        self._unsynced = b""
        self._count = 0
        self.last_record = 0
