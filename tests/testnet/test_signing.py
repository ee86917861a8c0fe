"""The testnet's own signer gives the bytes that two other implementations agree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from node.keys import from_seed
from node.testnet.signing import sign_batch

VECTORS = Path(__file__).parents[1] / "vectors" / "transactions.json"
CASES = json.loads(VECTORS.read_text())["transactions"]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        hexed = value.get("hex") if set(value) == {"hex"} else None
        return hexed if hexed is not None else {k: _plain(v) for k, v in value.items()}
    return value


@pytest.mark.parametrize("case", CASES)
def test_a_signed_batch_equals_the_vector(case: dict[str, Any]) -> None:
    envelope = _plain(case["envelope"])
    signed = sign_batch(
        envelope["payload"],
        envelope["chain_id"],
        envelope["member"],
        from_seed("member", bytes.fromhex(case["seed"])),
        valid_until_ms=envelope["valid_until_ms"],
        salt=bytes.fromhex(envelope["salt"]),
    )
    assert signed.base64 == case["signed_base64"]
    assert signed.tx_id.hex() == case["tx_id"]
