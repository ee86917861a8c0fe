"""A network of real nodes whose first validator is recorded; and homes opened as a node does."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.config import load_config
from node.keys import load_key
from node.node import Identity, Node, open_node
from node.testnet import calls
from node.testnet.build import build
from node.testnet.errors import TestnetError
from node.testnet.layout import Layout
from node.testnet.signing import Signed, sign_batch

ROOT = Path(__file__).parents[2]
BATCH = ROOT / "seeds" / "batches" / "02-K77G-ree-concentrate.json"
MEMBER = "K77G"
TIMEOUT_S = 60.0


def wait_until(predicate: Callable[[], bool], what: str) -> None:
    """Poll until true."""
    deadline = time.monotonic() + TIMEOUT_S
    while not predicate():
        if time.monotonic() > deadline:
            pytest.fail(f"after {TIMEOUT_S:.0f} s still not: {what}")
        time.sleep(0.02)


@dataclass
class RecordedNetwork:
    """Four validators as processes; v0 writes down its durable calls and what it sends."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.layout: Layout = build(self.folder, ROOT / "seeds" / "consortium", 4, 0)
        path = next(each.key for each in self.layout.members if each.code == MEMBER)
        self._key = load_key(Path(path))

    @property
    def record(self) -> Path:
        return self.folder / "record"

    def home(self, name: str) -> Path:
        return Path(self.layout.node(name).home)

    def start(self, name: str) -> None:
        """Start one node; it need not be ready yet."""
        home = self.home(name)
        command = calls.command("start", "--home", str(home))
        if name == "v0":
            script = Path(__file__).with_name("recorded_node.py")
            command = [sys.executable, str(script), str(home), str(self.record)]
        with (home / "node.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self, name: str) -> None:
        """End one node well."""
        self.processes[name].send_signal(signal.SIGTERM)
        assert self.processes.pop(name).wait(30) == 0, (self.home(name) / "node.log").read_text()

    def end(self) -> None:
        """End whatever still runs."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def ready(self, names: Sequence[str]) -> None:
        """Wait until these can commit."""
        for name in names:
            wait_until(lambda name=name: calls.ready(self.layout.node(name).rpc), f"{name} ready")

    def batches(self, count: int) -> list[Signed]:
        """Fresh registrations of one member."""
        document = json.loads(BATCH.read_text())
        payloads = [{**document, "batch_no": next(self.numbers)} for _ in range(count)]
        chain_id = self.layout.chain_id
        return [sign_batch(payload, chain_id, MEMBER, self._key) for payload in payloads]

    def commit(self, count: int, through: str, seen_by: str) -> list[Signed]:
        """Register batches in one go and wait until a node calls them committed."""
        signed = self.batches(count)
        url = self.layout.node(through).rpc
        answers = calls.call_many(url, "tx.submit", [{"tx": each.base64} for each in signed])
        assert all("result" in answer for answer in answers), answers
        wait_until(lambda: self.committed(seen_by, signed[-1]), "a block is committed")
        return signed

    def committed(self, name: str, signed: Signed) -> bool:
        try:
            found = calls.call(self.layout.node(name).rpc, "tx.get", tx_id=signed.tx_id.hex())
        except TestnetError:
            return False
        return found["status"] == "committed"


@contextmanager
def recorded_network(folder: Path, blocks: int) -> Iterator[RecordedNetwork]:
    """A network that has committed `blocks` blocks, v0 restarted half way; all nodes down."""
    network = RecordedNetwork(folder)
    names = [entry.name for entry in network.layout.nodes]
    try:
        for name in names:
            network.start(name)
        network.ready(names)
        for turn in range(blocks):
            if turn == blocks // 2:
                network.stop("v0")
                network.start("v0")
                network.ready(["v0"])
            network.commit(1 + turn % 12, "v1", "v0")
        for name in names:
            network.stop(name)
        yield network
    finally:
        network.end()


@contextmanager
def opened(home: Path) -> Iterator[Node]:
    """A home, opened by what opens it when a node starts. Raises what that raises."""
    config = load_config(home)
    voting = config.validator_key_path
    identity = Identity(
        load_key(config.node_key_path), load_key(voting) if voting.exists() else None
    )
    node = open_node(config, identity)
    try:
        yield node
    finally:
        node.close()


def copy_without_data(home: Path, to: Path) -> None:
    """A home as it was before its first start."""
    shutil.copytree(home, to, ignore=shutil.ignore_patterns("data", "*.voted", "node.log", "lock"))
