"""Members push far more than can be committed: queues stay short, nobody is kept out."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from whole_network import SEEDS, Net, wait_until

from node.keys import load_key
from node.limits import POOL_SHARED_BYTES, POOL_SHARED_TRANSACTIONS
from node.testnet import calls
from node.testnet.signing import Signed, sign_batch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
BLOCKS = int(os.environ.get("KILOCHAIN_FLOOD_BLOCKS", "6"))  # that the members compete for
FLOODER, QUIET = "K77G", ("S3PA", "S3PB", "MT9A")
FLOOD_CONNECTIONS = 2  # to each node, each with arrays of FLOOD_ARRAY
FLOOD_ARRAY, QUIET_ARRAY = 250, 50
FAIR_AT_LEAST = 0.5  # of an equal part of what is committed
MEMORY_GROWTH_MAX = 256 * 1024 * 1024  # of one node
MEMBERS = 1 + len(QUIET)
POOL_GROWTH = sum(1 / number for number in range(1, MEMBERS + 1))  # see node.mempool.Mempool


@dataclass
class Member:
    """One member's program: signs, submits in arrays, and sends again what was refused as busy."""

    net: Net
    code: str
    array: int
    over: trio.Event
    accepted: set[str] = field(default_factory=set)
    busy: int = 0
    hints: set[object] = field(default_factory=set)

    def __post_init__(self) -> None:
        documents = [json.loads(path.read_text()) for path in (SEEDS / "batches").glob("*.json")]
        payload = next(each for each in documents if each["facility"].startswith(self.code))
        key = load_key(self.net.key_path(self.code))
        self.signed: Iterator[Signed] = (
            sign_batch({**payload, "batch_no": number}, self.net.layout.chain_id, self.code, key)
            for number in itertools.count(1)
        )

    async def push(self, url: str, politely: bool) -> None:
        """Submit until all is over. A polite program waits as long as a busy node says."""
        async with httpx.AsyncClient(timeout=60) as http:
            waiting: list[Signed] = []
            while not self.over.is_set():
                waiting += itertools.islice(self.signed, self.array - len(waiting))
                answers = await self._submit(http, url, waiting)
                waiting = [each for each in waiting if each.tx_id.hex() not in self.accepted]
                if answers and politely:
                    await trio.sleep(min(answers) / 1000)
                await trio.lowlevel.checkpoint()

    async def _submit(self, http: httpx.AsyncClient, url: str, lot: list[Signed]) -> list[int]:
        """Submit a lot once; when to come back, for each that was refused."""
        body = [
            {"jsonrpc": "2.0", "id": at, "method": "tx.submit", "params": {"tx": each.base64}}
            for at, each in enumerate(lot)
        ]
        said = (await http.post(url, json=body)).json()
        if isinstance(said, dict):
            return [self._busy(said)] * len(lot)
        refused = [self._busy(each) for each in said if "error" in each]
        self.accepted.update(each["result"]["tx_id"] for each in said if "result" in each)
        return refused

    def _busy(self, answer: dict[str, Any]) -> int:
        data = answer["error"]["data"]
        assert data["code"] == "E_BUSY", answer
        self.busy += 1
        self.hints.add(data["retry_after_ms"])
        return int(data["retry_after_ms"])


@dataclass
class Watch:
    """The largest pool and the most memory of any node, looked at twice a second."""

    net: Net
    over: trio.Event
    pool: float = 0
    pool_bytes: float = 0
    grown: int = 0

    def __post_init__(self) -> None:
        self._began = {name: self._resident(name) for name in self.net.validators}

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=60) as http:
            while not self.over.is_set():
                for name in self.net.validators:
                    text = (await http.get(self.net.url(name) + "/metrics")).text
                    self.pool = max(self.pool, _metric(text, "kilochain_pool_transactions"))
                    self.pool_bytes = max(self.pool_bytes, _metric(text, "kilochain_pool_bytes"))
                    self.grown = max(self.grown, self._resident(name) - self._began[name])
                await trio.sleep(0.5)

    def _resident(self, name: str) -> int:
        pid = self.net.layout.node(name).pid
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _metric(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def _committed(net: Net, first: int) -> list[tuple[str, str]]:
    """Transaction ID and member of everything from a height on."""
    head = net.chain("v0")["height"]
    blocks = [calls.call(net.url("v0"), "block.get", height=at) for at in range(first, head + 1)]
    return [(each["tx_id"], each["member"]) for block in blocks for each in block["transactions"]]


async def _rush(net: Net, flooder: Member, quiet: list[Member], watch: Watch) -> int:
    """The flood alone until it is refused, then everybody; the height when everybody pushed."""
    urls = [net.url(name) for name in net.validators]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run)
        for url in urls * FLOOD_CONNECTIONS:
            nursery.start_soon(flooder.push, url, False)
        with trio.fail_after(120):
            while not flooder.busy:  # noqa: ASYNC110 - plain state, here and below
                await trio.sleep(0.05)
        for member in quiet:
            for url in urls:
                nursery.start_soon(member.push, url, True)
        with trio.fail_after(120):
            while not all(member.busy for member in quiet):  # noqa: ASYNC110
                await trio.sleep(0.05)
        first = await _height(net) + 1
        with trio.fail_after(30 * BLOCKS):
            while await _height(net) < first + BLOCKS:  # noqa: ASYNC110
                await trio.sleep(0.2)
        watch.over.set()
    return first


async def _height(net: Net) -> int:
    return int((await trio.to_thread.run_sync(net.chain, "v0"))["height"])


def test_a_flood_fills_no_queue_and_leaves_the_others_their_part(net: Net) -> None:
    over = trio.Event()
    flooder = Member(net, FLOODER, FLOOD_ARRAY, over)
    quiet = [Member(net, code, QUIET_ARRAY, over) for code in QUIET]
    watch = Watch(net, over)
    first = trio.run(_rush, net, flooder, quiet, watch)
    began = time.monotonic()
    during = Counter(member for _, member in _committed(net, first))
    fair = sum(during.values()) / MEMBERS
    least = min(during[member.code] for member in quiet) / fair

    members = [flooder, *quiet]
    acknowledged = set().union(*(member.accepted for member in members))
    for name in net.validators:
        wait_until(
            lambda name=name: net.chain(name)["pending"] == 0, f"{name}'s pool is empty", 180
        )
    on_chain = [tx_id for tx_id, _ in _committed(net, 1)]
    print(
        f"{sum(during.values())} committed while {MEMBERS} members pushed; the least of the others "
        f"had {least:.2f} of an equal part; {sum(m.busy for m in members)} refused as busy; pool "
        f"at most {watch.pool:.0f}, {watch.pool_bytes / 1e6:.1f} MB; a node grew by "
        f"{watch.grown / 1e6:.0f} MB; empty {time.monotonic() - began:.1f} s later"
    )
    assert len(on_chain) == len(set(on_chain))
    assert acknowledged <= set(on_chain)
    assert all(hint > 0 for member in members for hint in member.hints)  # type: ignore[operator]
    assert watch.pool <= POOL_SHARED_TRANSACTIONS * POOL_GROWTH
    assert watch.pool_bytes <= POOL_SHARED_BYTES * POOL_GROWTH
    assert watch.grown <= MEMORY_GROWTH_MAX
    assert least >= FAIR_AT_LEAST
    net.wait_agreement(net.validators)
