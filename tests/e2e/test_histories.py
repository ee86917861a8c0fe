"""Clients write down every answer while nodes die, freeze and are cut off."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import pytest
from whole_network import Net, wait_until

from ledger.identifiers import format_id
from node.client import Client
from node.testnet import calls, control
from node.testnet.signing import Signed

sys.path.insert(0, str(Path(__file__).parents[1] / "histories"))
from history import NEVER, Operation, violations

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ROUNDS = int(os.environ.get("KILOCHAIN_FAULT_ROUNDS", "7"))  # each kills, freezes and cuts
KILLS_A_ROUND = 3
PAUSE_S = 0.1
CLIENTS_PER_NODE = 2
CLIENTS_KILLED = 10
RETRIES = 20  # of a submission without an answer, each at the next node
ANSWER_S = 3.0  # for an answer; after it nobody knows what became of the call
READS = ("tx.get", "id.lookup", "batch.get")


class Clients:
    """Two clients for each node. Each submits, reads what it and others submitted by every method
    that reads, at its node or another, and writes it all down. What got no answer is submitted
    again, the same bytes, to the next node."""

    def __init__(self, net: Net, seed: int) -> None:
        self.history: list[Operation] = []
        self.retried = 0
        self._net = net
        self._urls = {name: net.url(name) for name in net.validators}
        self._http = httpx.Client(timeout=ANSWER_S)
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._sent: list[tuple[str, str]] = []  # transaction ID and the batch that it registers
        self._threads = [
            threading.Thread(target=self._work, args=(at, seed + at), daemon=True)
            for at in range(CLIENTS_PER_NODE * len(net.validators))
        ]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._halt.set()
        for thread in self._threads:
            thread.join(60)
        self._http.close()

    def committed(self) -> int:
        with self._lock:
            return sum(each.answer is not None for each in self.history if each.kind == "read")

    def _work(self, at: int, seed: int) -> None:
        chance, nodes = random.Random(seed), list(self._urls)
        while not self._halt.wait(PAUSE_S):
            with self._lock:
                payload = self._net.payload(at)
                signed = self._net.sign(payload)
            batch = format_id(payload["facility"][:4], payload["batch_no"], 0)
            for turn in range(RETRIES):
                if self._submit(nodes[(at + turn) % len(nodes)], signed):
                    break
                self.retried += 1
                if self._halt.wait(PAUSE_S):
                    return
            self._sent.append((signed.tx_id.hex(), batch))
            for of in chance.choices(self._sent[-40:], k=3):
                node = nodes[at % len(nodes)] if chance.random() < 0.7 else chance.choice(nodes)
                self._read(chance.choice(READS), node, *of)
            self._head_and_block(nodes[at % len(nodes)], chance)

    def _submit(self, node: str, signed: Signed) -> bool:
        invoked, tx_id = time.monotonic(), signed.tx_id.hex()
        answer, returned = self._ask(node, "tx.submit", tx=signed.base64), time.monotonic()
        place = _place(answer) if answer else None
        self._note(Operation("submit", node, invoked, returned if answer else NEVER, tx_id, place))
        return answer is not None

    def _read(self, method: str, node: str, tx_id: str, batch: str) -> None:
        invoked = time.monotonic()
        given = {"tx_id": tx_id} if method == "tx.get" else {"id": batch}
        answer = self._ask(node, method, **given)
        if answer is None:
            return
        place = _place(answer if method == "tx.get" else answer.get("anchored", {}))
        if method != "tx.get" and place is not None:
            tx_id = answer["anchored"]["tx_id"]
        self._note(Operation("read", node, invoked, time.monotonic(), tx_id, place))

    def _head_and_block(self, node: str, chance: random.Random) -> None:
        invoked = time.monotonic()
        answer = self._ask(node, "chain.status")
        if answer is None:
            return
        head = int(answer["height"])
        self._note(Operation("head", node, invoked, time.monotonic(), answer=(head, 0)))
        height = max(1, head + chance.choice((-3, -1, 0, 0, 1)))
        invoked = time.monotonic()
        answer = self._ask(node, "block.get", height=height)
        if answer is not None:
            block = tuple(each["tx_id"] for each in answer.get("transactions", ()))
            returned = time.monotonic()
            self._note(Operation("block", node, invoked, returned, height=height, block=block))

    def _ask(self, node: str, method: str, **params: Any) -> dict[str, Any] | None:
        """The result; {} for what is not there; None without an answer, which promises nothing."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = self._http.post(self._urls[node], json=request).json()
        except (httpx.HTTPError, ValueError):
            return None
        if "result" in answer:
            return dict(answer["result"])
        missing = answer["error"]["data"]["code"] in ("E_NOT_REGISTERED", "E_NOT_FOUND")
        return {} if missing else None

    def _note(self, made: Operation) -> None:
        with self._lock:
            self.history.append(made)


def _place(answer: dict[str, Any]) -> tuple[int, int] | None:
    """Where a transaction stands, in the form of tx.get or of a record's anchor."""
    there = answer.get("status", "committed") == "committed" and answer.get("height")
    return (int(answer["height"]), int(answer["index"])) if there else None


def _goes_on(clients: Clients, what: str) -> float:
    seen = clients.committed()
    return wait_until(lambda: clients.committed() > seen, f"commits go on after {what}", 60)


def _one_round(net: Net, clients: Clients, chance: random.Random) -> list[float]:
    took = []
    for _ in range(KILLS_A_ROUND):
        victim = chance.choice(net.validators)
        control.kill(net.folder, victim)
        took.append(_goes_on(clients, f"the death of {victim}"))
        control.start(net.folder, victim)
    frozen = chance.choice(net.validators)
    control.pause(net.folder, frozen)
    took.append(_goes_on(clients, f"{frozen} froze"))
    control.resume(net.folder, frozen)
    names = list(net.validators)
    chance.shuffle(names)
    at = chance.choice((1, 2))
    control.partition(net.folder, f"{','.join(names[:at])}/{','.join(names[at:])}")
    time.sleep(2)  # the fault itself
    control.heal(net.folder)
    took.append(_goes_on(clients, "healing"))
    return took


def test_one_order_explains_every_answer_under_rolling_faults(net: Net) -> None:
    seed = int(os.environ.get("KILOCHAIN_SEED", "1"))
    chance = random.Random(seed)
    with Clients(net, seed) as clients:
        wait_until(lambda: clients.committed() > 0, "the first commit")
        took = [each for _ in range(ROUNDS) for each in _one_round(net, clients, chance)]
    net.commit("v0")
    net.wait_agreement(net.validators)
    height = net.chain("v0")["height"]
    with Client(net.url("v0")) as one:
        blocks = [one.call("block.get", height=at) for at in range(1, height + 1)]
    chain = [[each["tx_id"] for each in block["transactions"]] for block in blocks]
    assert violations(clients.history, chain) == []
    print(
        f"{len(clients.history)} calls of {CLIENTS_PER_NODE * len(net.validators)} clients, "
        f"{clients.retried} submissions repeated without an answer, {ROUNDS * KILLS_A_ROUND} "
        f"kills, {height} blocks; the longest wait for a commit after a fault was {max(took):.1f} s"
    )
    assert {each.kind for each in clients.history} == {"submit", "read", "head", "block"}
    control.down(net.folder)
    net.check_homes()


def test_a_client_killed_while_it_submits_leaves_nothing_half_done(net: Net) -> None:
    """Whatever arrived of its array: the same bytes through another node stand once."""
    chance = random.Random(int(os.environ.get("KILOCHAIN_SEED", "1")))
    sent: list[str] = []
    survived = 0
    for turn in range(CLIENTS_KILLED):
        lot = net.fresh(40)
        sent += [each.tx_id.hex() for each in lot]
        _submit_and_die(net.url(net.validators[turn % 4]), lot, chance.uniform(0, 0.08))
        statuses = [net.status_of(net.validators[turn % 4], each) for each in lot]
        survived += sum(status != "unknown" for status in statuses)
        other = net.url(net.validators[(turn + 1) % 4])
        answers = calls.call_many(other, "tx.submit", [{"tx": each.base64} for each in lot])
        assert all("result" in each for each in answers)
    for name in net.validators:
        wait_until(lambda name=name: net.chain(name)["pending"] == 0, f"{name}'s pool is empty")
    net.wait_agreement(net.validators)
    assert sorted(net.transactions("v0")) == sorted(sent)
    print(f"{CLIENTS_KILLED} clients killed, {survived} of {len(sent)} had arrived")


def _submit_and_die(url: str, lot: list[Signed], after_s: float) -> None:
    """A client of its own process that is killed so long after it began to send."""
    body = json.dumps(
        [
            {"jsonrpc": "2.0", "id": at, "method": "tx.submit", "params": {"tx": each.base64}}
            for at, each in enumerate(lot)
        ]
    )
    with subprocess.Popen(
        [sys.executable, "-c", DOOMED, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(body.encode())
        client.stdin.close()
        client.stdout.readline()
        time.sleep(after_s)  # the moment of its death
        client.kill()


DOOMED = """
import http.client, sys, time, urllib.parse
body = sys.stdin.buffer.read()
line = http.client.HTTPConnection(urllib.parse.urlsplit(sys.argv[1]).netloc, timeout=60)
line.connect()
print("sending", flush=True)
line.putrequest("POST", "/")
line.putheader("content-type", "application/json")
line.putheader("content-length", str(len(body)))
line.endheaders()
for start in range(0, len(body), 2000):
    line.send(body[start : start + 2000])
    time.sleep(0.001)
line.getresponse().read()
"""
