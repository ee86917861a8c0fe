"""Which journal lets a validator vote."""

from __future__ import annotations

from pathlib import Path

from node.journal import Journal
from node.startup import open_journal


def test_an_empty_chain_starts_a_new_journal(tmp_path: Path) -> None:
    journal, reason = open_journal(tmp_path / "journal" / "votes", 0, 0)
    assert journal is not None
    assert reason is None
    journal.close()


def test_a_missing_journal_beside_a_chain_means_observing(tmp_path: Path) -> None:
    journal, reason = open_journal(tmp_path / "votes", 7, 0)
    assert journal is None
    assert reason is not None
    assert "missing" in reason
    assert not (tmp_path / "votes").exists()


def test_a_journal_shorter_than_the_chain_saw_means_observing(tmp_path: Path) -> None:
    fresh = Journal.create(tmp_path / "votes")
    fresh.append([b"one"])
    fresh.sync()
    fresh.close()
    equal, reason = open_journal(tmp_path / "votes", 1, 1)
    assert equal is not None
    assert reason is None
    equal.close()
    journal, reason = open_journal(tmp_path / "votes", 1, 2)
    assert journal is None
    assert reason is not None
    assert "ends at record 1" in reason


def test_a_damaged_journal_means_observing(tmp_path: Path) -> None:
    (tmp_path / "votes").write_bytes(b"not a journal, but long enough")
    journal, reason = open_journal(tmp_path / "votes", 0, 0)
    assert journal is None
    assert reason is not None
    assert "damaged" in reason
