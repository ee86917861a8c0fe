"""What the tests of whole networks share: a network, its members' batches, a steady load."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.keys import KeyFile, load_key
from node.testnet import calls
from node.testnet.errors import TestnetError
from node.testnet.layout import Layout, load
from node.testnet.signing import Signed, sign_batch

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"


def _payloads() -> list[dict[str, Any]]:
    by_member: dict[str, dict[str, Any]] = {}
    for path in sorted((SEEDS / "batches").glob("*.json")):
        document = json.loads(path.read_text())
        by_member.setdefault(document["facility"][:4], document)
    return list(by_member.values())


PAYLOADS = _payloads()  # one of each of the seeds' members


def wait_until(predicate: Callable[[], bool], what: str, timeout_s: float = 60.0) -> float:
    """Poll until true; seconds it took. A timing is a generous bound, never a verdict."""
    began = time.monotonic()
    while not predicate():
        if time.monotonic() - began > timeout_s:
            pytest.fail(f"after {timeout_s:.0f} s still not: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


@dataclass
class Net:
    """One running network and the batches that members sign for it."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1_000))
    _keys: dict[str, KeyFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chain_id = self.layout.chain_id

    @property
    def layout(self) -> Layout:
        return load(self.folder)

    def url(self, name: str) -> str:
        return self.layout.node(name).rpc

    @property
    def validators(self) -> list[str]:
        return [entry.name for entry in self.layout.nodes if entry.validator]

    def payload(self, turn: int) -> dict[str, Any]:
        """A fresh batch of one of the seeds' members."""
        return {**PAYLOADS[turn % len(PAYLOADS)], "batch_no": next(self.numbers)}

    def key_path(self, code: str) -> Path:
        return Path(next(each.key for each in self.layout.members if each.code == code))

    def sign(self, payload: dict[str, Any], **changes: Any) -> Signed:
        """Sign as the member whose facility it is."""
        code = payload["facility"][:4]
        if code not in self._keys:
            self._keys[code] = load_key(self.key_path(code))
        given = {"chain_id": self._chain_id, "member": code} | changes
        key = given.pop("key", None) or self._keys[code]
        return sign_batch(payload, given.pop("chain_id"), given.pop("member"), key, **given)

    def fresh(self, count: int) -> list[Signed]:
        return [self.sign(self.payload(turn)) for turn in range(count)]

    def commit(self, name: str, timeout_s: float = 60.0) -> Signed:
        """Register one batch through a node and see it committed there."""
        signed = self.sign(self.payload(0))
        wait_until(lambda: self.submitted(name, signed), f"{name} takes a batch", timeout_s)
        wait_until(lambda: self.committed(name, signed), f"{name} commits", timeout_s)
        return signed

    def submitted(self, name: str, signed: Signed) -> bool:
        try:
            calls.call(self.url(name), "tx.submit", tx=signed.base64)
        except TestnetError:
            return False
        return True

    def committed(self, name: str, signed: Signed) -> bool:
        return self.status_of(name, signed) == "committed"

    def status_of(self, name: str, signed: Signed) -> str | None:
        try:
            answer = calls.call(self.url(name), "tx.get", tx_id=signed.tx_id.hex())
        except TestnetError:
            return None
        return str(answer["status"])

    def chain(self, name: str) -> dict[str, Any]:
        return calls.call(self.url(name), "chain.status")

    def agree(self, names: list[str]) -> bool:
        """Whether these nodes have the same head and state."""
        try:
            heads = {(s["head"], s["state_root"]) for s in map(self.chain, names)}
        except TestnetError:
            return False
        return len(heads) == 1

    def wait_agreement(self, names: list[str], timeout_s: float = 60.0) -> None:
        wait_until(lambda: self.agree(names), f"{', '.join(names)} agree", timeout_s)

    def transactions(self, name: str) -> list[str]:
        """The IDs of every transaction on the chain, in order."""
        found = []
        for height in range(1, self.chain(name)["height"] + 1):
            block = calls.call(self.url(name), "block.get", height=height)
            found += [each["tx_id"] for each in block["transactions"]]
        return found

    def check_homes(self) -> None:
        """`kilochain check` on each home; the nodes have to be down."""
        for name in self.validators:
            home = self.layout.node(name).home
            done = cli("check", "--home", home)
            assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command; the caller judges its exit code."""
    return subprocess.run(
        calls.command(*arguments), capture_output=True, text=True, timeout=120, check=False
    )


class Load:
    """Registers batches at a steady rate through the nodes given, and remembers what was
    acknowledged as committed. Use as a context manager."""

    def __init__(self, net: Net, names: list[str], rate: float) -> None:
        self._net, self._names, self._pause = net, names, 1 / rate
        self.submitted: list[Signed] = []
        self.acknowledged: set[str] = set()
        self._halt = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, daemon=True),
            threading.Thread(target=self._watch, daemon=True),
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        for thread in self._threads:
            thread.join(30)

    def _send(self) -> None:
        due = time.monotonic()
        for turn in itertools.count():
            signed = self._net.sign(self._net.payload(turn))
            for name in self._names[turn % len(self._names) :] + self._names:
                if self._net.submitted(name, signed):
                    self.submitted.append(signed)
                    break
            due += self._pause
            if self._halt.wait(max(0.0, due - time.monotonic())):
                return

    def _watch(self) -> None:
        while not self._halt.wait(0.2):
            open_ids = [s.tx_id.hex() for s in list(self.submitted)]
            open_ids = [i for i in open_ids if i not in self.acknowledged][-100:]
            for name in self._names:
                try:
                    answers = calls.call_many(
                        self._net.url(name), "tx.get", [{"tx_id": i} for i in open_ids]
                    )
                except TestnetError:
                    continue
                for tx_id, answer in zip(open_ids, answers, strict=True):
                    if answer.get("result", {}).get("status") == "committed":
                        self.acknowledged.add(tx_id)
                break
