"""A small consortium and batches that pass every rule, signed with real keys."""

from __future__ import annotations

import hashlib
from typing import Any

import nacl.bindings

from ledger.codec import signing_bytes
from ledger.genesis import Genesis, build_genesis, parse_genesis
from ledger.transactions import (
    Envelope,
    Transaction,
    assemble,
    encode_unsigned,
    parse_transaction,
    payload_from_json,
)

TIME_MS = 1_795_000_000_000  # 2026-11-18
HOUR_MS = 3_600_000


def seed_of(name: str) -> bytes:
    """A key seed that depends on `name` alone."""
    return hashlib.sha256(name.encode()).digest()


def public_key(name: str) -> bytes:
    """The public key of `seed_of(name)`."""
    public, _ = nacl.bindings.crypto_sign_seed_keypair(seed_of(name))
    return bytes(public)


def member(code: str, *roles: str, **changes: Any) -> dict[str, Any]:
    """A member document with one facility and one key."""
    document = {
        "code": code,
        "name": f"Invented {code}",
        "country": "AU",
        "roles": list(roles),
        "facilities": [{"id": f"{code}-01", "name": "works", "country": "AU"}],
        "keys": [{"key": public_key(code).hex(), "status": "active"}],
    }
    return {**document, **changes}


def genesis_bytes(**changes: Any) -> bytes:
    """genesis.json of three members and one validator."""
    members = [member("K77G", "producer"), member("S3PA", "refiner"), member("QAB1", "lab")]
    consortium = {"members": members, **changes}
    voter = {"name": "v0", "member": "K77G", "key": public_key("v0").hex(), "peer_id": "peer-v0"}
    observer = {"peer_id": "peer-o0", "member": "QAB1", "name": "o0"}
    return build_genesis(consortium, [voter], [observer], "tests", TIME_MS - HOUR_MS)


def genesis(**changes: Any) -> Genesis:
    """The same, parsed."""
    return parse_genesis(genesis_bytes(**changes))


def payload(**changes: Any) -> dict[str, Any]:
    """A valid batch.register payload in JSON form; a change to None leaves the field out."""
    document = {
        "batch_no": 1,
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
        "assay": {"lab": "QAB1", "method": "ICP-OES", "cert": "A-1", "sha256": "00" * 32},
    }
    return {name: value for name, value in {**document, **changes}.items() if value is not None}


def envelope(chain: Genesis, document: dict[str, Any], **changes: Any) -> Envelope:
    """An envelope of K77G around `document`."""
    fields: dict[str, Any] = {
        "chain_id": chain.chain_id,
        "key": public_key("K77G"),
        "kind": "batch.register",
        "member": "K77G",
        "payload": payload_from_json(document),
        "salt": bytes(16),
        "v": 1,
        "valid_until_ms": TIME_MS + HOUR_MS,
    }
    return Envelope(**{**fields, **changes})


def sign(unsigned: bytes, name: str = "K77G") -> bytes:
    """The signed bytes."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(seed_of(name))
    message = signing_bytes("kilochain/tx/1", unsigned)
    return assemble(unsigned, nacl.bindings.crypto_sign(message, secret)[:64])


def transaction(chain: Genesis, signer: str = "K77G", **changes: Any) -> Transaction:
    """A signed transaction; `changes` to the payload, or to the envelope where it has the name."""
    outer = {name: changes.pop(name) for name in list(changes) if name in _ENVELOPE}
    return parse_transaction(
        sign(encode_unsigned(envelope(chain, payload(**changes), **outer)), signer)
    )


_ENVELOPE = {"chain_id", "key", "kind", "member", "salt", "v", "valid_until_ms"}


def check_signatures(transactions: Any) -> list[bool]:
    """The real check, one by one."""
    return [_well_signed(each) for each in transactions]


def _well_signed(each: Transaction) -> bool:
    try:
        nacl.bindings.crypto_sign_open(each.signature + each.signing_bytes, each.envelope.key)
    except nacl.exceptions.BadSignatureError:
        return False
    return True
