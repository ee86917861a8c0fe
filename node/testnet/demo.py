"""Registers the sample batches and shows one kilogram's record."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.identifiers import format_id, parse_id
from node.keys import load_key
from node.testnet import calls
from node.testnet.errors import TestnetError
from node.testnet.layout import Layout, load
from node.testnet.limits import CALLS_PER_REQUEST, COMMIT_TIMEOUT_S, POLL_S
from node.testnet.signing import Signed, sign_batch


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample batch: its file's name, its own ID, its kilograms, and whether it is new."""

    name: str
    batch_id: str
    units: int
    fresh: bool


def register_batches(folder: Path, batches: Path) -> list[Sample]:
    """Register each file of `batches` with its member's key, through all validators in turn.

    A batch that is on the chain already is left alone. Raises TestnetError.
    """
    layout = load(folder)
    payloads = [(path, json.loads(path.read_text())) for path in sorted(batches.glob("*.json"))]
    if not payloads:
        raise TestnetError(f"no batches in {batches}")
    urls = running_urls(folder)
    there = _there(urls[0], [_batch_id(payload) for _, payload in payloads])
    lots: dict[str, list[Signed]] = {url: [] for url in urls}
    samples = []
    for i, (path, payload) in enumerate(payloads):
        batch_id = _batch_id(payload)
        fresh = batch_id not in there
        samples.append(Sample(path.stem, batch_id, payload["units"], fresh))
        if fresh:
            lots[urls[i % len(urls)]].append(_sign(layout, path, payload))
    for url, lot in lots.items():
        submit(url, lot)
    for url, lot in lots.items():
        wait_committed(url, lot)
    return samples


def kilogram_of(sample: Sample) -> str:
    """The ID of a batch's last kilogram, which may weigh less than a whole one."""
    batch = parse_id(sample.batch_id)
    return format_id(batch.producer, batch.batch_no, sample.units)


def running_urls(folder: Path) -> list[str]:
    """The RPC of each validator that can serve now. Raises TestnetError when none can."""
    urls = [e.rpc for e in load(folder).nodes if e.validator and calls.ready(e.rpc)]
    if not urls:
        raise TestnetError("no validator can serve; see `kilochain testnet status`")
    return urls


def submit(url: str, lot: list[Signed]) -> None:
    """Submit signed transactions in arrays. Raises TestnetError at the first refusal."""
    for start in range(0, len(lot), CALLS_PER_REQUEST):
        part = [{"tx": each.base64} for each in lot[start : start + CALLS_PER_REQUEST]]
        for answer in calls.call_many(url, "tx.submit", part):
            if "error" in answer:
                raise TestnetError(f"{url} refused a batch: {answer['error']['message']}")


def wait_committed(url: str, lot: list[Signed]) -> None:
    """Wait until `url` has each transaction in a block. Raises TestnetError."""
    deadline = time.monotonic() + COMMIT_TIMEOUT_S
    waiting = [each.tx_id.hex() for each in lot]
    while waiting:
        part = waiting[:CALLS_PER_REQUEST]
        answers = calls.call_many(url, "tx.get", [{"tx_id": tx_id} for tx_id in part])
        still = []
        for tx_id, answer in zip(part, answers, strict=True):
            said = answer.get("result", {})
            if said.get("status") in ("refused", "expired"):
                raise TestnetError(f"{tx_id} was {said['status']}: {said.get('error')}")
            if said.get("status") != "committed":
                still.append(tx_id)
        waiting = still + waiting[len(part) :]
        if still:
            if time.monotonic() > deadline:
                raise TestnetError(f"{len(waiting)} batches are not committed: is there a quorum?")
            time.sleep(POLL_S)


def _there(url: str, ids: list[str]) -> set[str]:
    answers = calls.call_many(url, "batch.get", [{"id": batch_id} for batch_id in ids])
    return {i for i, answer in zip(ids, answers, strict=True) if "result" in answer}


def _sign(layout: Layout, path: Path, payload: dict[str, Any]) -> Signed:
    code = _code(payload)
    for member in layout.members:
        if member.code == code:
            key = load_key(Path(member.key))
            return sign_batch(payload, layout.chain_id, code, key)
    raise TestnetError(f"{path}: no member of this testnet has the facility that it names")


def _batch_id(payload: dict[str, Any]) -> str:
    return format_id(_code(payload), payload["batch_no"], 0)


def _code(payload: dict[str, Any]) -> str:
    return str(payload["facility"])[:4]  # a sample's facility begins with its member's code
