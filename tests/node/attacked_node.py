"""One real node in this process, the only validator of its network, and peers to attack it with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from node.config import load_config
from node.keys import load_key
from node.node import Identity, Node, open_node
from node.testnet.build import build
from node.testnet.layout import Layout
from node.testnet.signing import sign_batch

SEEDS = Path(__file__).parents[2] / "seeds"


class Attacked:
    """The node, its address, and the seeds of the peers that its genesis names."""

    def __init__(self, node: Node, layout: Layout) -> None:
        self.node = node
        self.layout = layout
        self.address = layout.node("v0").p2p
        entries = [entry for entry in layout.nodes if not entry.validator]
        self.seeds = [load_key(Path(e.home) / "keys" / "node.key").seed for e in entries]
        self._batch = 100

    def transaction(self) -> bytes:
        """A batch that no one has registered."""
        self._batch += 1
        path = SEEDS / "batches" / "02-K77G-ree-concentrate.json"
        payload: dict[str, Any] = {**json.loads(path.read_text()), "batch_no": self._batch}
        key = load_key(Path(next(m.key for m in self.layout.members if m.code == "K77G")))
        return sign_batch(payload, self.layout.chain_id, "K77G", key).data

    async def commits(self) -> None:
        """Register a batch and see it committed."""
        status = await self.node.submit(self.transaction())
        with trio.fail_after(20):
            status = await self.node.wait_for(status.tx_id, "committed", 20)
        assert status.status == "committed"


@asynccontextmanager
async def attacked_node(folder: Path) -> AsyncIterator[Attacked]:
    """Run it for as long as the block does."""
    layout = build(folder, SEEDS / "consortium", 1, 16)
    config = load_config(Path(layout.node("v0").home))
    identity = Identity(load_key(config.node_key_path), load_key(config.validator_key_path))
    node = open_node(config, identity)
    async with trio.open_nursery() as nursery:
        await nursery.start(node.run)
        yield Attacked(node, layout)
        nursery.cancel_scope.cancel()
