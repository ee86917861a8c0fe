"""Two processes on one home: one runs it, the other is refused, at any moment."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from one_node import OneNode, make

from node.testnet import calls

pytestmark = pytest.mark.e2e
TIMEOUT_S = 60.0


def _start(node: OneNode) -> subprocess.Popen[str]:
    command = calls.command("start", "--home", str(node.home))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _wait_ready(node: OneNode) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not calls.ready(node.url):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_of_processes_that_start_at_once_one_runs_and_a_killed_one_leaves_no_lock(
    tmp_path: Path,
) -> None:
    node = make(tmp_path)
    both = [_start(node) for _ in range(3)]
    try:
        _wait_ready(node)
        deadline = time.monotonic() + TIMEOUT_S
        while sum(each.poll() is None for each in both) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (runs,) = [each for each in both if each.poll() is None]
        for refused in (each for each in both if each is not runs):
            said = refused.communicate()[0]
            assert refused.returncode == 1
            assert "already runs on this home" in said
            assert str(node.home) in said
            assert "Traceback" not in said
        runs.kill()
        runs.wait()
        assert (node.home / "lock").exists()
        again = _start(node)
        both.append(again)
        _wait_ready(node)
        assert again.poll() is None
    finally:
        for each in both:
            each.kill()
            each.wait()
            assert each.stdout is not None
            each.stdout.close()
