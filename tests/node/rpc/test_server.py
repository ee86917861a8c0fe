"""The door on a real socket."""

from typing import Any

import httpx
import pytest
import trio

from node.rpc.protocol import METHOD_NOT_FOUND, REFUSED, RPCError
from node.rpc.server import serve_door


class _Door:
    async def call(
        self, method: str, params: list[Any] | dict[str, Any], may_write: bool
    ) -> object:
        if method == "write" and not may_write:
            raise RPCError(REFUSED, "a token is needed", code="E_TOKEN")
        if method not in ("write", "read"):
            raise RPCError(METHOD_NOT_FOUND, "Method not found")
        return "done"

    def ready(self) -> tuple[bool, str]:
        return False, "catching up with the chain"

    def render_metrics(self) -> bytes:
        return b"up 1\n"


CALL = {"jsonrpc": "2.0", "method": "write", "id": 1}


async def _serve(nursery: trio.Nursery, token: str | None = None) -> str:
    urls: list[str] = await nursery.start(serve_door, _Door(), "127.0.0.1:0", token)
    return urls[0]


@pytest.mark.trio
async def test_a_call_is_answered_and_hostile_ones_are_refused() -> None:
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await _serve(nursery)
        assert (await http.post(url, json=CALL)).json()["result"] == "done"
        evil = {"host": "evil.example"}
        assert (await http.post(url, json=CALL, headers=evil)).status_code == 403
        page = {"origin": "http://evil.example"}
        assert (await http.post(url, json=CALL, headers=page)).status_code == 403
        assert (await http.post(url, content=b"{}")).status_code == 415
        assert (await http.post(url, json="x" * 1_100_000)).status_code == 413
        assert (await http.get(url)).status_code == 405
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_the_health_pages_answer() -> None:
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await _serve(nursery)
        assert (await http.get(url + "/healthz")).status_code == 200
        assert (await http.get(url + "/readyz")).status_code == 503
        assert (await http.get(url + "/metrics")).text == "up 1\n"
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_write_needs_the_token_that_is_set() -> None:
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await _serve(nursery, "secret")
        assert (await http.post(url, json=CALL)).json()["error"]["data"]["code"] == "E_TOKEN"
        bearer = {"authorization": "Bearer secret"}
        assert (await http.post(url, json=CALL, headers=bearer)).json()["result"] == "done"
        nursery.cancel_scope.cancel()
