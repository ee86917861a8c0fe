"""The client against servers that answer badly: when it tries again, and what it says."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio

from node import client
from node.client import AsyncClient, CallRefused, Client, NodeUnreachable, SignedTransaction

TX_ID = "5f" * 32
POOLED = {"tx_id": TX_ID, "status": "pooled"}
COMMITTED = {"tx_id": TX_ID, "status": "committed"}
BUSY = {"code": "E_BUSY", "retry_after_ms": 1}
CUT = None


class Script:
    """A server on a real socket that gives one prepared answer after the other.

    An answer is a result, an error's `data` under the key "refused", raw bytes, or None: the
    connection is cut without an answer. What was asked is kept.
    """

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.asked: list[Any] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        for prepared in self._answers:
            connection, _ = self._server.accept()
            with connection, connection.makefile("rb") as incoming:
                length = 0
                while (line := incoming.readline()).strip():
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                request = json.loads(incoming.read(length))
                self.asked.append(request)
                if prepared is not CUT:
                    connection.sendall(_http(_body(prepared, request)))

    def close(self) -> None:
        self.thread.join(10)
        self._server.close()


def _body(prepared: Any, request: Any) -> bytes:
    if isinstance(prepared, bytes):
        return prepared
    if isinstance(request, list):
        answers = [json.loads(_body(a, r)) for a, r in zip(prepared, request, strict=True)]
        return json.dumps(answers[::-1]).encode()
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
    if "refused" in prepared:
        answer["error"] = {"code": -32000, "message": "no", "data": prepared["refused"]}
    else:
        answer["result"] = prepared
    return json.dumps(answer).encode()


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


@contextmanager
def _script(*answers: Any) -> Iterator[Script]:
    script = Script(*answers)
    script.thread.start()
    try:
        yield script
    finally:
        script.close()


def _transaction(size: int = 10) -> SignedTransaction:
    return SignedTransaction(b"x" * size, TX_ID)


def test_a_busy_node_is_asked_again_when_it_says() -> None:
    with (
        _script({"refused": BUSY}, {"refused": BUSY}, POOLED) as script,
        Client(script.url) as node,
    ):
        assert node.submit(_transaction()) == POOLED
    assert len(script.asked) == 3
    assert len({each["params"]["tx"] for each in script.asked}) == 1


def test_a_connection_that_breaks_is_tried_again() -> None:
    with _script(CUT, CUT, COMMITTED) as script, Client(script.url) as node:
        assert node.call("tx.get", tx_id=TX_ID) == COMMITTED
    assert [each["method"] for each in script.asked] == ["tx.get"] * 3


def test_a_connection_that_always_breaks_is_given_up() -> None:
    with (
        _script(*[CUT] * client.ATTEMPTS_MAX) as script,
        Client(script.url) as node,
        pytest.raises(NodeUnreachable, match=script.url),
    ):
        node.call("chain.status")


def test_a_refusal_keeps_its_code_and_field_and_is_not_tried_again() -> None:
    refused = {"refused": {"code": "E_UNITS", "field": "units"}}
    with (
        _script(refused) as script,
        Client(script.url) as node,
        pytest.raises(CallRefused) as caught,
    ):
        node.submit(_transaction())
    assert (caught.value.code, caught.value.field) == ("E_UNITS", "units")
    assert len(script.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"12", b"{}"])
def test_what_is_no_node_is_called_so(body: bytes) -> None:
    with (
        _script(body) as script,
        Client(script.url) as node,
        pytest.raises(NodeUnreachable, match=r"no node|JSON-RPC"),
    ):
        node.call("chain.status")


def test_a_silent_node_is_not_waited_for_twice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with (
            Client(url, read_timeout_s=0.2) as node,
            pytest.raises(NodeUnreachable, match="timed out"),
        ):
            node.call("chain.status")
        server.settimeout(0)
        server.accept()[0].close()
        with pytest.raises(BlockingIOError):
            server.accept()


def test_waiting_goes_on_over_answers_that_came_too_early() -> None:
    with _script(POOLED, POOLED, COMMITTED) as script, Client(script.url) as node:
        assert node.submit(_transaction(), wait_s=60) == COMMITTED
    assert all(each["params"]["wait"] == "committed" for each in script.asked)


def test_waiting_ends_when_its_time_is_over() -> None:
    with _script(POOLED) as script, Client(script.url) as node:
        assert node.submit(_transaction(), wait_s=0) == POOLED


def test_a_lot_keeps_its_order_whatever_the_order_of_the_answers() -> None:
    refused = {"refused": {"code": "E_SIG", "field": "signature"}}
    with _script([POOLED, refused, COMMITTED]) as script, Client(script.url) as node:
        first, second, third = node.submit_many([_transaction()] * 3)
    assert (first, third) == (POOLED, COMMITTED)
    assert isinstance(second, CallRefused)
    assert second.code == "E_SIG"


def test_lots_stay_inside_what_a_node_takes() -> None:
    many = client.LOT_CALLS_MAX + 1
    big = [_transaction(300_000)] * 2
    with (
        _script([POOLED] * client.LOT_CALLS_MAX, [POOLED], [POOLED], [POOLED]) as script,
        Client(script.url) as node,
    ):
        assert len(node.submit_many([_transaction()] * many)) == many
        assert len(node.submit_many(big)) == 2
    assert [len(each) for each in script.asked] == [client.LOT_CALLS_MAX, 1, 1, 1]


@pytest.mark.trio
async def test_the_client_on_trio_does_the_same() -> None:
    with _script(CUT, {"refused": BUSY}, POOLED, COMMITTED, [POOLED]) as script:
        async with AsyncClient(script.url) as node:
            with trio.fail_after(30):
                assert await node.submit(_transaction()) == POOLED
                assert await node.submit(_transaction(), wait_s=60) == COMMITTED
                assert await node.submit_many([_transaction()]) == [POOLED]
