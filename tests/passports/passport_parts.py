"""The parts of a passport, written from docs/passport.md for chains that nobody checks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgpack
from passport_world import World, header_of, json_header

from ledger import merkle
from ledger.genesis import Validator
from ledger.identifiers import format_id, parse_id
from ledger.state_proof import StateProof
from ledger.stored_chain import StoredBlock

KILOGRAM = format_id("K77G", 5, 1)


def hexed(value: Any) -> Any:
    """A decoded value as JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: hexed(inner) for name, inner in value.items()}
    return [hexed(inner) for inner in value] if isinstance(value, list) else value


def block(stored: StoredBlock) -> dict[str, Any]:
    """A block part."""
    view, votes = msgpack.unpackb(stored.certificate)
    signed = [{"replica": replica, "signature": vote.hex()} for replica, vote in votes]
    header = base64.b64encode(header_of(stored)).decode()
    return {"header": header, "certificate": {"view": view, "votes": signed}}


def registered(world: World, height: int, index: int, text: str = KILOGRAM) -> dict[str, Any]:
    """A passport of a kilogram, not the last, by the transaction that stands there."""
    stored = world.blocks[height]
    signed = msgpack.unpackb(stored.data)[1]
    said = msgpack.unpackb(msgpack.unpackb(signed[index])[0])
    inner = said["payload"]
    identity = parse_id(text)
    document = bare(world, text, "registered")
    document["record"] = {
        "batch": format_id(identity.producer, identity.batch_no, 0),
        "mass_g": 1000,
        "payload": hexed(inner),
        "registered_by": said["member"],
        "registered_ms": json_header(header_of(stored))["time_ms"],
        "units": inner["units"],
    }
    document["registration"] = {
        "transaction": base64.b64encode(signed[index]).decode(),
        "index": index,
        "path": [each.hex() for each in merkle.inclusion_proof(signed, index)],
        "block": block(stored),
    }
    return document


def bare(world: World, text: str, claim: str) -> dict[str, Any]:
    """A passport without parts."""
    return {
        "passport": 1,
        "chain_id": world.genesis.chain_id,
        "genesis": world.genesis.digest.hex(),
        "id": text,
        "claim": claim,
        "validator_changes": [],
    }


def state(stored: StoredBlock, value: bytes | None, proof: StateProof) -> dict[str, Any]:
    """A state part."""
    other = None
    if proof.other is not None:
        other = {"path": proof.other[0].hex(), "value_digest": proof.other[1].hex()}
    return {
        "block": block(stored),
        "value": None if value is None else base64.b64encode(value).decode(),
        "siblings": [each.hex() if any(each) else "" for each in proof.siblings],
        "other": other,
    }


def change(stored: StoredBlock, validators: Sequence[Validator]) -> dict[str, Any]:
    """A validator change."""
    rows = [{"key": v.key.hex(), "name": v.name, "peer_id": v.peer_id} for v in validators]
    return {"block": block(stored), "validators": rows}
