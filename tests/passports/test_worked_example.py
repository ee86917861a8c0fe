"""The worked example of docs/passport.md: each value that it shows, computed from the vectors."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
from passport_world import VECTORS

PAGE = (Path(__file__).parents[2] / "docs" / "passport.md").read_text()
FILE: dict[str, Any] = json.loads(VECTORS.read_text())
PASSPORT = next(each["passport"] for each in FILE["good"] if each["name"] == "n1")
GENESIS = FILE["genesis"]["n1"].encode()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tagged(tag: str, data: bytes) -> bytes:
    return sha(tag.encode() + b"\0" + data)


def steps() -> Iterator[tuple[str, bytes]]:
    """Name and value of everything on the way, by the page and nothing else."""
    registration, state = PASSPORT["registration"], PASSPORT["state"]
    yield "digest of the genesis document", tagged("kilochain/genesis/1", GENESIS)
    voters = [
        {"key": bytes.fromhex(v["key"]), "name": v["name"], "peer_id": v["peer_id"]}
        for v in json.loads(GENESIS)["validators"]
    ]
    yield "hash of its validators", tagged("kilochain/validators/1", msgpack.packb(voters))
    header = base64.b64decode(registration["block"]["header"])
    fields = msgpack.unpackb(header)
    yield "digest of the registration's header", tagged("kilochain/block/1", header)
    vote = {"chain_id": PASSPORT["chain_id"], "digest": tagged("kilochain/block/1", header)}
    vote |= {"height": fields["height"], "kind": "commit", "v": 1}
    vote["view"] = registration["block"]["certificate"]["view"]
    yield "what its vote signs", b"kilochain/vote/1\0" + msgpack.packb(vote)
    signed = base64.b64decode(registration["transaction"])
    node, index = sha(b"\0" + signed), registration["index"]
    yield "leaf of T", node
    for sibling in map(bytes.fromhex, registration["path"]):
        node = sha(b"\1" + (sibling + node if index & 1 else node + sibling))
        index >>= 1
    yield "root of the transactions", node
    assert node == fields["transactions_root"]
    tx_id = tagged("kilochain/tx-id/1", msgpack.unpackb(signed)[0])
    yield "ID of the transaction", tx_id
    key = b"batch/K77G" + (5).to_bytes(4, "big")
    yield "key of the batch", key
    path = tagged("kilochain/state-key/1", key)
    yield "its path", path
    value = msgpack.packb([tx_id, fields["height"], registration["index"]])
    yield "its value", value
    assert value == base64.b64decode(state["value"])
    node = tagged("kilochain/state-leaf/1", path + sha(value))
    yield "its leaf", node
    bits = f"{int.from_bytes(path, 'big'):0256b}"
    for depth, text in reversed([*enumerate(state["siblings"])]):
        sibling = bytes.fromhex(text) or bytes(32)
        pair = sibling + node if bits[depth] == "1" else node + sibling
        node = tagged("kilochain/state-node/1", pair)
    yield "root of the state", node
    assert node == msgpack.unpackb(base64.b64decode(state["block"]["header"]))["state_root"]


def test_the_page_shows_every_value_of_its_example() -> None:
    shown = re.sub(r"\s+", "", PAGE)
    for name, value in steps():
        assert name in PAGE
        assert value.hex() in shown, f"{name}: {value.hex()}"


def test_the_page_names_every_step_and_every_member() -> None:
    from ledger.passport import Passport
    from ledger.passport_verifier import STEPS

    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert [row for row in rows if row in STEPS and rows.count(row) >= 1][-10:] == list(STEPS)
    assert {*Passport.__struct_fields__} <= {*rows}
