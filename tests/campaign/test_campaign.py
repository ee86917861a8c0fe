"""The campaign goes on where it stopped, and a failing turn ends it with the command to repeat."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest
from campaign import FIRST_SEED, Part, main, read_ledger

TINY = Part("simulation-4", 2, ("true", "{seed}", "{count}"))


def go(ledger: Path, *arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["--ledger", str(ledger), *arguments])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "made" / "ledger.jsonl"


def test_a_campaign_goes_on_behind_the_last_seed(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaign.PARTS", (TINY,))
    for _ in range(2):
        done = go(ledger, "--minutes", "0.001")
        assert done.exit_code == 0, done.output
    seeds = [turn.seed for turn in read_ledger(ledger)]
    assert len(seeds) >= 2
    assert seeds == list(range(FIRST_SEED, FIRST_SEED + 2 * len(seeds), 2))


def test_a_torn_last_line_is_run_again(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaign.PARTS", (TINY,))
    go(ledger, "--minutes", "0.001")
    whole = read_ledger(ledger)
    ledger.write_text(ledger.read_text() + '{"commit": "ab')
    assert read_ledger(ledger) == whole


def test_a_failing_turn_is_told_with_its_command(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaign.PARTS", (Part("disk", 5, ("false", "--seed", "{seed}")),))
    done = go(ledger, "--minutes", "0.0001", "--json")
    assert done.exit_code == 1
    assert f"false --seed {FIRST_SEED}" in done.output
    assert json.loads(done.output.splitlines()[0])["failed"] is True


def test_real_seeds_run(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import campaign

    part = next(part for part in campaign.PARTS if part.name == "simulation-4")
    monkeypatch.setattr("campaign.PARTS", (Part(part.name, 3, part.command),))
    done = go(ledger, "--minutes", "0.0001")
    assert done.exit_code == 0, done.output
    assert "seeds 1000000-1000002" in done.output
