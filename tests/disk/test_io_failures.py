"""A disk that refuses a call: at each call site, the first failure is final and nothing is lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from consensus.interface import ReportEvidence
from ledger.leveldb_store import LevelDBStore
from node import journal as journal_module
from node.driver import StorageFailed
from node.journal import Journal, write_file
from node.startup import open_journal
from node.worker import ChainWorker

ACKNOWLEDGED = [b"view", b"vote"]
CALLS = ("open", "write", "fsync", "fdatasync", "replace", "close")


class Disk:
    """The real calls, recorded; the one at place `at` fails with `number`."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int = -1, number: int = errno.EIO) -> None:
        self.calls: list[str] = []
        self._at, self._number = at, number
        for name in CALLS:
            patch.setattr(journal_module.os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) - 1 == self._at and name != "close":
                raise OSError(self._number, os.strerror(self._number))
            return real(*given, **named)

        return call


def _compacted_and_appended(journal: Journal) -> None:
    journal.append([b"later"])
    journal.sync()
    journal.compact([b"view", b"vote", b"later"])
    journal.append([b"last"])
    journal.sync()


def _filled(path: Path) -> Journal:
    journal = Journal.create(path)
    journal.append(ACKNOWLEDGED)
    journal.sync()
    return journal


def _count(path: Path) -> list[str]:
    journal = _filled(path)
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        _compacted_and_appended(journal)
    journal.close()
    return disk.calls


def test_a_file_is_synced_before_it_is_renamed_and_its_folder_after(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        write_file(tmp_path / "file", b"bytes")
    whole = ["open", "write", "fsync", "close"]
    assert disk.calls == [*whole, "replace", "open", "fsync", "close"]
    assert _count(tmp_path / "votes").index("replace") > 4


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_the_first_failure_at_any_call_is_final_and_loses_nothing(
    tmp_path: Path, number: int
) -> None:
    calls = _count(tmp_path / "counted")
    failing = [at for at, name in enumerate(calls) if name != "close"]
    assert len(failing) >= 10
    for at in failing:
        path = tmp_path / f"votes-{at}"
        journal = _filled(path)
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, at, number)
            with pytest.raises(OSError, match=os.strerror(number)):
                _compacted_and_appended(journal)
        journal.append([b"after the failure"])
        with pytest.raises(OSError, match="earlier write failed"):
            journal.sync()
        journal.close()
        again = Journal.open(path)
        assert again.records[:2] == tuple(ACKNOWLEDGED)
        assert b"after the failure" not in again.records
        again.close()


def test_new_folders_of_a_journal_are_durable(tmp_path: Path) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module.os, "fsync", fsync)
        Journal.create(tmp_path / "data" / "journal" / "votes").close()
    folders = (tmp_path, tmp_path / "data", tmp_path / "data" / "journal")
    assert {str(folder) for folder in folders} <= set(synced)


def test_evidence_that_cannot_be_kept_ends_the_node_with_its_file_named(tmp_path: Path) -> None:
    blocked = tmp_path / "evidence"
    blocked.write_text("a file where the folder should be")
    worker = object.__new__(ChainWorker)
    worker._evidence = blocked
    with pytest.raises(StorageFailed, match="evidence/double-vote"):
        worker._keep_evidence(ReportEvidence(1, "double-vote", b"proof"))


def test_a_mark_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    whole = _first_start(tmp_path / "counted")
    write = len(whole) - 1 - whole[::-1].index("write")
    with pytest.raises(OSError, match=r"No space left on device: '.*/voted'"):
        _first_start(tmp_path / "full", write)


def _first_start(folder: Path, at: int = -1) -> list[str]:
    """The calls of a first start, the one at `at` refused."""
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch, at, errno.ENOSPC)
        journal, _ = open_journal(folder / "votes", 0, 0, folder / "voted")
    assert journal is not None
    journal.close()
    return disk.calls


def test_a_chain_that_takes_no_write_names_its_folder_and_keeps_its_head(tmp_path: Path) -> None:
    """LevelDB itself is refused: its log may not grow, as on a disk that is full."""
    code = """
import resource, signal, sys
from pathlib import Path
from ledger.leveldb_store import LevelDBStore
store = LevelDBStore(Path(sys.argv[1]), create=True)
store.write([(b"head", b"1")])
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for _ in range(2):
    try:
        store.write([(b"head", b"2"), (b"body", bytes(100_000))])
    except OSError as error:
        print(error)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "chain")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert all(str(tmp_path / "chain") in line for line in said)
    with closing(LevelDBStore(tmp_path / "chain", create=False)) as store:
        assert store.get(b"head") == b"1"
        assert store.get(b"body") is None
