"""A passport outlives its network: made by any node, verified when none is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from whole_network import Net, cli, wait_until

from ledger.identifiers import format_id
from node.testnet import control

pytestmark = pytest.mark.e2e


def _proof(net: Net, name: str, text: str, file: Path, *options: str) -> Path:
    made = cli("proof", text, "-o", str(file), "--rpc", net.url(name), *options)
    assert made.returncode == 0, made.stderr
    return file


def test_a_passport_verifies_when_every_node_is_gone(net: Net, tmp_path: Path) -> None:
    genesis = tmp_path / "genesis.json"
    fetched = cli("genesis", "get", "-o", str(genesis), "--rpc", net.url("v1"))
    assert fetched.returncode == 0, fetched.stderr
    payload = net.payload(0)
    signed, code = net.sign(payload), payload["facility"][:4]
    assert net.submitted("v0", signed)
    wait_until(lambda: net.committed("v0", signed), "the batch is committed")
    text = format_id(code, payload["batch_no"], 1)
    old = _proof(net, "v0", text, tmp_path / "old.json")
    net.commit("v2")
    net.wait_agreement(net.validators)
    files = [
        _proof(net, name, text, tmp_path / f"{name}.json", "--current") for name in net.validators
    ]
    absent = format_id(code, 33_000_000, 1)
    files.append(_proof(net, "v3", absent, tmp_path / "absent.json"))
    control.down(net.folder)
    assert cli("status", "--rpc", net.url("v0")).returncode == 4

    for file in (old, *files):
        found = cli("verify", str(file), "--genesis", str(genesis), "--json")
        assert found.returncode == 0, found.stderr
        claim = "not_registered" if file.name == "absent.json" else "registered"
        assert json.loads(found.stdout)["claim"] == claim
    since = ("--unchanged-since", str(old))
    assert cli("verify", str(files[0]), "--genesis", str(genesis), *since).returncode == 0

    data = bytearray(files[0].read_bytes())
    place = data.index(b'"transaction":"') + 200
    data[place] ^= 1
    broken = tmp_path / "broken.json"
    broken.write_bytes(data)
    found = cli("verify", str(broken), "--genesis", str(genesis))
    assert found.returncode == 5
    assert f"{broken}: inclusion: " in found.stderr
