"""The verbs that need a node, against a real one that is its whole network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from one_node import BATCH, OneNode, batch, run, said

from ledger.identifiers import format_id, parse_id

pytestmark = pytest.mark.e2e
FIRST = json.loads(BATCH.read_text())


@pytest.fixture(scope="module")
def committed(node: OneNode) -> dict[str, Any]:
    """What registering the sample batch printed."""
    found: dict[str, Any] = said(
        "batch", "register", BATCH, "--key", node.key, "--wait", "--rpc", node.url
    )
    return found


def test_registering_with_wait_gives_what_the_transaction_gives(
    node: OneNode, committed: dict[str, Any]
) -> None:
    assert committed["status"] == "committed"
    assert committed["height"] >= 1
    assert said("tx", committed["tx_id"], "--rpc", node.url) == committed
    assert "committed" in run("tx", committed["tx_id"], "--rpc", node.url).stdout


def test_the_node_is_named_by_the_environment(node: OneNode, committed: dict[str, Any]) -> None:
    status = said("status", env={"KILOCHAIN_RPC": node.url})
    assert status["height"] >= committed["height"]
    assert status["ready"]
    shown = run("status", "--rpc", node.url).stdout
    assert status["chain_id"] in shown
    assert "the primary" in shown


def test_a_node_alone_has_no_peers(node: OneNode) -> None:
    assert said("peers", "--rpc", node.url) == []
    assert "alone" in run("peers", "--rpc", node.url).stdout


@pytest.mark.parametrize("serial", [0, 1, FIRST["units"]])
def test_a_registered_id_gives_its_record(
    node: OneNode, committed: dict[str, Any], serial: int
) -> None:
    text = format_id("K77G", FIRST["batch_no"], serial)
    record = said("lookup", parse_id(text).display.lower(), "--rpc", node.url)
    assert record["id"] == text
    assert record["anchored"]["tx_id"] == committed["tx_id"]
    shown = run("lookup", text, "--rpc", node.url).stdout
    assert parse_id(text).display in shown
    assert committed["tx_id"] in shown
    for part in record["composition"]:
        assert part["oxide"] in shown


def test_an_id_that_nobody_registered_is_not_found(
    node: OneNode, committed: dict[str, Any]
) -> None:
    for number, serial in ((FIRST["batch_no"], FIRST["units"] + 1), (31_337, 1)):
        shown = run("lookup", format_id("K77G", number, serial), "--rpc", node.url)
        assert shown.exit_code == 3
        assert "E_NOT_REGISTERED" in shown.stderr


def test_a_mistyped_id_is_refused(node: OneNode) -> None:
    right = format_id("K77G", 1, 1)
    shown = run("lookup", right[:-1] + "~", "--rpc", node.url)
    assert shown.exit_code == 1
    assert "E_ID" in shown.stderr
    shown = run("lookup", right[:-1] + ("0" if right[-1] != "0" else "1"), "--rpc", node.url)
    assert shown.exit_code == 1
    assert "check characters do not match" in shown.stderr


def test_an_unknown_transaction_is_not_found(node: OneNode) -> None:
    shown = run("tx", "5f" * 32, "--json", "--rpc", node.url)
    assert shown.exit_code == 3
    assert json.loads(shown.stdout)["status"] == "unknown"


def test_blocks_are_shown_by_height_and_by_digest(node: OneNode, committed: dict[str, Any]) -> None:
    height = committed["height"]
    found = said("block", "show", str(height), "--rpc", node.url)
    assert found["transactions"][committed["index"]]["tx_id"] == committed["tx_id"]
    assert said("block", "show", found["digest"], "--rpc", node.url) == found
    listed = said("block", "list", "--limit", "2", "--before", str(height + 1), "--rpc", node.url)
    assert [each["height"] for each in listed] == [height, height - 1]
    assert found["digest"] in run("block", "show", str(height), "--rpc", node.url).stdout
    assert found["digest"] in run("block", "list", "--rpc", node.url).stdout
    assert run("block", "show", "0", "--rpc", node.url).exit_code == 0


@pytest.mark.parametrize("which", ["999999", "5f" * 32])
def test_a_block_that_does_not_exist_is_not_found(node: OneNode, which: str) -> None:
    shown = run("block", "show", which, "--rpc", node.url)
    assert shown.exit_code == 3
    assert "E_NOT_FOUND" in shown.stderr


def test_batches_are_listed_page_by_page_and_shown_as_registered(
    node: OneNode, committed: dict[str, Any], tmp_path: Path
) -> None:
    for number in (901, 902):
        given = ("--key", node.key, "--wait", "--rpc", node.url)
        said("batch", "register", batch(number, tmp_path), *given)
    page = said("batch", "list", "k77g", "--after", "900", "--limit", "1", "--rpc", node.url)
    assert [each["batch_no"] for each in page["batches"]] == [901]
    assert page["next"] == 901
    shown = run("batch", "list", "K77G", "--after", "900", "--limit", "1", "--rpc", node.url)
    assert "--after 901" in shown.stdout
    own = format_id("K77G", FIRST["batch_no"], 0)
    found = said("batch", "show", own, "--rpc", node.url)
    assert {key: found[key] for key in FIRST} == FIRST
    assert FIRST["facility"] in run("batch", "show", own, "--rpc", node.url).stdout


def test_registering_shows_the_ids_that_it_brings(node: OneNode, tmp_path: Path) -> None:
    path = batch(73_001, tmp_path)
    shown = run("batch", "register", path, "--key", node.key, "--wait", "--rpc", node.url)
    assert shown.exit_code == 0, shown.stderr
    found = re.findall(r"RE1-[0-9A-Z-]+", shown.stdout)
    kinds = [said("lookup", each, "--rpc", node.url)["kind"] for each in found]
    assert kinds == ["batch", "kilogram", "kilogram"]


def test_a_batch_number_that_is_taken_is_refused_with_code_and_reason(
    node: OneNode, committed: dict[str, Any]
) -> None:
    shown = run("batch", "register", BATCH, "--key", node.key, "--rpc", node.url)
    assert shown.exit_code == 1
    assert "E_BATCH_EXISTS" in shown.stderr


@pytest.mark.parametrize(
    ("change", "code"),
    [({"units": 1}, "E_UNITS"), ({"colour": "grey"}, "E_SCHEMA"), ({"batch_no": "x"}, "E_SCHEMA")],
)
def test_a_batch_that_breaks_a_rule_is_refused(
    node: OneNode, tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**FIRST, "batch_no": 905, **change}))
    shown = run("batch", "register", path, "--key", node.key, "--rpc", node.url)
    assert shown.exit_code == 1
    assert code in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"'])
def test_a_file_that_is_no_batch_is_refused_before_anything_is_sent(
    node: OneNode, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    shown = run("batch", "register", path, "--key", node.key, "--rpc", "http://127.0.0.1:9")
    assert shown.exit_code == 1
    assert "not a batch" in shown.stderr


def test_a_strangers_key_is_refused(node: OneNode, tmp_path: Path) -> None:
    key = tmp_path / "stranger.key"
    said("keys", "new", key, "--no-passphrase")
    shown = run("batch", "register", BATCH, "--key", key, "--rpc", node.url)
    assert shown.exit_code == 1
    assert "belongs to no member" in shown.stderr


def test_a_home_is_not_checked_while_its_node_runs(node: OneNode) -> None:
    shown = run("check", "--home", node.home)
    assert shown.exit_code == 1
    assert "already runs on this home" in shown.stderr
