"""Background processes, each known by its pid and its start time.

A pid alone may have been given to a stranger since; no signal leaves before both agree.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.testnet.errors import TestnetError
from node.testnet.limits import KILL_TIMEOUT_S, POLL_S, TERM_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its pid and what the system says of when it started."""

    pid: int
    started: str


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Process:
    """Start `command` in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        command[0],
        list(command),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=(),  # the caller may hold an interrupt back; the node must not
    )
    return Process(pid, _look(pid)[1])


def state(process: Process) -> str:
    """`running`, `paused` or `stopped`; a pid that is another process now is `stopped`."""
    letter, started = _look(process.pid)
    if not started or started != process.started or letter in ("Z", "X"):
        return "stopped"
    return "paused" if letter in ("T", "t") else "running"


def send(process: Process, number: signal.Signals) -> bool:
    """Send a signal; False when the process is gone."""
    if state(process) == "stopped":
        return False
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def end(processes: Sequence[Process]) -> None:
    """SIGTERM to all, SIGKILL to whoever remains. Raises TestnetError when one survives that."""
    for process in processes:
        if send(process, signal.SIGTERM):
            send(process, signal.SIGCONT)
    _wait_gone(processes, TERM_TIMEOUT_S)
    kill(processes)


def kill(processes: Sequence[Process]) -> None:
    """SIGKILL, and wait. Raises TestnetError when one survives that."""
    for process in processes:
        send(process, signal.SIGKILL)
    left = _wait_gone(processes, KILL_TIMEOUT_S)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise TestnetError(f"still there after SIGKILL: pid {pids}")


def _wait_gone(processes: Sequence[Process], timeout_s: float) -> list[Process]:
    deadline = time.monotonic() + timeout_s
    while True:
        left = [process for process in processes if state(process) != "stopped"]
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(POLL_S)


def _look(pid: int) -> tuple[str, str]:
    """State letter and start time; two empty texts when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return "", ""
        return fields[0], fields[19]
    shown = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    letter, _, started = shown.stdout.strip().partition(" ")
    return letter[:1], started.strip()
