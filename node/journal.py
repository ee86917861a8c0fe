"""The journal: numbered records on disk that a validator's promises rest on.

File: 8 bytes magic, u64 base number, 8 bytes checksum; then records, each u32 length, u64 number,
8 bytes checksum of those 12, the payload, 8 bytes checksum of the payload. Checksums are the first
8 bytes of SHA-256. The file may end in a part of one record (a crash cut it): that tail is cut off.
Anything else that does not fit is damage, and a damaged journal is never used.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from node.limits import JOURNAL_RECORD_BYTES_MAX

_MAGIC = b"KILOJNL1"
_HEAD = struct.Struct(">8sQ8s")
_RECORD = struct.Struct(">IQ8s")
_CHECK = 8


class JournalDamaged(Exception):  # noqa: N818 - the name says what happened
    """The journal is not what was written; the message says where."""


class JournalUnknown(Exception):  # noqa: N818 - the name says what happened
    """The journal is of another format; the message says which."""


class HomeLocked(Exception):  # noqa: N818 - the name says what happened
    """Another process runs on this home; the message gives its pid."""


class Journal:
    """An open journal. Not thread-safe: one caller at a time. OSError means: stop the process."""

    def __init__(self, path: Path, descriptor: int, last: int, records: list[bytes]) -> None:
        self._path = path
        self._descriptor = descriptor
        self._pending: list[bytes] = []
        self.last_record = last
        self.records = tuple(records)
        self.bytes_written = 0
        self._failed = False

    @classmethod
    def create(cls, path: Path) -> Journal:
        """A new, empty journal, durable with its folder. Raises FileExistsError."""
        make_folder(path.parent)
        if path.exists():
            raise FileExistsError(path)
        _write_whole(path, 0, ())
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open and read back; cuts a torn tail. Raises FileNotFoundError and what `scan` raises."""
        data = path.read_bytes()
        records, last, end = scan(data)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        if end < len(data):
            os.ftruncate(descriptor, end)
            os.fsync(descriptor)
        journal = cls(path, descriptor, last, records)
        journal.bytes_written = end
        return journal

    def append(self, records: Sequence[bytes]) -> None:
        """Number and buffer records; nothing is promised before `sync` has returned."""
        for record in records:
            if len(record) > JOURNAL_RECORD_BYTES_MAX:
                raise ValueError("journal record too long")
            self.last_record += 1
            self._pending.append(frame_record(self.last_record, record))

    def sync(self) -> None:
        """Write what is buffered and fsync. Raises OSError, after which nothing may be signed."""
        if self._failed:
            raise OSError(errno.EIO, "an earlier write failed", str(self._path))
        if not self._pending:
            return
        data = b"".join(self._pending)
        self._pending.clear()
        # After a failed fsync the kernel may drop the pages and report the next one as done.
        self._failed = True
        with _named(self._path):
            _write_all(self._descriptor, data)
            os.fdatasync(self._descriptor)
        self._failed = False
        self.bytes_written += len(data)

    def compact(self, records: Sequence[bytes]) -> None:
        """Replace the content by `records`; numbers go on rising. Durable when it returns."""
        self.sync()
        self._failed = True
        size = _write_whole(self._path, self.last_record, records)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND)
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._failed = False
        self.last_record += len(records)
        self.bytes_written = size

    def close(self) -> None:
        """Close the file; buffered records that were not synced are lost."""
        os.close(self._descriptor)


class HomeLock:
    """Held for as long as this process runs on a home; the kernel frees it when we die."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise HomeLocked(f"{path.parent}: process {pid} already runs on this home") from None
        try:
            with _named(path):
                os.ftruncate(self._descriptor, 0)
                os.write(self._descriptor, f"{os.getpid()}\n".encode())
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Give the home back."""
        os.close(self._descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each entry durable. Raises OSError."""
    if not path.exists():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
    # Also when it was there: a start that was cut short may not have come this far.
    sync_folder(path.parent)


def write_file(path: Path, data: bytes) -> None:
    """Replace a file whole or not at all: synced, renamed, its folder synced. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with _named(path):
            _write_all(descriptor, data)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(fresh, path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the entries of a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK]


def frame_record(number: int, payload: bytes) -> bytes:
    """One record as it stands in the file."""
    lead = struct.pack(">IQ", len(payload), number)
    return lead + _sum(lead) + payload + _sum(payload)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name into the errors of calls that know only its descriptor."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_whole(path: Path, base: int, records: Sequence[bytes]) -> int:
    data = whole_file(base, records)
    write_file(path, data)
    return len(data)


def whole_file(base: int, records: Sequence[bytes]) -> bytes:
    """A journal of `records`, which are numbered from `base` + 1 on."""
    lead = _MAGIC + struct.pack(">Q", base)
    frames = [frame_record(base + 1 + index, record) for index, record in enumerate(records)]
    return b"".join([lead + _sum(lead), *frames])


def scan(data: bytes) -> tuple[list[bytes], int, int]:
    """The records of a journal's bytes, the last number, and where the whole records end.

    What follows that end is a torn tail. Raises JournalUnknown for another format, and
    JournalDamaged for any other misfit.
    """
    if len(data) < _HEAD.size:
        raise JournalDamaged("the journal's first bytes are missing")
    magic, number, check = _HEAD.unpack_from(data)
    if check == _sum(data[:16]) and magic != _MAGIC and magic[:-1] == _MAGIC[:-1]:
        raise JournalUnknown(f"its format is {magic.decode(errors='replace')}, not KILOJNL1")
    if magic != _MAGIC or check != _sum(data[:16]):
        raise JournalDamaged("the journal's first bytes are wrong")
    records: list[bytes] = []
    at = _HEAD.size
    while len(data) - at >= _RECORD.size:
        length, found, check = _RECORD.unpack_from(data, at)
        if check != _sum(data[at : at + 12]) or found != number + 1:
            if not any(data[at:]):
                break  # the file grew before its bytes arrived: a torn tail
            raise JournalDamaged(f"record {number + 1} at byte {at} is damaged")
        end = at + _RECORD.size + length + _CHECK
        if end > len(data):
            break
        payload = data[at + _RECORD.size : end - _CHECK]
        if data[end - _CHECK : end] != _sum(payload):
            raise JournalDamaged(f"record {number + 1} at byte {at} is damaged")
        records.append(payload)
        number, at = found, end
    return records, number, at
