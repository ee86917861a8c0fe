"""The first two commands that anybody types."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_network import ROOT

from node.testnet import control

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    yield folder
    if (folder / ".testnet" / "testnet.json").exists():
        control.down(folder / ".testnet")
    shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, *arguments: str) -> tuple[str, float]:
    began = time.monotonic()
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        ["./scripts/testnet", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, time.monotonic() - began


def test_a_fresh_clone_shows_a_record_at_once_again_and_leaves_nothing_behind(
    clone: Path,
) -> None:
    shown, _ = _run(clone)
    assert "RE1-K77G" in shown
    again, took = _run(clone)
    assert "running already" in again
    assert took < 10
    _run(clone, "down")
    assert {row.state for row in control.status(clone / ".testnet")} == {"stopped"}
