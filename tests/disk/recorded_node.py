"""`kilochain start`, with every durable change of its home written down as it is made.

Usage: recorded_node.py HOME RECORD. RECORD is a row of MessagePack arrays, read by recording.py:
["base", files], ["done", what, changes], ["sent", frame]. Durable calls run one at a time here, so
that each finds the files as the one before it left them.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import plyvel

from ledger import leveldb_store
from ledger.leveldb_store import LevelDBStore
from node import driver, startup
from node.cli import main
from node.journal import Journal
from node.network import Network

WRITE_BUFFER_BYTES = 64 << 10  # LevelDB's least, so that tables are written and merged soon
JOURNAL_COMPACT_BYTES = 48 << 10
QUIET_S = 0.004  # nothing has changed for so long: the background thread is done
NOT_DATA = ("LOG", "LOG.old", "LOCK")


class Recorder:
    """Runs durable calls and writes down what each left behind."""

    def __init__(self, home: Path, record: Path) -> None:
        self._home = home
        self._record = record.open("ab")
        self._lock = threading.RLock()
        self._depth = 0
        self._known = self._files()
        self._put("base", self._known)

    def around(self, what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, written down as one operation; one inside another is a part of it."""

        @functools.wraps(call)
        def watched(*given: Any, **named: Any) -> Any:
            with self._lock:
                self._depth += 1
                try:
                    return call(*given, **named)
                finally:
                    self._depth -= 1
                    if not self._depth:
                        self._note(what)

        return watched

    def sent(self, frame: bytes) -> None:
        """A consensus frame leaves."""
        with self._lock:
            self._put("sent", frame)

    def _note(self, what: str) -> None:
        before, now = self._known, self._settled()
        self._known = now
        changes: list[tuple[str, int, bytes | None]] = []
        for name, data in now.items():
            old = before.get(name)
            if old is not None and data.startswith(old):
                if len(data) > len(old):
                    changes.append((name, len(old), data[len(old) :]))
            else:
                changes.append((name, 0, data))
        changes += [(name, 0, None) for name in before if name not in now]
        self._put("done", what, changes)

    def _settled(self) -> dict[str, bytes]:
        sizes: dict[str, int] = {}
        while True:
            found = {str(path): size for path, size in self._sizes()}
            if found == sizes:
                return self._files()
            sizes = found
            time.sleep(QUIET_S)

    def _sizes(self) -> list[tuple[Path, int]]:
        found = []
        for path in [*(self._home / "data").rglob("*"), *self._home.glob("keys/*.voted*")]:
            try:
                if path.is_file() and path.name not in NOT_DATA:
                    found.append((path, path.stat().st_size))
            except FileNotFoundError:
                continue
        return found

    def _files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self._home)): path.read_bytes() for path, _ in self._sizes()}

    def _put(self, *row: Any) -> None:
        self._record.write(msgpack.packb(row))
        self._record.flush()


def watch(recorder: Recorder) -> None:
    """Put the recorder around each call that makes something durable, and behind each frame."""
    for holder, name in (
        (LevelDBStore, "__init__"),
        (LevelDBStore, "write"),
        (Journal, "create"),
        (Journal, "open"),
        (Journal, "sync"),
        (Journal, "compact"),
        (startup, "write_file"),
    ):
        watched = recorder.around(name, getattr(holder, name))
        setattr(holder, name, staticmethod(watched) if name in ("create", "open") else watched)
    send = Network.send_frame

    def send_frame(self: Network, peer: str, data: bytes) -> bool:
        recorder.sent(data)
        return send(self, peer, data)

    Network.send_frame = send_frame  # type: ignore[method-assign]


if __name__ == "__main__":
    home, record = map(Path, sys.argv[1:])
    leveldb_store.plyvel.DB = functools.partial(plyvel.DB, write_buffer_size=WRITE_BUFFER_BYTES)
    driver.JOURNAL_COMPACT_BYTES = JOURNAL_COMPACT_BYTES
    watch(Recorder(home, record))
    sys.argv = ["kilochain", "start", "--home", os.fspath(home)]
    main()
