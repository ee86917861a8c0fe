"""What the testnet commands do, as plain functions over a testnet's folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.testnet import calls, processes
from node.testnet.build import build
from node.testnet.errors import TestnetError
from node.testnet.layout import (
    Entry,
    Layout,
    exists,
    load,
    load_processes,
    save,
    save_processes,
)
from node.testnet.limits import LOG_TAIL_LINES, OBSERVERS_DEFAULT, POLL_S, READY_TIMEOUT_S, SETTLE_S


@dataclass(frozen=True, slots=True)
class NodeState:
    """One row of `status`; what only a node that answers can say is None otherwise."""

    name: str
    pid: int | None
    state: str
    height: int | None
    view: int | None
    head: str | None
    peers: int | None


def up(
    folder: Path, consortium: Path, validators: int = 4, observers: int = OBSERVERS_DEFAULT
) -> tuple[Layout, bool]:
    """Bring every validator up and wait until they can serve; whether one was started.

    Raises TestnetError, after ending what it started, when a node does not come up.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        layout = load(folder) if exists(folder) else None
        if layout is None:
            layout = build(folder, consortium, validators, observers)
        before = load_processes(folder)
        wanted = [entry for entry in layout.nodes if entry.validator or entry.name in before]
        fresh = [entry for entry in wanted if _state(before, entry.name) == "stopped"]
        try:
            for entry in fresh:
                layout = _launch(folder, layout, entry)
            _wait_ready(folder, layout, fresh)
        except BaseException:  # an interrupt leaves nothing behind either
            _end(folder, [entry.name for entry in fresh])
            raise
        return layout, bool(fresh)


def down(folder: Path) -> int:
    """End every process of the testnet; how many were running."""
    load(folder)
    with _locked(folder):
        known = load_processes(folder)
        running = [name for name in known if _state(known, name) != "stopped"]
        _end(folder, running)
        return len(running)


def start(folder: Path, name: str) -> None:
    """Start one node and wait until it answers, though it may still be catching up."""
    layout = load(folder)
    entry = layout.node(name)
    with _locked(folder):
        if _state(load_processes(folder), name) != "stopped":
            raise TestnetError(f"{name} is running already")
        _launch(folder, layout, entry)
        _wait(folder, [entry], _answers, "answer")


def kill(folder: Path, name: str) -> None:
    """SIGKILL one node, as a power cut would."""
    processes.kill([_running(folder, name)])


def pause(folder: Path, name: str) -> None:
    """SIGSTOP one node."""
    processes.send(_running(folder, name), signal.SIGSTOP)


def resume(folder: Path, name: str) -> None:
    """SIGCONT one node."""
    processes.send(_running(folder, name), signal.SIGCONT)


def partition(folder: Path, text: str) -> None:
    """Cut the links between groups written as `v0,v1/v2,v3`; nodes left out keep theirs."""
    layout = load(folder)
    groups = [[layout.node(n) for n in part.split(",")] for part in text.split("/")]
    everyone = [entry.name for group in groups for entry in group]
    if len(groups) < 2 or len(set(everyone)) != len(everyone):
        raise TestnetError("write two or more groups, each node once: v0,v1/v2,v3")
    for group in groups:
        cut = [e.peer_id for other in groups if other is not group for e in other]
        for entry in group:
            calls.call(entry.rpc, "testnet.cut", peers=cut)


def deafen(folder: Path, deaf: Mapping[str, Sequence[str]]) -> None:
    """Cut one direction: each node named no longer hears the nodes of its list, which hear it."""
    layout = load(folder)
    lost = {name: [layout.node(each).peer_id for each in deaf[name]] for name in deaf}
    for name, peers in lost.items():
        calls.call(layout.node(name).rpc, "testnet.cut", peers=[], deaf_to=peers)


def heal(folder: Path) -> None:
    """Give every running node all of its links back."""
    known = load_processes(folder)
    for entry in load(folder).nodes:
        if _state(known, entry.name) == "running":
            calls.call(entry.rpc, "testnet.cut", peers=[])


def status(folder: Path) -> list[NodeState]:
    """One row per node."""
    known = load_processes(folder)
    return [_row(entry, _state(known, entry.name)) for entry in load(folder).nodes]


def clean(folder: Path) -> None:
    """End the network and remove its folder; refuses a folder that holds no testnet."""
    down(folder)
    shutil.rmtree(folder)


def _row(entry: Entry, state: str) -> NodeState:
    if state == "running":
        try:
            said = calls.call(entry.rpc, "chain.status")
        except TestnetError:
            state = "silent"
        else:
            return NodeState(
                entry.name,
                entry.pid,
                state,
                said.get("height"),
                said.get("view"),
                said.get("head"),
                said.get("peers"),
            )
    pid = None if state == "stopped" else entry.pid
    return NodeState(entry.name, pid, state, None, None, None, None)


def _running(folder: Path, name: str) -> processes.Process:
    load(folder).node(name)
    known = load_processes(folder)
    if _state(known, name) == "stopped":
        raise TestnetError(f"{name} is not running; `kilochain testnet start {name}` starts it")
    return known[name]


def _state(known: dict[str, processes.Process], name: str) -> str:
    return processes.state(known[name]) if name in known else "stopped"


def _launch(folder: Path, layout: Layout, entry: Entry) -> Layout:
    log = Path(entry.home) / "node.log"
    with _uninterrupted():
        started = processes.spawn(calls.command("start", "--home", entry.home), log, os.environ)
        save_processes(folder, {**load_processes(folder), entry.name: started})
        layout = load(folder).with_pid(entry.name, started.pid)
        save(folder, layout)
    return layout


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back: a process that is not written down yet could never be ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(folder: Path, names: Sequence[str]) -> None:
    known = load_processes(folder)
    processes.end([known[name] for name in names if name in known])


def _wait_ready(folder: Path, layout: Layout, entries: Sequence[Entry]) -> None:
    """Until each can serve. One whose timer ran out alone waits for the next view change, perhaps
    for long: once a quorum can serve, the others get SETTLE_S."""
    _wait(folder, entries, _answers, "answer")
    validators = [entry for entry in layout.nodes if entry.validator]
    settled = time.monotonic() + SETTLE_S

    def serves(entry: Entry) -> bool:
        if calls.ready(entry.rpc):
            return True
        if time.monotonic() < settled:
            return False
        quorum = calls.call(entry.rpc, "chain.status")["quorum"]
        return sum(calls.ready(each.rpc) for each in validators) >= int(quorum)

    _wait(folder, entries, serves, "become ready")


def _answers(entry: Entry) -> bool:
    try:
        calls.call(entry.rpc, "chain.status")
    except TestnetError:
        return False
    return True


def _wait(
    folder: Path, entries: Sequence[Entry], check: Callable[[Entry], bool], what: str
) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    waiting = list(entries)
    while waiting:
        known = load_processes(folder)
        for entry in waiting:
            if _state(known, entry.name) == "stopped":
                raise TestnetError(f"{entry.name} ended while starting:\n{_tail(entry)}")
        if time.monotonic() > deadline:
            names = ", ".join(entry.name for entry in waiting)
            raise TestnetError(
                f"{names} did not {what} in {READY_TIMEOUT_S:.0f} s:\n{_tail(waiting[0])}"
            )
        waiting = [entry for entry in waiting if not check(entry)]
        time.sleep(POLL_S)


def _tail(entry: Entry) -> str:
    try:
        lines = (Path(entry.home) / "node.log").read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(lines[-LOG_TAIL_LINES:])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One command that starts or ends processes at a time: the folder itself is the lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TestnetError(f"another testnet command is at work on {folder}") from None
    finally:
        os.close(descriptor)
