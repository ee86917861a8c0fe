"""Passports made from docs/passport.md with real keys, and not by the node."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from ledger.codec import digest, encode, signing_bytes
from ledger.genesis import build_genesis, parse_genesis
from ledger.identifiers import format_id
from node.keys import KeyFile, from_seed

TIME_MS = 1_795_000_000_000  # 2026-11-18
PRODUCER = "K77G"
VALIDATORS = 4
PAYLOAD: dict[str, Any] = {
    "batch_no": 48,
    "facility": "K77G-01",
    "product": "nd2o3",
    "stage": "separated",
    "net_mass_g": 2500,
    "units": 3,
    "produced_on": "2026-11-01",
    "basis": "ignited",
    "total_ppm": 995_000,
    "ree": {"Nd": 995_000, "Pr": 5_000},
    "impurities": {"Fe2O3": 100},
    "origin": [{"country": "AU", "site": "Bärenberg", "share_ppm": 1_000_000}],
    "coc": "IP",
    "assay": {"lab": "QAB1", "method": "ICP-OES", "cert": "A-1", "sha256": bytes(32)},
}


def key_of(name: str) -> KeyFile:
    """A key for tests, from a name."""
    return from_seed("member", hashlib.sha256(f"by hand {name}".encode()).digest())


def make_genesis(name: str = "by-hand") -> bytes:
    """A genesis of one producer and four validators."""
    producer = {
        "code": PRODUCER,
        "name": "Invented <b>Example</b> Mining",
        "country": "AU",
        "roles": ["producer"],
        "facilities": [{"id": "K77G-01", "name": "works", "country": "AU"}],
        "keys": [{"key": key_of(PRODUCER).public.hex(), "status": "active"}],
    }
    voters = [{"member": PRODUCER, **validator(i)} for i in range(VALIDATORS)]
    return build_genesis({"members": [producer]}, voters, [], name, TIME_MS)


def validator(index: int) -> dict[str, str]:
    """A validator as genesis.json has it, but for its member."""
    return {"name": f"v{index}", "key": key_of(f"v{index}").public.hex(), "peer_id": f"p{index}"}


GENESIS = make_genesis()
CHAIN_ID = parse_genesis(GENESIS).chain_id
GENESIS_DIGEST = parse_genesis(GENESIS).digest


def make_block(height: int, transactions_root: bytes, state_root: bytes) -> dict[str, Any]:
    """A block of one transaction that three of the four validators committed."""
    voters = [{**validator(i), "key": key_of(f"v{i}").public} for i in range(VALIDATORS)]
    voters_hash = digest("kilochain/validators/1", encode(voters))
    header = encode(
        {
            "version": 1,
            "chain_id": CHAIN_ID,
            "height": height,
            "parent": bytes(32),
            "time_ms": TIME_MS + height,
            "proposer": 0,
            "transactions": 1,
            "transactions_root": transactions_root,
            "state_root": state_root,
            "validators_hash": voters_hash,
            "next_validators_hash": voters_hash,
        }
    )
    vote = {"v": 1, "chain_id": CHAIN_ID, "kind": "commit", "view": 2, "height": height}
    vote["digest"] = digest("kilochain/block/1", header)
    signed = signing_bytes("kilochain/vote/1", encode(vote))
    votes = [{"replica": i, "signature": key_of(f"v{i}").sign(signed).hex()} for i in (0, 2, 3)]
    return {"header": text(header), "certificate": {"view": 2, "votes": votes}}


def text(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def make_passport(serial: int = 1, *, with_state: bool = True) -> dict[str, Any]:
    """The passport of one kilogram of batch 48, or with serial 0 of the batch."""
    unsigned = encode(
        {
            "v": 1,
            "chain_id": CHAIN_ID,
            "kind": "batch.register",
            "member": PRODUCER,
            "key": key_of(PRODUCER).public,
            "valid_until_ms": TIME_MS + 60_000,
            "salt": bytes(16),
            "payload": PAYLOAD,
        }
    )
    signature = key_of(PRODUCER).sign(signing_bytes("kilochain/tx/1", unsigned))
    transaction = encode([unsigned, signature])
    value = encode([digest("kilochain/tx-id/1", unsigned), 7, 0])
    key = b"batch/" + PRODUCER.encode() + PAYLOAD["batch_no"].to_bytes(4, "big")
    path = digest("kilochain/state-key/1", key)
    only_leaf = digest("kilochain/state-leaf/1", path + hashlib.sha256(value).digest())
    block = make_block(7, hashlib.sha256(b"\0" + transaction).digest(), only_leaf)
    state = {"block": block, "value": text(value), "siblings": [], "other": None}
    mass = {0: 2500, 3: 500}.get(serial, 1000)
    payload = {**PAYLOAD, "assay": {**PAYLOAD["assay"], "sha256": "00" * 32}}
    return {
        "passport": 1,
        "chain_id": CHAIN_ID,
        "genesis": GENESIS_DIGEST.hex(),
        "id": format_id(PRODUCER, PAYLOAD["batch_no"], serial),
        "claim": "registered",
        "record": {
            "batch": format_id(PRODUCER, PAYLOAD["batch_no"], 0),
            "mass_g": mass,
            "payload": payload,
            "registered_by": PRODUCER,
            "registered_ms": TIME_MS + 7,
            "units": PAYLOAD["units"],
        },
        "registration": {"transaction": text(transaction), "index": 0, "path": [], "block": block},
        **({"state": state} if with_state else {}),
        "validator_changes": [],
    }


def spoiled_passport() -> dict[str, Any]:
    """A passport whose record promises more than was registered."""
    passport = make_passport()
    passport["record"]["mass_g"] += 1
    return passport


def as_bytes(passport: dict[str, Any]) -> bytes:
    """A passport's file."""
    return json.dumps(passport, ensure_ascii=False).encode()
