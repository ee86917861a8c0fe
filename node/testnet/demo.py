"""Registers the sample batches and shows one kilogram's record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from node.testnet import calls
from node.testnet.errors import TestnetError
from node.testnet.layout import Layout, load, write_json


def register_batches(folder: Path, batches: Path, say: Callable[[str], None]) -> list[str]:
    """Register each file of `batches` with its member's key; their batch IDs, in file order.

    What an earlier call registered is not sent again. Raises TestnetError.
    """
    layout = load(folder)
    done = _registered(folder)
    files = sorted(batches.glob("*.json"))
    if not files:
        raise TestnetError(f"no batches in {batches}")
    for i, path in enumerate(files):
        if path.name in done:
            continue
        url = layout.nodes[i % sum(entry.validator for entry in layout.nodes)].rpc
        done[path.name] = _register(layout, path, url)
        write_json(folder / "registered.json", done)
        say(f"registered {done[path.name]}  ({path.stem})")
    return [done[path.name] for path in files]


def show_record(folder: Path, batch_id: str) -> str:
    """The record of `batch_id` as `kilochain lookup` prints it."""
    return calls.run("lookup", batch_id, "--rpc", load(folder).nodes[0].rpc)


def _register(layout: Layout, path: Path, url: str) -> str:
    payload = json.loads(path.read_text())
    code = str(payload.get("facility", ""))[:4]  # a facility is named after its member
    keys = {member.code: member.key for member in layout.members}
    if code not in keys:
        raise TestnetError(f"{path}: no member of this testnet has the facility it names")
    said = calls.run(
        "batch", "register", str(path), "--key", keys[code], "--wait", "--json", "--rpc", url
    )
    tx_id = json.loads(said)["tx_id"]
    for batch in calls.call(url, "batch.list", member=code, limit=100)["batches"]:
        if batch["anchored"]["tx_id"] == tx_id:
            return str(batch["id"])
    raise TestnetError(f"{path}: committed as {tx_id}, but its batch is not listed")


def _registered(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / "registered.json").read_text()))
    except FileNotFoundError:
        return {}
