"""The journal gives back what was synced, or says that it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from node.journal import HomeLock, HomeLocked, Journal, JournalDamaged


def _filled(path: Path, count: int = 20) -> list[bytes]:
    journal = Journal.create(path)
    records = [bytes([i]) * (i * 7) for i in range(count)]
    journal.append(records)
    journal.sync()
    journal.close()
    return records


def test_synced_records_come_back_in_order(tmp_path: Path) -> None:
    records = _filled(tmp_path / "votes")
    journal = Journal.open(tmp_path / "votes")
    assert list(journal.records) == records
    assert journal.last_record == len(records)
    journal.close()


def test_unsynced_records_are_not_there(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "votes")
    journal.append([b"promise"])
    journal.close()
    journal = Journal.open(tmp_path / "votes")
    assert journal.records == ()
    journal.close()


def test_every_truncation_gives_an_exact_prefix_or_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "votes"
    records = _filled(path, 8)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            journal = Journal.open(path)
        except JournalDamaged:
            assert length < 24
            continue
        assert list(journal.records) == records[: len(journal.records)]
        journal.close()


def test_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes"
    _filled(path, 8)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with pytest.raises(JournalDamaged):
            Journal.open(path)


def test_zeros_after_the_last_record_are_a_torn_tail(tmp_path: Path) -> None:
    path = tmp_path / "votes"
    records = _filled(path, 3)
    path.write_bytes(path.read_bytes() + bytes(100))
    journal = Journal.open(path)
    assert list(journal.records) == records
    journal.close()


def test_compaction_keeps_numbers_rising(tmp_path: Path) -> None:
    path = tmp_path / "votes"
    _filled(path, 5)
    journal = Journal.open(path)
    journal.compact([b"state"])
    assert journal.last_record == 6
    journal.append([b"vote"])
    journal.sync()
    journal.close()
    journal = Journal.open(path)
    assert (journal.records, journal.last_record) == ((b"state", b"vote"), 7)
    journal.close()


def test_a_second_holder_of_a_home_is_told_the_pid(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path / "lock")
    with pytest.raises(HomeLocked, match=str(os.getpid())):
        HomeLock(tmp_path / "lock")
    lock.release()
    HomeLock(tmp_path / "lock").release()


def test_what_is_written_behind_a_torn_tail_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "votes"
    records = _filled(path, 3)
    path.write_bytes(path.read_bytes()[:-3])
    journal = Journal.open(path)
    journal.append([b"new"])
    journal.sync()
    journal.close()
    again = Journal.open(path)
    assert list(again.records) == [*records[:2], b"new"]
    again.close()
