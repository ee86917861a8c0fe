"""The door on a real socket."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import trio

from ledger.genesis import build_genesis
from node.rpc.load import Load
from node.rpc.protocol import METHOD_NOT_FOUND, REFUSED, RPCError
from node.rpc.server import ListenFailed, build_app, serve_door

VOTER = {"name": "v0", "member": "K77G", "key": "07" * 32, "peer_id": "p0"}
MEMBER = {"code": "K77G", "name": "A", "country": "AU", "roles": ["producer"]}


class _Door:
    events: Any = None
    genesis = build_genesis({"members": [MEMBER]}, [VOTER], [], "sample", 1_790_000_000_000)

    async def call(self, method: str, params: list[Any] | dict[str, Any], may_write: bool) -> bytes:
        if method == "write" and not may_write:
            raise RPCError(REFUSED, "a token is needed", code="E_TOKEN")
        if method not in ("write", "read"):
            raise RPCError(METHOD_NOT_FOUND, "Method not found")
        return b'"done"'

    def takes_lots(self, method: str) -> bool:
        return False

    async def call_lot(
        self, method: str, params: Sequence[list[Any] | dict[str, Any]], may_write: bool
    ) -> list[bytes | RPCError]:
        raise AssertionError("no method here takes lots")

    def ready(self) -> tuple[bool, str]:
        return False, "catching up with the chain"

    def render_metrics(self) -> bytes:
        return b"up 1\n"


CALL = {"jsonrpc": "2.0", "method": "write", "id": 1}


async def _serve(nursery: trio.Nursery) -> str:
    urls: list[str] = await nursery.start(serve_door, _Door(), "127.0.0.1:0")
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
        assert (await http.put(url)).status_code == 405
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_the_health_pages_answer() -> None:
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await _serve(nursery)
        assert (await http.get(url + "/healthz")).status_code == 200
        assert (await http.get(url + "/readyz")).status_code == 503
        assert (await http.get(url + "/metrics")).text == "up 1\n"
        nursery.cancel_scope.cancel()


def _from(address: str, token: str | None) -> httpx.AsyncClient:
    app = build_app(_Door(), "10.0.0.1:8645", token)
    transport = httpx.ASGITransport(app, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1:8645")


@pytest.mark.trio
async def test_a_write_from_beyond_loopback_needs_the_token() -> None:
    async with _from("10.0.0.9", "secret") as http:
        assert (await http.post("/", json=CALL)).json()["error"]["data"]["code"] == "E_TOKEN"
        wrong = {"authorization": "Bearer other"}
        assert "error" in (await http.post("/", json=CALL, headers=wrong)).json()
        bearer = {"authorization": "Bearer secret"}
        assert (await http.post("/", json=CALL, headers=bearer)).json()["result"] == "done"


@pytest.mark.trio
async def test_without_a_token_nobody_beyond_loopback_writes() -> None:
    async with _from("10.0.0.9", None) as http:
        empty = {"authorization": "Bearer "}
        assert "error" in (await http.post("/", json=CALL, headers=empty)).json()
    async with _from("127.0.0.1", None) as http:
        assert (await http.post("/", json=CALL)).json()["result"] == "done"


@pytest.mark.trio
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8645", "", "[", "localhost.evil"])
async def test_a_host_name_that_could_be_rebound_is_refused(host: str) -> None:
    async with _from("127.0.0.1", None) as http:
        answer = await http.post("/", json=CALL, headers={"host": host})
        assert answer.json()["error"]["data"]["code"] == "E_HOST"
        assert (await http.get("/metrics", headers={"host": host})).status_code == 403


@pytest.mark.trio
async def test_a_page_of_the_node_itself_may_call_it() -> None:
    async with _from("127.0.0.1", None) as http:
        own = {"origin": "http://10.0.0.1:8645"}
        assert (await http.post("/", json=CALL, headers=own)).status_code == 200
        for other in ("null", "http://10.0.0.1:9", "https://10.0.0.1:8645"):
            answer = await http.post("/", json=CALL, headers={"origin": other})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.trio
async def test_a_node_answers_to_the_names_that_its_operator_chose_and_to_no_other() -> None:
    app = build_app(_Door(), "10.0.0.1:8645", None, hosts=("kg.plant.example",))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1:8645") as http:
        for host in ("kg.plant.example", "KG.plant.example:8645", "10.0.0.1:8645"):
            assert (await http.post("/", json=CALL, headers={"host": host})).status_code == 200
            assert (await http.get("/", headers={"host": host})).status_code == 200
        for host in ("plant.example", "kg.plant.example.evil.example", "xkg.plant.example"):
            assert (await http.post("/", json=CALL, headers={"host": host})).status_code == 403
            assert (await http.get("/", headers={"host": host})).status_code == 403
        for origin, status in (
            ("https://kg.plant.example", 200),
            ("http://kg.plant.example", 200),
            ("https://evil.example", 403),
            ("null", 403),
        ):
            headers = {"host": "kg.plant.example", "origin": origin}
            answer = await http.post("/", json=CALL, headers=headers)
            assert answer.status_code == status, origin


@pytest.mark.trio
async def test_what_is_over_the_load_is_told_when_to_come_back() -> None:
    load = Load(requests_max=1)
    app = build_app(_Door(), "127.0.0.1:8645", None, load)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8645") as http:
        with load.one_more():
            answer = await http.post("/", json=CALL)
            assert (await http.get("/")).status_code == 503
        assert answer.status_code == 503
        assert answer.json()["error"]["data"]["code"] == "E_BUSY"
        assert answer.json()["error"]["data"]["retry_after_ms"] > 0
        assert (await http.post("/", json=CALL)).status_code == 200
        assert (load.requests, load.body_bytes) == (0, 0)


@pytest.mark.trio
async def test_an_address_that_is_taken_is_named() -> None:
    async with trio.open_nursery() as nursery:
        url = await _serve(nursery)
        taken = url.removeprefix("http://")
        with pytest.raises(ListenFailed, match=taken):
            await serve_door(_Door(), taken)
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_body_that_stops_half_way_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.rpc.load.BODY_TIMEOUT_S", 0.2)
    async with trio.open_nursery() as nursery:
        host, port = (await _serve(nursery)).removeprefix("http://").split(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(
                f"POST / HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
                "Content-Length: 100\r\n\r\n{".encode()
            )
            with trio.fail_after(10):
                assert b" 408 " in await stream.receive_some()
        nursery.cancel_scope.cancel()
