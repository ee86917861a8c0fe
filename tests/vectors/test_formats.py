"""Formats that docs/formats.md describes, rebuilt here from that page with msgpack and hashlib."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgpack
import pytest

from consensus.messages import Certificate, Status, Vote
from consensus.wire import encode_certificate, encode_status, encode_vote, vote_bytes
from ledger import merkle
from ledger.blocks import BlockHeader, encode_body, encode_header, header_digest
from ledger.genesis import parse_genesis
from ledger.state import State, batch_key
from ledger.state_tree import StateTree
from ledger.store import MemoryStore
from node.keys import from_seed, verify
from node.network.frames import FRAME, pack

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "formats.json").read_text())
CHAIN: str = VECTORS["chain_id"]
KEY = from_seed("validator", bytes.fromhex(VECTORS["seed"]))
HEADER: dict[str, Any] = VECTORS["header"]["fields"]


def canonical(value: object) -> bytes:
    """Canonical MessagePack of values whose maps are in key order already."""
    return bytes(msgpack.packb(value, use_bin_type=True))


def tagged(domain: str, data: bytes) -> bytes:
    return hashlib.sha256(domain.encode() + b"\0" + data).digest()


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def fields() -> dict[str, Any]:
    hexed = ("parent", "transactions_root", "state_root", "validators_hash", "next_validators_hash")
    return {name: raw(v) if name in hexed else v for name, v in HEADER.items()}


def test_a_header_and_its_digest() -> None:
    expected = raw(VECTORS["header"]["bytes"])
    assert canonical(dict(sorted(fields().items()))) == expected
    assert encode_header(BlockHeader(**fields())) == expected
    assert tagged("kilochain/block/1", expected).hex() == VECTORS["header"]["digest"]
    assert header_digest(expected).hex() == VECTORS["header"]["digest"]


def test_a_body() -> None:
    header, signed = raw(VECTORS["header"]["bytes"]), [raw(t) for t in VECTORS["body"]["signed"]]
    expected = raw(VECTORS["body"]["bytes"])
    assert canonical([header, signed]) == expected
    assert encode_body(header, signed) == expected


def test_the_merkle_root_of_three() -> None:
    entries = [raw(t) for t in VECTORS["body"]["signed"]]
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    pair = hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()
    root = hashlib.sha256(b"\1" + pair + leaves[2]).digest()
    assert root.hex() == VECTORS["merkle"]["root"]
    assert merkle.root(entries) == root
    for index, path in enumerate(VECTORS["merkle"]["paths"]):
        assert [step.hex() for step in merkle.inclusion_proof(entries, index)] == path
        assert merkle.verify_inclusion(entries[index], index, 3, [raw(p) for p in path], root)


@pytest.mark.parametrize("kind", ["pre-prepare", "prepare", "commit"])
def test_a_vote_its_signature_and_its_frame(kind: str) -> None:
    vector = VECTORS["votes"][kind]
    digest = raw(VECTORS["header"]["digest"])
    names = {"chain_id": CHAIN, "digest": digest, "height": 7, "kind": kind, "v": 1, "view": 2}
    signed = b"kilochain/vote/1\0" + canonical(names)
    assert signed == vote_bytes(CHAIN, kind, 2, 7, digest) == raw(vector["signed_bytes"])
    signature, attached = raw(vector["signature"]), raw(vector["attached"])
    assert KEY.sign(signed) == signature
    assert verify(KEY.public, signed, signature)
    frame = canonical([kind, CHAIN, 2, 7, digest, KEY.public, signature, attached])
    vote = Vote(kind, 2, 7, digest, KEY.public, signature, attached)
    assert frame == encode_vote(CHAIN, vote) == raw(vector["frame"])


def test_a_commit_certificate() -> None:
    signature = raw(VECTORS["votes"]["commit"]["signature"])
    expected = raw(VECTORS["certificate"])
    assert canonical([2, [[0, signature], [2, signature], [3, signature]]]) == expected
    votes = tuple((index, signature) for index in (0, 2, 3))
    assert encode_certificate(Certificate(2, votes)) == expected


def test_a_status_and_the_frame_around_it() -> None:
    message = canonical(["status", CHAIN, 1, 2, "active", 6])
    assert message == encode_status(CHAIN, Status(1, 2, "active", 6))
    assert pack(FRAME, message) == raw(VECTORS["status_frame"])
    assert raw(VECTORS["status_frame"])[:5] == (len(message) + 1).to_bytes(4, "big") + b"\2"


def test_the_state_root_after_one_block() -> None:
    store = MemoryStore()
    state = State(store, StateTree(store), bytes(32))
    record = canonical([bytes(32), 1, 0])
    state.put(batch_key("K77G", 48), record)
    path = tagged("kilochain/state-key/1", b"batch/K77G" + (48).to_bytes(4, "big"))
    root = tagged("kilochain/state-leaf/1", path + hashlib.sha256(record).digest())
    assert state.root() == root
    assert root.hex() == VECTORS["state_root"]


def test_the_chain_id_is_made_of_the_genesis_bytes() -> None:
    data = VECTORS["genesis"]["json"].encode()
    digest = tagged("kilochain/genesis/1", data)
    found = parse_genesis(data)
    assert found.digest == digest
    assert digest.hex() == VECTORS["genesis"]["digest"]
    assert found.chain_id == f"vectors-{digest.hex()[:16]}" == VECTORS["genesis"]["chain_id"]
