"""Processes are known by pid and start time, and none survives its end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.testnet import processes
from node.testnet.processes import Process

Spawn = Callable[[str], Process]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    started: list[Process] = []

    def run(program: str) -> Process:
        command = [sys.executable, "-c", program]
        started.append(processes.spawn(command, tmp_path / "log", os.environ))
        return started[-1]

    yield run
    processes.kill(started)
    for process in started:
        os.waitpid(process.pid, 0)


def test_a_process_runs_pauses_resumes_and_ends(spawn: Spawn) -> None:
    process = spawn("import time; time.sleep(600)")
    assert processes.state(process) == "running"
    processes.send(process, signal.SIGSTOP)
    while processes.state(process) != "paused":
        pass
    processes.end([process])
    assert processes.state(process) == "stopped"


def test_a_process_that_ignores_sigterm_is_killed(
    spawn: Spawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "TERM_TIMEOUT_S", 0.2)
    process = spawn(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('set', flush=True); time.sleep(600)"
    )
    while "set" not in (tmp_path / "log").read_text():
        pass
    processes.end([process])
    assert processes.state(process) == "stopped"


def test_a_pid_that_belongs_to_another_process_now_gets_no_signal(spawn: Spawn) -> None:
    process = spawn("import time; time.sleep(600)")
    stranger = replace(process, started="1")
    assert processes.state(stranger) == "stopped"
    processes.end([stranger])
    assert processes.state(process) == "running"
