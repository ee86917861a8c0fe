"""A member's program that registers batches through one node and remembers what was committed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from one_node import BATCH, MEMBER, OneNode

from ledger.genesis import parse_genesis
from node.keys import KeyFile, load_key
from node.testnet import calls
from node.testnet.errors import TestnetError
from node.testnet.signing import Signed, sign_batch


@dataclass
class Producer:
    """Signs batches numbered from 1 on. `acknowledged`: those the node called committed."""

    node: OneNode
    acknowledged: list[Signed] = field(default_factory=list)
    _next: int = 1

    @property
    def key(self) -> KeyFile:
        return load_key(self.node.key)

    @property
    def chain_id(self) -> str:
        return parse_genesis(Path(self.node.genesis).read_bytes()).chain_id

    def payload(self, number: int) -> dict[str, Any]:
        """The batch with this number."""
        return {**json.loads(BATCH.read_text()), "batch_no": number}

    def sign(self, number: int, **changes: Any) -> Signed:
        """That batch as a signed transaction; `changes` as in `sign_batch`."""
        given = {"member": MEMBER, "key": self.key} | changes
        member, key = given.pop("member"), given.pop("key")
        return sign_batch(self.payload(number), self.chain_id, member, key, **given)

    def register(self, count: int) -> bool:
        """Some batches at once; whether the node still answers."""
        chain_id, key = self.chain_id, self.key
        numbers = range(self._next, self._next + count)
        self._next += count
        lot = [sign_batch(self.payload(each), chain_id, MEMBER, key) for each in numbers]
        wanted = {"wait": "committed", "timeout_ms": 5_000}
        try:
            answers = calls.call_many(
                self.node.url, "tx.submit", [{"tx": each.base64, **wanted} for each in lot]
            )
        except TestnetError:
            return False
        for each, answer in zip(lot, answers, strict=True):
            if answer.get("result", {}).get("status") == "committed":
                self.acknowledged.append(each)
        return True

    def forgotten(self) -> list[str]:
        """What was committed once and is not any more."""
        asked = [{"tx_id": each.tx_id.hex()} for each in self.acknowledged]
        found: list[str] = []
        for first in range(0, len(asked), 50):
            part = asked[first : first + 50]
            answers = calls.call_many(self.node.url, "tx.get", part)
            pairs = zip(part, answers, strict=True)
            found += [p["tx_id"] for p, a in pairs if a["result"]["status"] != "committed"]
        return found
