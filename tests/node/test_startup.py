"""Which journal lets a validator vote."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.codec import encode
from node.journal import Journal
from node.startup import FormatRefused, lost_blocks, open_journal


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
    fresh.append([encode(["head", 0])])
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


def test_a_journal_of_another_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    Journal.create(tmp_path / "votes").close()
    lead = b"KILOJNL2" + bytes(8)
    newer = lead + hashlib.sha256(lead).digest()[:8] + b"what only a newer version can read"
    (tmp_path / "votes").write_bytes(newer)
    with pytest.raises(FormatRefused, match="KILOJNL2"):
        open_journal(tmp_path / "votes", 5, 5)
    assert (tmp_path / "votes").read_bytes() == newer


def test_lost_data_of_a_key_that_has_had_a_journal_means_observing(tmp_path: Path) -> None:
    mark = tmp_path / "validator.voted"
    journal, reason = open_journal(tmp_path / "data" / "votes", 0, 0, mark)
    assert journal is not None
    assert reason is None
    journal.close()
    (tmp_path / "data" / "votes").unlink()
    lost, reason = open_journal(tmp_path / "data" / "votes", 0, 0, mark)
    assert lost is None
    assert reason is not None
    assert "must not vote" in reason


def test_a_journal_without_its_mark_is_marked_again(tmp_path: Path) -> None:
    Journal.create(tmp_path / "votes").close()
    journal, reason = open_journal(tmp_path / "votes", 0, 0, tmp_path / "mark")
    assert journal is not None
    assert reason is None
    assert (tmp_path / "mark").exists()
    journal.close()


def test_a_low_limit_of_descriptors_is_raised() -> None:
    code = (
        "import resource\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "from node.startup import raise_descriptor_limit\n"
        "assert raise_descriptor_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_chain_below_its_journal_follows_until_it_has_caught_up() -> None:
    assert lost_blocks([encode(["head", 4])], 3) == 4
    assert lost_blocks([encode(["head", 4])], 4) is None
    assert lost_blocks([], 0) is None
