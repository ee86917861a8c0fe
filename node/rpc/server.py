"""HTTP in front of JSON-RPC: POST /, the pages for health and metrics, and the explorer."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import trio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from trio_typing import TaskStatus

from node.explorer import Explorer, Refused
from node.rpc import protocol
from node.rpc.connections import Connections
from node.rpc.events import EventLog
from node.rpc.gate import Gate, RequestRefusedError
from node.rpc.limits import BACKLOG
from node.rpc.load import Load
from node.rpc.streams import Streams

_Handler = Callable[[Request], Awaitable[Response]]


class ListenFailed(Exception):  # noqa: N818 - the name says what happened
    """The address of the RPC cannot be had; the message says which and what to do."""


class Door(Protocol):
    """What the server asks of the node behind it."""

    async def call(self, method: str, params: protocol.Params, may_write: bool) -> bytes:
        """Perform one call; the result is JSON text. Raises RPCError."""

    def takes_lots(self, method: str) -> bool:
        """Whether `call_lot` performs calls of this method."""

    async def call_lot(
        self, method: str, params: Sequence[protocol.Params], may_write: bool
    ) -> list[bytes | protocol.RPCError]:
        """Perform calls of one method together; a result or an error for each, in order."""

    def ready(self) -> tuple[bool, str]:
        """Whether the node can serve, and why not."""

    def render_metrics(self) -> bytes:
        """The Prometheus text."""

    @property
    def genesis(self) -> bytes:
        """The exact bytes of the network's genesis document."""

    @property
    def events(self) -> EventLog:
        """What blocks bring, from any cursor on."""


@dataclass(frozen=True, slots=True)
class _Caller:
    """The calls of one client (`protocol.Calls`)."""

    door: Door
    may_write: bool

    async def one(self, method: str, params: protocol.Params) -> bytes:
        return await self.door.call(method, params, self.may_write)

    def takes_lots(self, method: str) -> bool:
        return self.door.takes_lots(method)

    async def lot(
        self, method: str, params: Sequence[protocol.Params]
    ) -> list[bytes | protocol.RPCError]:
        return await self.door.call_lot(method, params, self.may_write)


@dataclass(frozen=True, slots=True)
class _Source:
    """The explorer's calls (`node.explorer.Source`): they read, whoever asks for the page."""

    door: Door

    async def ask(self, method: str, **parameters: object) -> Any:
        try:
            return msgspec.json.decode(await self.door.call(method, parameters, may_write=False))
        except protocol.RPCError as error:
            code = str(error.data.get("code", "E_INTERNAL"))
            raise Refused(code, str(error), error.data) from error


def build_app(
    door: Door,
    listen: str,
    token: str | None,
    load: Load | None = None,
    hosts: Sequence[str] = (),
) -> Starlette:
    """The application of a node that listens at `listen` ("host:port").

    `hosts`: names beside its addresses that it is reached by.
    """
    gate, load = Gate(listen, token, hosts), load or Load()

    async def rpc(request: Request) -> Response:
        with load.one_more() as share:
            body = await share.read_body(request)
            data = await protocol.answer(body, _Caller(door, gate.may_write(request)))
        if data is None:
            return Response(status_code=204)
        return Response(data, media_type="application/json")

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readiness(request: Request) -> Response:
        ready, why = door.ready()
        return PlainTextResponse(f"{why}\n", status_code=200 if ready else 503)

    async def metrics(request: Request) -> Response:
        return Response(door.render_metrics(), media_type="text/plain; version=0.0.4")

    pages = {"/healthz": health, "/readyz": readiness, "/metrics": metrics}
    routes = [Route(path, _behind(gate, page), methods=["GET"]) for path, page in pages.items()]
    streams = WebSocketRoute("/events", Streams(gate, door.events).serve)
    routes += [
        Route(path, _behind(gate, _counted(load, page)), methods=["GET"])
        for path, page in Explorer(_Source(door), door.genesis).routes.items()
    ]
    return Starlette(routes=[Route("/", _behind(gate, rpc), methods=["POST"]), streams, *routes])


async def serve_door(
    door: Door,
    listen: str,
    token: str | None = None,
    hosts: Sequence[str] = (),
    *,
    task_status: TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; `started` with the URLs once it listens. Raises ListenFailed."""
    connections = Connections(build_app(door, listen, token, hosts=hosts))
    await connections.serve(_listen(listen), task_status=task_status)


def _listen(address: str) -> socket.socket:
    parts = urlsplit(f"//{address}")
    host, port = parts.hostname or "", parts.port or 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenFailed(
            f"cannot listen on {address} for RPC ({error.strerror}); is another node running "
            "here? Set rpc.listen in config.toml"
        ) from None


def _counted(load: Load, handler: _Handler) -> _Handler:
    """`handler` as one of the requests that are answered at the same time."""

    async def run(request: Request) -> Response:
        with load.one_more():
            return await handler(request)

    return run


def _behind(gate: Gate, handler: _Handler) -> _Handler:
    """`handler` for those that the gate lets pass; refusals of the whole request as JSON."""

    async def run(request: Request) -> Response:
        try:
            gate.check(request)
            return await handler(request)
        except RequestRefusedError as error:
            # What is left of an unread body would be taken for the next request.
            headers = {"connection": "close"} if error.status in (400, 408, 413) else None
            return JSONResponse(error.response(None), error.status, headers)
        except ClientDisconnect:
            return Response(status_code=400)

    return run
