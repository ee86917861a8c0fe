"""`kilochain bench`: what a fresh network of four real processes commits on this machine."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from node.keys import KeyFile, load_key
from node.testnet import control
from node.testnet.calls import call
from node.testnet.errors import TestnetError
from node.testnet.layout import Layout
from node.testnet.signing import Signed, sign_batch

VALIDATORS = 4
CALLS_PER_REQUEST = 100
CONNECTIONS_PER_NODE = 2
BUSY_RETRIES_MAX = 1_000
BUSY_WAIT_S = 0.2
SETTLE_TIMEOUT_S = 120.0
HTTP_TIMEOUT_S = 60.0
RATE_MAX = 5_000  # transactions per second
SECONDS_MAX = 600
SATURATION_PER_S = 5_000  # transactions signed per second asked for; more than commits

_SEEDS = Path(__file__).resolve().parent.parent / "seeds"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One run. Rates per second, latencies in milliseconds, sizes in bytes.

    `cpu_ms_per_tx`: processor time of all nodes together per committed transaction at saturation;
    None where the system has no /proc.
    """

    validators: int
    members: int
    transaction_bytes: int
    submitted: int
    committed: int
    busy_answers: int
    seconds: float
    committed_per_s: float
    cpu_ms_per_tx: float | None
    rate_asked_per_s: int
    rate_reached_per_s: float
    latency_samples: int
    latency_p50_ms: float
    latency_p99_ms: float
    hardware: str
    verification: str


def bench(
    seconds: int = 10, rate: int = 200, say: Callable[[str], None] = lambda _: None
) -> BenchResult:
    """Measure a fresh network in a temporary folder, and leave nothing behind.

    `seconds`: about how long each of the two measurements takes; `rate`: transactions per second
    of the latency measurement. Raises TestnetError.
    """
    if not 1 <= seconds <= SECONDS_MAX or not 1 <= rate <= RATE_MAX:
        raise TestnetError(f"seconds are 1 to {SECONDS_MAX} and the rate is 1 to {RATE_MAX}")
    folder = Path(tempfile.mkdtemp(prefix="kilochain-bench-"))
    try:
        say("starting four validators ...")
        layout, _ = control.up(folder / "net", _SEEDS / "consortium", VALIDATORS, 0)
        return _measure(layout, seconds, rate, say)
    finally:
        try:
            if (folder / "net" / "testnet.json").exists():
                control.down(folder / "net")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _measure(layout: Layout, seconds: int, rate: int, say: Callable[[str], None]) -> BenchResult:
    flood, paced = seconds * SATURATION_PER_S, seconds * rate
    say(f"signing {flood + paced} transactions ...")
    signer = _Signer(layout)
    signed = [signer.next() for _ in range(flood + paced)]
    urls = [entry.rpc for entry in layout.nodes if entry.validator]
    say(f"latency at {rate} per second ...")
    latencies, took = trio.run(_at_rate, urls, signed[flood:], rate)
    say("saturation ...")
    before = _cpu_seconds(layout)
    load = trio.run(_saturate, urls, signed[:flood], float(seconds))
    used = _cpu_seconds(layout)
    latencies.sort()
    return BenchResult(
        validators=len(urls),
        members=len(signer.members),
        transaction_bytes=sum(len(each.data) for each in signed) // len(signed),
        submitted=load.accepted,
        committed=load.committed,
        busy_answers=load.busy,
        seconds=round(load.seconds, 2),
        committed_per_s=round(load.committed / load.seconds, 1),
        cpu_ms_per_tx=None
        if before is None or used is None
        else round(1000 * (used - before) / load.committed, 3),
        rate_asked_per_s=rate,
        rate_reached_per_s=round(len(latencies) / took, 1),
        latency_samples=len(latencies),
        latency_p50_ms=round(1000 * _quantile(latencies, 0.50), 1),
        latency_p99_ms=round(1000 * _quantile(latencies, 0.99), 1),
        hardware=_hardware(),
        verification="every replica verified the Ed25519 signature of every transaction",
    )


class _Signer:
    """Real registrations by several members in turn, each batch number used once."""

    def __init__(self, layout: Layout) -> None:
        self._chain_id = layout.chain_id
        keys = {member.code: member.key for member in layout.members}
        self.members: list[tuple[str, KeyFile, dict[str, Any]]] = []
        for path in sorted((_SEEDS / "batches").glob("*.json")):
            payload = json.loads(path.read_text())
            code = payload["facility"][:4]
            if code in keys and code not in [each[0] for each in self.members]:
                self.members.append((code, load_key(Path(keys[code])), payload))
        if not self.members:
            raise TestnetError(f"no seed in {_SEEDS / 'batches'} belongs to a member")
        self._count = 0

    def next(self) -> Signed:
        """The next transaction."""
        number, turn = divmod(self._count, len(self.members))
        code, key, payload = self.members[turn]
        self._count += 1
        return sign_batch({**payload, "batch_no": number + 1}, self._chain_id, code, key)


@dataclass(slots=True)
class _Load:
    accepted: int = 0
    committed: int = 0
    busy: int = 0
    seconds: float = 0.0


async def _saturate(urls: Sequence[str], signed: Sequence[Signed], seconds: float) -> _Load:
    """Submit in arrays through every node for `seconds`, then wait until all that were accepted
    are committed; the clock runs from the first submission to the last commit."""
    load, counter = _Load(), _Counter(urls[0])
    lots = [signed[i : i + CALLS_PER_REQUEST] for i in range(0, len(signed), CALLS_PER_REQUEST)]
    began = time.monotonic()
    async with trio.open_nursery() as nursery:
        for i in range(CONNECTIONS_PER_NODE * len(urls)):
            nursery.start_soon(_feed, urls[i % len(urls)], lots, began + seconds, load)
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while (found := await trio.to_thread.run_sync(counter.count)) < load.accepted:
        if time.monotonic() > deadline:
            raise TestnetError(
                f"{load.accepted - found} accepted transactions were not committed in "
                f"{SETTLE_TIMEOUT_S:.0f} s"
            )
        await trio.sleep(0.02)
    load.seconds = time.monotonic() - began
    load.committed = found
    return load


async def _feed(url: str, lots: list[Sequence[Signed]], until: float, load: _Load) -> None:
    async with httpx.AsyncClient(timeout=HTTP_TIMEOUT_S) as client:
        while lots and time.monotonic() < until:
            waiting = list(lots.pop())
            for _ in range(BUSY_RETRIES_MAX):
                refused = await _submit(client, url, waiting)
                load.accepted += len(waiting) - len(refused)
                load.busy += len(refused)
                waiting = refused
                if not waiting or time.monotonic() >= until:
                    break
                await trio.sleep(BUSY_WAIT_S)


async def _submit(client: httpx.AsyncClient, url: str, signed: Sequence[Signed]) -> list[Signed]:
    """Submit one array; those that the node was too busy for. Raises TestnetError."""
    requests = [_request(i, each, "pooled") for i, each in enumerate(signed)]
    answers = (await client.post(url, json=requests)).json()
    if not isinstance(answers, list):
        if _code(answers) == "E_BUSY":
            return list(signed)
        raise TestnetError(f"{url} refused an array: {answers}")
    busy = []
    for answer in answers:
        if "error" not in answer:
            continue
        if _code(answer) != "E_BUSY":
            raise TestnetError(f"{url} refused a transaction: {answer['error']}")
        busy.append(signed[answer["id"]])
    return busy


async def _at_rate(
    urls: Sequence[str], signed: Sequence[Signed], rate: int
) -> tuple[list[float], float]:
    """Each transaction in a call of its own that waits for the commit; seconds each took, and
    seconds in all. Calls start when they are due, however long the earlier ones take."""
    latencies: list[float] = []

    async def one(client: httpx.AsyncClient, url: str, each: Signed) -> None:
        began = time.monotonic()
        answer = (await client.post(url, json=_request(1, each, "committed"))).json()
        if answer.get("result", {}).get("status") != "committed":
            raise TestnetError(f"{url} did not commit a transaction: {answer}")
        latencies.append(time.monotonic() - began)

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    began = time.monotonic()
    async with (
        httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, limits=limits) as client,
        trio.open_nursery() as nursery,
    ):
        for i, each in enumerate(signed):
            await trio.sleep(max(0.0, began + i / rate - time.monotonic()))
            nursery.start_soon(one, client, urls[i % len(urls)], each)
    return latencies, time.monotonic() - began


def _request(call_id: int, signed: Signed, wait: str) -> dict[str, Any]:
    parameters = {"tx": signed.base64, "wait": wait}
    return {"jsonrpc": "2.0", "id": call_id, "method": "tx.submit", "params": parameters}


def _code(answer: Any) -> str | None:
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("data", {}).get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


class _Counter:
    """Transactions in the blocks that came after the head of when it was made."""

    def __init__(self, url: str) -> None:
        self._url, self._found = url, 0
        self._height = int(call(url, "chain.status")["height"])

    def count(self) -> int:
        """How many there are by now; each block is asked for once."""
        head = int(call(self._url, "chain.status")["height"])
        while self._height < head:
            block = call(self._url, "block.get", height=self._height + 1)
            self._found += int(block["header"]["transactions"])
            self._height += 1
        return self._found


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _cpu_seconds(layout: Layout) -> float | None:
    """User and system time of every running node so far."""
    ticks = 0
    try:
        for entry in layout.nodes:
            if entry.pid is not None:
                fields = Path(f"/proc/{entry.pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    except OSError:
        return None
    return ticks / os.sysconf("SC_CLK_TCK")


def _hardware() -> str:
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python " + (
        platform.python_version()
    )


def render(result: BenchResult) -> str:
    """The result for a person."""
    return "\n".join(f"{key:20} {value}" for key, value in asdict(result).items())
