"""genesis.json: what is built reads back, and each fault is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import TIME_MS, genesis, genesis_bytes, member, public_key

from ledger.blocks import genesis_block, parse_block
from ledger.errors import GenesisError
from ledger.genesis import build_from_documents, genesis_digest, parse_genesis


def test_what_is_built_reads_back() -> None:
    data = genesis_bytes()
    found = parse_genesis(data)
    assert found.data == data
    assert found.chain_id == f"tests-{genesis_digest(data).hex()[:16]}"
    assert [each.code for each in found.members] == ["K77G", "QAB1", "S3PA"]
    assert found.validators[0].key == public_key("v0")
    assert found.peers[0].peer_id == "peer-o0"
    assert found.parameters.block_transactions_max > 0


def test_a_folder_gives_the_same_bytes_with_members_in_one_file_or_many() -> None:
    members = [member("K77G", "producer"), member("S3PA", "refiner")]
    voters = [{"name": "v0", "member": "K77G", "key": public_key("v0").hex(), "peer_id": "p"}]
    common = {"network.json": {"name": "abc", "note": "x"}, "validators.json": voters}
    one = build_from_documents({**common, "members.json": members}, TIME_MS)
    files = {f"members/{each['code']}.json": each for each in members}
    assert build_from_documents({**common, **files}, TIME_MS) == one
    assert parse_genesis(one).time_ms == TIME_MS


def test_height_0_is_bound_to_the_genesis() -> None:
    block = genesis_block(genesis())
    assert block.header.parent == genesis().digest
    assert parse_block(block.data).digest == block.digest
    other = genesis(parameters={"block_transactions_max": 7})
    assert genesis_block(other).digest != block.digest


def changed(change: Any) -> bytes:
    document = json.loads(genesis_bytes())
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("at", "change"),
    [
        ("genesis.name", lambda d: d.pop("name")),
        ("genesis.zz", lambda d: d.update(zz=1)),
        ("version", lambda d: d.update(version=2)),
        ("name", lambda d: d.update(name="Upper")),
        ("genesis.time_ms", lambda d: d.update(time_ms=True)),
        ("genesis.members", lambda d: d.update(members={})),
        ("validators", lambda d: d.update(validators=[])),
        ("members[0].code", lambda d: d["members"][0].update(code="0000")),
        ("members[0].roles", lambda d: d["members"][0].update(roles=["king"])),
        ("members[0].roles", lambda d: d["members"][0].update(roles=[["x"]])),
        ("members[0].country", lambda d: d["members"][0].update(country="ZZ")),
        ("members[0].status", lambda d: d["members"][0].update(status="dead")),
        ("members[0].keys[0].key", lambda d: d["members"][0]["keys"][0].update(key="00")),
        ("members[0].keys", lambda d: d["members"][0]["keys"][0].update(facilities=["x"])),
        ("members.code", lambda d: d["members"].append(d["members"][0])),
        ("member", lambda d: d["validators"][0].update(member="XXXX")),
        ("peer_id", lambda d: d["peers"][0].update(peer_id="peer-v0")),
        ("name", lambda d: d["peers"][0].update(name="v0")),
        ("parameters", lambda d: d["parameters"].update(block_bytes_max=0)),
        ("parameters.block_bytes_max", lambda d: d["parameters"].update(block_bytes_max=2**40)),
    ],
)
def test_a_fault_is_named(at: str, change: Any) -> None:
    with pytest.raises(GenesisError) as caught:
        parse_genesis(changed(change))
    assert caught.value.field == at


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"a":1,"a":1}', b'{"a":1.5}', b"[" * 9999])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(GenesisError):
        parse_genesis(data)
