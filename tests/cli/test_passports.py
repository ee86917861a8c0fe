"""Passports of a real node, by RPC and by command, and what the command says of them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
import scitt_cose
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from one_node import BATCH, OneNode, batch, run, said

from ledger.identifiers import format_id, parse_id
from ledger.passport_verifier import STEPS
from node.client import CallRefused, Client
from node.keys import load_key
from node.network.host import peer_id_of

pytestmark = pytest.mark.e2e
SAMPLE = json.loads(BATCH.read_text())
NUMBER, UNITS = 9_000_001, SAMPLE["units"]


@pytest.fixture(scope="module")
def registered(node: OneNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files of a node that has registered the batch NUMBER."""
    folder = tmp_path_factory.mktemp("passports")
    file = batch(NUMBER, folder)
    said("batch", "register", file, "--key", node.key, "--wait", "--rpc", node.url)
    return folder


def ask(node: OneNode, method: str, **parameters: object) -> Any:
    with Client(node.url) as client:
        return client.call(method, **parameters)


@pytest.mark.parametrize("current", [False, True])
@pytest.mark.parametrize(
    ("number", "serial", "claim"),
    [
        (NUMBER, 0, "registered"),
        (NUMBER, 1, "registered"),
        (NUMBER, UNITS, "registered"),
        (NUMBER, UNITS + 1, "not_registered"),
        (NUMBER + 1, 1, "not_registered"),
    ],
)
def test_a_passport_that_the_command_writes_verifies_without_a_node(
    node: OneNode, registered: Path, number: int, serial: int, claim: str, current: bool
) -> None:
    text = format_id("K77G", number, serial)
    file = registered / f"{text}-{current}.json"
    options = ["--current"] if current else []
    made = said("proof", parse_id(text).display, "-o", file, "--rpc", node.url, *options)
    assert (made["id"], made["claim"]) == (text, claim)
    assert made["bytes"] == file.stat().st_size
    asked = ask(node, "proof.get", id=text, current=current)
    assert {**json.loads(file.read_bytes()), "state": None} == {**asked, "state": None}
    found = said("verify", file, "--genesis", node.genesis)
    assert found["valid"] is True
    assert (found["id"], found["claim"], found["failed"]) == (text, claim, None)
    assert all(step["passed"] for step in found["steps"])
    assert [step["step"] for step in found["steps"]] == [
        step for step in STEPS if step in {each["step"] for each in found["steps"]}
    ]
    shown = run("verify", file, "--genesis", node.genesis).stdout
    assert shown.count("✓") == len(found["steps"])
    assert all(sentence in shown for sentence in (*found["proven"], *found["not_proven"]))
    assert found["genesis"] in shown


def _passport(node: OneNode, folder: Path, name: str, serial: int = 1, *options: str) -> Path:
    file = folder / name
    said("proof", format_id("K77G", NUMBER, serial), "-o", file, "--rpc", node.url, *options)
    return file


def test_a_changed_passport_ends_with_5_and_the_step(node: OneNode, registered: Path) -> None:
    file = _passport(node, registered, "changed.json")
    document = json.loads(file.read_bytes())
    document["record"]["mass_g"] -= 1
    file.write_text(json.dumps(document))
    found = run("verify", file, "--genesis", node.genesis)
    assert found.exit_code == 5
    assert "✗ record" in found.stdout
    assert f"{file}: record: " in found.stderr
    assert "Proven" not in found.stdout
    answer = run("verify", file, "--genesis", node.genesis, "--json")
    assert answer.exit_code == 5
    assert json.loads(answer.stdout)["failed"] == "record"
    assert json.loads(answer.stdout)["proven"] == []


def test_another_genesis_ends_with_5(node: OneNode, registered: Path) -> None:
    file = _passport(node, registered, "foreign.json")
    other = registered / "other-genesis.json"
    other.write_bytes(node.genesis.read_bytes() + b"\n")
    found = run("verify", file, "--genesis", other)
    assert found.exit_code == 5
    assert f"{file}: genesis: " in found.stderr


def test_files_that_are_no_passports_are_refused(node: OneNode, registered: Path) -> None:
    for name, data in (("empty", b""), ("long", b" " * 200_000), ("list", b"[]")):
        file = registered / name
        file.write_bytes(data)
        found = run("verify", file, "--genesis", node.genesis)
        assert found.exit_code == 5
        assert f"{file}: format: " in found.stderr
    assert run("verify", registered / "none", "--genesis", node.genesis).exit_code == 1
    assert run("verify", registered / "none").exit_code == 2


def test_a_file_is_never_overwritten(node: OneNode, registered: Path) -> None:
    file = _passport(node, registered, "kept.json")
    before = file.read_bytes()
    found = run("proof", format_id("K77G", NUMBER, 2), "-o", file, "--rpc", node.url)
    assert found.exit_code == 1
    assert "already there" in found.stderr
    assert file.read_bytes() == before


def test_a_batch_that_has_not_changed_is_proven_by_two_passports(
    node: OneNode, registered: Path
) -> None:
    old = _passport(node, registered, "old.json")
    file = batch(NUMBER + 7, registered)
    said("batch", "register", file, "--key", node.key, "--wait", "--rpc", node.url)
    new = _passport(node, registered, "new.json", 0, "--current")
    found = said("verify", new, "--genesis", node.genesis, "--unchanged-since", old)
    assert "nothing of it has changed" in found["unchanged"]
    shown = run("verify", new, "--genesis", node.genesis, "--unchanged-since", old)
    assert found["unchanged"] in shown.stdout
    backwards = run("verify", old, "--genesis", node.genesis, "--unchanged-since", new)
    assert backwards.exit_code == 5
    assert "no state" in backwards.stderr


def test_a_mistyped_id_is_refused(node: OneNode, registered: Path) -> None:
    right = format_id("K77G", NUMBER, 1)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    with pytest.raises(CallRefused) as raised:
        ask(node, "proof.get", id=wrong)
    assert raised.value.code == "E_CHECK"
    found = run("proof", wrong, "-o", registered / "wrong.json", "--rpc", node.url)
    assert found.exit_code == 1
    assert "check characters" in found.stderr
    assert not (registered / "wrong.json").exists()


def test_a_receipt_is_signed_by_the_node_and_read_by_others(
    node: OneNode, registered: Path
) -> None:
    file = _passport(node, registered, "kilogram.cose", 1, "--cose")
    key = load_key(node.home / "keys" / "node.key")
    pem = Ed25519PublicKey.from_public_bytes(key.public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    document = ask(node, "proof.get", id=format_id("K77G", NUMBER, 1))
    entry = base64.b64decode(document["registration"]["transaction"])
    found = scitt_cose.verify_receipt(
        file.read_bytes(), leaf_entry_hex=entry.hex(), log_public_key_pem=pem
    )
    assert found.ok, found.errors
    protected = cbor2.loads(cbor2.loads(file.read_bytes()).value[0])
    assert protected[4] == peer_id_of(key.seed).encode()
    refused = run("verify", file, "--genesis", node.genesis)
    assert refused.exit_code == 1
    assert "without --cose" in refused.stderr


@pytest.mark.parametrize(("number", "serial"), [(NUMBER, UNITS + 1), (NUMBER + 1, 1)])
def test_what_is_not_registered_has_no_receipt(
    node: OneNode, registered: Path, number: int, serial: int
) -> None:
    text = format_id("K77G", number, serial)
    with pytest.raises(CallRefused) as raised:
        ask(node, "proof.get", id=text, format="cose")
    assert raised.value.code == "E_NOT_REGISTERED"
    found = run("proof", text, "--cose", "-o", registered / "none.cose", "--rpc", node.url)
    assert found.exit_code == 3


def test_the_genesis_comes_to_the_byte(node: OneNode, registered: Path) -> None:
    said_by_node = ask(node, "genesis.get")
    document = base64.b64decode(said_by_node["document"])
    assert document == node.genesis.read_bytes()
    digest = hashlib.sha256(b"kilochain/genesis/1\0" + document).hexdigest()
    assert said_by_node["digest"] == digest
    assert said_by_node["chain_id"].endswith(digest[:16])
    file = registered / "fetched-genesis.json"
    assert said("genesis", "get", "-o", file, "--rpc", node.url)["digest"] == digest
    assert file.read_bytes() == document
    assert run("genesis", "get", "-o", file, "--rpc", node.url).exit_code == 1
