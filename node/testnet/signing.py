"""Signs batch registrations the way an outside program would, from the published byte format."""

from __future__ import annotations

import base64
import os
import time
from dataclasses import dataclass
from typing import Any

from ledger.codec import digest, encode, signing_bytes
from node.keys import KeyFile
from node.testnet.limits import VALID_FOR_MS


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction as it travels, and its ID (32 bytes)."""

    data: bytes
    tx_id: bytes

    @property
    def base64(self) -> str:
        """`data` as `tx.submit` takes it."""
        return base64.b64encode(self.data).decode()


def sign_batch(
    payload: dict[str, Any],
    chain_id: str,
    member: str,
    key: KeyFile,
    *,
    valid_until_ms: int | None = None,
    salt: bytes | None = None,
) -> Signed:
    """A batch.register of `payload` (the JSON form of seeds/batches), signed by `key`.

    It is valid for some hours from now and has a random salt unless told otherwise.
    """
    if valid_until_ms is None:
        valid_until_ms = int(time.time() * 1000) + VALID_FOR_MS
    envelope = {
        "v": 1,
        "chain_id": chain_id,
        "kind": "batch.register",
        "member": member,
        "key": key.public,
        "valid_until_ms": valid_until_ms,
        "salt": os.urandom(16) if salt is None else salt,
        "payload": _binary_digests(payload),
    }
    unsigned = encode(envelope)
    signature = key.sign(signing_bytes("kilochain/tx/1", unsigned))
    return Signed(encode([unsigned, signature]), digest("kilochain/tx-id/1", unsigned))


def _binary_digests(value: Any, name: str = "") -> Any:
    """Digests are hex in JSON and 32 bytes in a payload: each `sha256`, and all in `hidden`."""
    if isinstance(value, list):
        return [_binary_digests(item, name) for item in value]
    if isinstance(value, dict):
        inner = {key: "sha256" if name == "hidden" else key for key in value}
        return {key: _binary_digests(item, inner[key]) for key, item in value.items()}
    return bytes.fromhex(value) if name == "sha256" and isinstance(value, str) else value
