"""`kilochain init` and `kilochain genesis`: from keys to a network that can start."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from one_node import MEMBERS, OneNode, make, run, said

from ledger.genesis import parse_genesis
from node.config import load_config
from node.testnet import calls


def test_an_operator_and_the_founder_get_to_a_home_that_can_start(tmp_path: Path) -> None:
    node = make(tmp_path)
    genesis = parse_genesis(node.genesis.read_bytes())
    assert (node.home / "genesis.json").read_bytes() == node.genesis.read_bytes()
    checked = said("genesis", "check", node.genesis)
    assert checked["chain_id"] == genesis.chain_id
    assert checked["digest"] == genesis.digest.hex()
    assert [each["name"] for each in checked["validators"]] == ["v0"]
    for name in ("node.key", "validator.key"):
        assert (node.home / "keys" / name).stat().st_mode & 0o777 == 0o600


def test_a_home_is_never_overwritten(tmp_path: Path) -> None:
    node = make(tmp_path)
    before = {path: path.read_bytes() for path in node.home.rglob("*") if path.is_file()}
    for more in ((), ("--genesis", node.genesis)):
        refused = run("init", "--home", node.home, "--no-passphrase", *more)
        assert refused.exit_code == 1
        assert "never overwritten" in refused.stderr
    assert {path: path.read_bytes() for path in node.home.rglob("*") if path.is_file()} == before


def test_a_home_with_settings_that_do_not_work_leaves_nothing_behind(tmp_path: Path) -> None:
    refused = run(
        "init", "--home", tmp_path / "home", "--no-passphrase", "--p2p-listen", "here:8644"
    )
    assert refused.exit_code == 1
    assert "p2p.listen" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_home_comes_from_the_environment_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = said("init", "--no-passphrase", "--name", "mine", env={"KILOCHAIN_HOME": str(home)})
    assert made["home"] == str(home)
    assert made["validator_key"] is None
    assert load_config(home).name == "mine"


def test_a_stranger_to_the_genesis_is_told(tmp_path: Path) -> None:
    node = make(tmp_path)
    other = tmp_path / "other"
    made = run("init", "--home", other, "--genesis", node.genesis, "--no-passphrase")
    assert made.exit_code == 0
    assert "does not list this node" in made.stdout


def test_what_is_no_genesis_is_refused_with_its_fault(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text('{"version": 1}')
    refused = run("genesis", "check", path)
    assert refused.exit_code == 1
    assert "E_GENESIS" in refused.stderr
    refused = run("init", "--home", tmp_path / "home", "--genesis", path, "--no-passphrase")
    assert refused.exit_code == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("member.json", "[]", "not a part of a genesis"),
        ("members.json", "{}", "a list of objects"),
        ("members.json", "[1]", "a list of objects"),
        ("members.json", "[", "not readable as JSON"),
        ("network.json", "[]", "must be an object"),
        ("peers.json", '[{"name": "x"}]', "peers[0]"),
    ],
)
def test_a_folder_that_is_no_consortium_is_refused_with_the_file_at_fault(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    folder = tmp_path / "consortium"
    folder.mkdir()
    key, voter = "a7" * 32, {"name": "v0", "member": "K77G", "peer_id": "x"}
    (folder / "members.json").write_text(MEMBERS.read_text())
    (folder / "validators.json").write_text(json.dumps([{**voter, "key": key}]))
    (folder / name).write_text(text)
    refused = run("genesis", "build", folder, "-o", tmp_path / "genesis.json")
    assert refused.exit_code == 1
    assert fault in refused.stderr
    assert not (tmp_path / "genesis.json").exists()


def test_a_consortium_without_validators_says_where_they_come_from(tmp_path: Path) -> None:
    refused = run("genesis", "build", MEMBERS.parent, "-o", tmp_path / "genesis.json")
    assert refused.exit_code == 1
    assert "kilochain init" in refused.stderr


def test_a_built_genesis_is_never_overwritten(tmp_path: Path) -> None:
    node = make(tmp_path)
    refused = run("genesis", "build", tmp_path / "consortium", "-o", node.genesis)
    assert refused.exit_code == 1
    assert "already there" in refused.stderr


@pytest.mark.e2e
def test_a_home_and_a_port_serve_one_node_at_a_time(node: OneNode, tmp_path: Path) -> None:
    second = _start(node.home)
    assert second.returncode == 1
    assert "already runs on this home" in second.stderr
    other = tmp_path / "other"
    address = node.url.removeprefix("http://")
    given = ("--genesis", node.genesis, "--rpc-listen", address, "--no-passphrase")
    said("init", "--home", other, "--p2p-listen", "/ip4/127.0.0.1/tcp/0", *given)
    taken = _start(other)
    assert taken.returncode == 1
    assert address in taken.stderr
    assert "Traceback" not in taken.stderr


def test_a_folder_that_is_no_home_does_not_start(tmp_path: Path) -> None:
    refused = _start(tmp_path)
    assert refused.returncode == 1
    assert "kilochain init" in refused.stderr


def _start(home: Path) -> subprocess.CompletedProcess[str]:
    command = calls.command("start", "--home", str(home))
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
