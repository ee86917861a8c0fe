"""Every kind of ID gets the right answer, by RPC and by command."""

from __future__ import annotations

import json

import httpx
import pytest
from whole_network import SEEDS, Net, cli

from ledger.identifiers import format_id
from node.testnet import calls

pytestmark = pytest.mark.e2e
PARTIAL = "02-K77G-ree-concentrate.json"  # its last kilogram is lighter than the others


def _batch() -> dict[str, int]:
    document = json.loads((SEEDS / "batches" / PARTIAL).read_text())
    assert document["net_mass_g"] % 1000
    return dict(document)


def _error(net: Net, text: str) -> str:
    request = {"jsonrpc": "2.0", "id": 1, "method": "id.lookup", "params": {"id": text}}
    answer = httpx.post(net.url("v1"), json=request, timeout=30).json()
    return str(answer["error"]["data"]["code"])


def test_the_last_kilogram_has_the_mass_that_remains(shared_net: Net) -> None:
    batch = _batch()
    last = format_id("K77G", batch["batch_no"], batch["units"])
    record = calls.call(shared_net.url("v2"), "id.lookup", id=last)
    assert record["kind"] == "kilogram"
    assert record["mass_g"] == batch["net_mass_g"] - 1000 * (batch["units"] - 1)
    assert {each["element"] for each in record["composition"]} == set(batch["ree"])  # type: ignore[call-overload]
    assert record["anchored"]["height"] >= 1
    shown = cli("lookup", last, "--json", "--rpc", shared_net.url("v2"))
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["mass_g"] == record["mass_g"]


def test_a_batch_id_gives_the_batch(shared_net: Net) -> None:
    batch = _batch()
    own = format_id("K77G", batch["batch_no"], 0)
    record = calls.call(shared_net.url("v0"), "id.lookup", id=own)
    assert (record["kind"], record["mass_g"]) == ("batch", batch["net_mass_g"])
    assert cli("lookup", own, "--rpc", shared_net.url("v0")).returncode == 0


@pytest.mark.parametrize("beyond", ["serial", "batch"])
def test_an_id_that_was_never_registered_is_not_found(shared_net: Net, beyond: str) -> None:
    batch = _batch()
    number, serial = batch["batch_no"], batch["units"] + 1
    absent = format_id("K77G", number, serial) if beyond == "serial" else format_id("K77G", 9, 1)
    assert _error(shared_net, absent) == "E_NOT_REGISTERED"
    assert cli("lookup", absent, "--rpc", shared_net.url("v0")).returncode == 3


def test_a_mistyped_id_is_told_apart_from_one_that_was_never_registered(shared_net: Net) -> None:
    right = format_id("K77G", 1, 1)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert _error(shared_net, wrong) == "E_CHECK"
    shown = cli("lookup", wrong, "--rpc", shared_net.url("v0"))
    assert shown.returncode == 1
    assert "check characters do not match" in shown.stderr


def test_without_a_node_the_command_says_so(shared_net: Net) -> None:
    shown = cli("lookup", format_id("K77G", 1, 1), "--rpc", "http://127.0.0.1:9")
    assert shown.returncode == 4
