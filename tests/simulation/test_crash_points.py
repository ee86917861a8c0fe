"""A validator that dies at any moment of a run goes on without contradicting itself."""

from __future__ import annotations

import os

import crash_points
import pytest
from crash_points import CrashRun

from node.simulation.disk import JournalDisk

BLOCKS = 50
STRIDE = int(os.environ.get("KILOCHAIN_CRASH_STRIDE", "4"))
FIRST_SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))
RUNS = int(os.environ.get("KILOCHAIN_CRASH_RUNS", "1"))


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["r0", "r1"])
def test_a_crash_at_any_moment_breaks_no_promise_and_loses_no_block(victim: str) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + RUNS):
        run = CrashRun(seed, victim, BLOCKS, seed, STRIDE).go()
        print(f"{victim} (primary of view {victim[1]}): {run.tried} of {run.moments} moments")
        again = f"KILOCHAIN_SEED={seed} KILOCHAIN_CRASH_STRIDE={STRIDE}"
        assert run.faults == [], again
        assert run.moments > 10 * BLOCKS


def test_a_journal_that_is_forgotten_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(disk: JournalDisk) -> tuple[bytes, ...]:
        return ()

    monkeypatch.setattr(crash_points, "END_MS", 10_000)
    monkeypatch.setattr(JournalDisk, "records", property(forgetful))
    run = CrashRun(3, "r0", BLOCKS, 3, 20).go()
    assert any("double sign" in fault for fault in run.faults)
