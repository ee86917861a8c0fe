"""Every RPC method of a real node, as a program in another language would call it."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from one_node import BATCH, MEMBER, OneNode

from ledger.codec import signing_bytes
from ledger.genesis import parse_genesis
from node.client import CallRefused, Client, SignedTransaction, sign_registration
from node.keys import load_key
from node.rpc.limits import BATCH_CALLS_MAX
from node.rpc.methods import METHODS

pytestmark = pytest.mark.e2e
PAYLOAD = json.loads(BATCH.read_text())
RESULTS = {method.name: method.result for method in METHODS}
NUMBERS = itertools.count(5_000)


@pytest.fixture(scope="module")
def client(node: OneNode) -> Iterator[Client]:
    """A client of the node."""
    with Client(node.url) as found:
        yield found


def _fresh(node: OneNode, **changes: object) -> SignedTransaction:
    chain_id = parse_genesis(node.genesis.read_bytes()).chain_id
    payload = {**PAYLOAD, "batch_no": next(NUMBERS), **changes}
    return sign_registration(payload, load_key(node.key), chain_id=chain_id, member=MEMBER)


def _ask(client: Client, method: str, **parameters: object) -> Any:
    """The result of a call, which has exactly the documented fields."""
    result = client.call(method, **parameters)
    msgspec.convert(result, RESULTS[method])
    return result


@pytest.fixture(scope="module")
def committed(node: OneNode, client: Client) -> dict[str, Any]:
    """A transaction on the chain."""
    state = client.submit(_fresh(node), wait_s=60)
    assert state["status"] == "committed"
    return state


def test_the_node_says_where_it_stands_and_who_it_is(
    client: Client, committed: dict[str, Any]
) -> None:
    status = _ask(client, "chain.status")
    assert status["height"] >= committed["height"]
    assert (status["n"], status["f"], status["quorum"], status["replica"]) == (1, 0, 1, 0)
    info = _ask(client, "node.info")
    assert info["name"] == "v0"
    assert _ask(client, "peer.list") == []
    [voter] = _ask(client, "validator.list")
    assert (voter["index"], voter["peer_id"]) == (0, info["peer_id"])
    members = _ask(client, "member.list")
    assert MEMBER in [each["code"] for each in members]


def test_a_block_has_two_names_and_parameters_have_two_forms(
    client: Client, node: OneNode, committed: dict[str, Any]
) -> None:
    height = committed["height"]
    block = _ask(client, "block.get", height=height)
    assert block == _ask(client, "block.get", digest=block["digest"])
    assert block["header"]["height"] == height
    assert [vote["replica"] for vote in block["certificate"]["votes"]] == [0]
    call = {"jsonrpc": "2.0", "id": 1, "method": "block.get", "params": [height]}
    assert httpx.post(node.url, json=call).json()["result"] == block
    below = _ask(client, "block.list", before=height + 1, limit=1)
    assert [each["digest"] for each in below] == [block["digest"]]
    assert _ask(client, "block.get", height=0)["certificate"] is None


@pytest.mark.parametrize(
    ("method", "parameters", "code", "field"),
    [
        ("block.get", {}, "E_PARAMS", "height"),
        ("block.get", {"height": 1, "digest": "5f" * 32}, "E_PARAMS", "height"),
        ("block.get", {"height": -1}, "E_PARAMS", "height"),
        ("block.get", {"digest": "5F" * 32}, "E_PARAMS", "digest"),
        ("block.get", {"height": 10**6}, "E_NOT_FOUND", "height"),
        ("block.get", {"digest": "5f" * 32}, "E_NOT_FOUND", "digest"),
        ("block.list", {"limit": 101}, "E_PARAMS", "limit"),
        ("block.list", {"colour": 1}, "E_PARAMS", "colour"),
        ("tx.get", {}, "E_PARAMS", "tx_id"),
        ("tx.get", {"tx_id": "12"}, "E_PARAMS", "tx_id"),
        ("tx.submit", {"tx": "!"}, "E_SCHEMA", "tx"),
        ("tx.submit", {"tx": "AAAA"}, "E_SCHEMA", None),
        ("tx.submit", {"tx": "AAAA", "wait": "for ever"}, "E_PARAMS", "wait"),
        ("tx.submit", {"tx": "AAAA", "timeout_ms": 60_001}, "E_PARAMS", "timeout_ms"),
        ("tx.encode", {"envelope": {"v": 1}}, "E_SCHEMA", "chain_id"),
        ("batch.list", {"member": "ZZZZ"}, "E_NOT_FOUND", "member"),
        ("batch.list", {"member": "K7"}, "E_PARAMS", "member"),
        ("batch.get", {"id": "RE1"}, "E_ID", "id"),
        ("id.lookup", {"id": "x" * 65}, "E_PARAMS", "id"),
        ("testnet.cut", {"peers": []}, "E_METHOD", None),
        ("proof.put", {}, "E_METHOD", None),
    ],
)
def test_a_wrong_call_is_refused_with_its_code_and_field(
    client: Client, method: str, parameters: dict[str, object], code: str, field: str | None
) -> None:
    with pytest.raises(CallRefused) as refused:
        client.call(method, **parameters)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert str(refused.value)


def test_a_transaction_may_be_sent_again_before_and_after_its_commit(
    client: Client, node: OneNode
) -> None:
    signed = _fresh(node)
    before = _ask(client, "chain.status")["height"]
    first = _ask(client, "tx.submit", tx=signed.base64)
    assert first["status"] in ("pooled", "committed")
    done = _ask(client, "tx.submit", tx=signed.base64, wait="committed", timeout_ms=60_000)
    assert done["status"] == "committed"
    assert done["height"] > before
    assert _ask(client, "tx.submit", tx=signed.base64) == done
    assert _ask(client, "tx.get", tx_id=signed.tx_id) == done


def test_a_program_without_messagepack_can_register_a_batch(client: Client, node: OneNode) -> None:
    key = load_key(node.key)
    envelope = {
        "v": 1,
        "chain_id": _ask(client, "chain.status")["chain_id"],
        "kind": "batch.register",
        "member": MEMBER,
        "key": key.public.hex(),
        "valid_until_ms": _ask(client, "chain.status")["head_time_ms"] + 3_600_000,
        "salt": "3c" * 16,
        "payload": {**PAYLOAD, "batch_no": next(NUMBERS)},
    }
    encoded = _ask(client, "tx.encode", envelope=envelope)
    to_sign = base64.b64decode(encoded["to_sign"])
    unsigned = base64.b64decode(encoded["unsigned"])
    assert to_sign == signing_bytes("kilochain/tx/1", unsigned)
    whole = _ask(client, "tx.encode", envelope=envelope, signature=key.sign(to_sign).hex())
    done = _ask(client, "tx.submit", tx=whole["tx"], wait="committed", timeout_ms=60_000)
    assert (done["tx_id"], done["status"]) == (encoded["tx_id"], "committed")
    found = _ask(client, "batch.list", member=MEMBER, after=envelope["payload"]["batch_no"] - 1)
    record = found["batches"][0]
    assert record["anchored"]["tx_id"] == done["tx_id"]
    assert record == _ask(client, "batch.get", id=record["id"])
    assert _ask(client, "id.lookup", id=record["id"])["anchored"] == record["anchored"]


def test_an_array_of_submissions_is_answered_one_by_one(client: Client, node: OneNode) -> None:
    lot = [_fresh(node) for _ in range(120)]
    lot[50] = _fresh(node, units=1)
    lot[51] = SignedTransaction(lot[51].data[:-1] + bytes([lot[51].data[-1] ^ 1]), lot[51].tx_id)
    lot[53] = lot[52]
    outcomes = client.submit_many(lot)
    refused = {i: each.code for i, each in enumerate(outcomes) if isinstance(each, CallRefused)}
    assert refused == {50: "E_UNITS", 51: "E_SIG"}
    for signed, outcome in zip(lot, outcomes, strict=True):
        if not isinstance(outcome, CallRefused):
            assert outcome["tx_id"] == signed.tx_id
            assert client.submit(signed, wait_s=60)["status"] == "committed"


def test_an_array_may_wait_for_commits_and_mix_methods(client: Client, node: OneNode) -> None:
    waiting = {"wait": "committed", "timeout_ms": 60_000}
    calls = [
        {"jsonrpc": "2.0", "id": "a", "method": "chain.status"},
        {
            "jsonrpc": "2.0",
            "id": "b",
            "method": "tx.submit",
            "params": {"tx": _fresh(node).base64, **waiting},
        },
        {"jsonrpc": "2.0", "id": "c", "method": "tx.submit", "params": {}},
        {"jsonrpc": "2.0", "id": "d", "method": "tx.submit", "params": [_fresh(node).base64]},
        {"jsonrpc": "2.0", "method": "node.info"},
    ]
    answers = httpx.post(node.url, json=calls, timeout=90).json()
    assert [each["id"] for each in answers] == ["a", "b", "c", "d"]
    assert answers[1]["result"]["status"] == "committed"
    assert answers[2]["error"]["data"] == {"code": "E_PARAMS", "field": "tx"}
    assert answers[3]["result"]["status"] in ("pooled", "committed")


def test_the_largest_array_is_answered_and_a_larger_one_refused(
    client: Client, node: OneNode
) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tx.submit", "params": {"tx": "AAAA"}}
    answers = httpx.post(node.url, json=[call] * BATCH_CALLS_MAX, timeout=30).json()
    assert [each["error"]["data"]["code"] for each in answers] == ["E_SCHEMA"] * BATCH_CALLS_MAX
    refused = httpx.post(node.url, json=[call] * (BATCH_CALLS_MAX + 1), timeout=30).json()
    assert refused["error"]["data"]["code"] == "E_REQUEST"


def test_the_node_describes_its_methods(client: Client) -> None:
    document = client.call("rpc.discover")
    named = [each["name"] for each in document["methods"]]
    assert named == [*(each.name for each in METHODS if not each.testnet), "rpc.discover"]


def test_the_pages_for_health_answer(node: OneNode) -> None:
    assert httpx.get(node.url + "/healthz").status_code == 200
    assert httpx.get(node.url + "/readyz").status_code == 200
    metrics = httpx.get(node.url + "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE" in metrics.text
