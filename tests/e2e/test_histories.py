"""Clients write down every answer while nodes die, freeze and are cut off."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from whole_network import Net, wait_until

from node.testnet import calls, control
from node.testnet.errors import TestnetError

sys.path.insert(0, str(Path(__file__).parents[1] / "histories"))
from history import Operation, violations

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ROUNDS = int(os.environ.get("KILOCHAIN_FAULT_ROUNDS", "7"))  # each kills, freezes and cuts
KILLS_A_ROUND = 3
PAUSE_S = 0.1


class Clients:
    """One client for each node; each submits, asks and asks again, and writes it all down."""

    def __init__(self, net: Net) -> None:
        self.history: list[Operation] = []
        self._net = net
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(name,), daemon=True)
            for name in net.validators
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

    def committed(self) -> int:
        with self._lock:
            return sum(each.answer is not None for each in self.history if each.kind == "status")

    def _work(self, node: str) -> None:
        sent: list[str] = []
        while not self._halt.wait(PAUSE_S):
            with self._lock:
                signed = self._net.sign(self._net.payload(len(sent)))
            if self._ask("submit", node, signed.tx_id.hex(), "tx.submit", tx=signed.base64):
                sent.append(signed.tx_id.hex())
            for tx_id in sent[-5:]:
                self._ask("status", node, tx_id, "tx.get", tx_id=tx_id)
            self._ask("head", node, "", "chain.status")

    def _ask(self, kind: Any, node: str, of: str, method: str, **params: Any) -> bool:
        invoked = time.monotonic()
        try:
            answer = calls.call(self._net.url(node), method, **params)
        except TestnetError:
            return False  # no answer promises nothing
        place = None
        if kind == "head":
            place = (answer["height"], 0)
        elif kind == "status" and answer["status"] == "committed":
            place = (answer["height"], answer["index"])
        made = Operation(kind, node, invoked, time.monotonic(), of, place)
        with self._lock:
            self.history.append(made)
        return True


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
    chance = random.Random(int(os.environ.get("KILOCHAIN_SEED", "1")))
    with Clients(net) as clients:
        wait_until(lambda: clients.committed() > 0, "the first commit")
        took = [each for _ in range(ROUNDS) for each in _one_round(net, clients, chance)]
    net.commit("v0")
    net.wait_agreement(net.validators)
    height = net.chain("v0")["height"]
    chain = [
        [
            each["tx_id"]
            for each in calls.call(net.url("v0"), "block.get", height=at)["transactions"]
        ]
        for at in range(1, height + 1)
    ]
    assert violations(clients.history, chain) == []
    print(
        f"{len(clients.history)} answers, {ROUNDS * KILLS_A_ROUND} kills, {height} blocks; the "
        f"longest wait for a commit after a fault was {max(took):.1f} s"
    )
    control.down(net.folder)
    net.check_homes()
