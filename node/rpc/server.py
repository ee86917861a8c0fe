"""HTTP in front of JSON-RPC: who may ask, how much, and the health pages."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import aclosing
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from trio_typing import TaskStatus

from node.rpc import protocol
from node.rpc.limits import BODY_BYTES_MAX, BUSY_RETRY_AFTER_MS, CALLS_AT_ONCE_MAX


class Door(Protocol):
    """What the server asks of the node behind it."""

    async def call(
        self, method: str, params: list[Any] | dict[str, Any], may_write: bool
    ) -> object:
        """Perform one call. Raises RPCError."""

    def ready(self) -> tuple[bool, str]:
        """Whether the node can serve, and why not."""

    def render_metrics(self) -> bytes:
        """The Prometheus text."""


def build_app(door: Door, listen: str, token: str | None) -> Starlette:
    """The application that listens at `listen` ("host:port")."""
    host = urlsplit(f"//{listen}").hostname or ""
    gate = _Gate(host, token)
    at_once = trio.CapacityLimiter(CALLS_AT_ONCE_MAX)

    async def rpc(request: Request) -> Response:
        refused = gate.refusal(request)
        if refused is not None:
            return refused
        try:
            at_once.acquire_on_behalf_of_nowait(request)
        except trio.WouldBlock:
            return _busy()
        try:
            return await _answer(request, door, gate.may_write(request))
        finally:
            at_once.release_on_behalf_of(request)

    return Starlette(
        routes=[
            Route("/", rpc, methods=["POST"]),
            Route("/healthz", gate.page(lambda: PlainTextResponse("ok\n"))),
            Route("/readyz", gate.page(lambda: _readiness(door))),
            Route("/metrics", gate.page(lambda: _metrics(door))),
        ]
    )


async def serve_door(
    door: Door,
    listen: str,
    token: str | None = None,
    *,
    task_status: TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; `started` with the URLs once it listens."""
    config = HypercornConfig()
    config.bind = [listen]
    config.accesslog = None
    config.errorlog = None
    await serve(build_app(door, listen, token), config, task_status=task_status)  # type: ignore[arg-type]


class _Gate:
    """Refuses what a hostile web page could make a browser send."""

    def __init__(self, host: str, token: str | None) -> None:
        self._loopback = _is_loopback(host)
        self._host, self._token = host, token

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request that may not pass, or None."""
        if not self._host_is_ours(request.headers.get("host", "")):
            return _refuse(403, "E_HOST", "the Host header names another machine")
        if "origin" in request.headers:
            return _refuse(403, "E_ORIGIN", "web pages may not call this node")
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            return _refuse(415, "E_CONTENT_TYPE", "send Content-Type: application/json")
        return None

    def page(self, render: Callable[[], Response]) -> Callable[[Request], Any]:
        """A GET handler behind this gate."""

        async def handler(request: Request) -> Response:
            return self.refusal(request) or render()

        return handler

    def may_write(self, request: Request) -> bool:
        """Beyond loopback, only who holds the token writes."""
        if self._token is None:
            return self._loopback
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, b"Bearer " + self._token.encode())

    def _host_is_ours(self, header: str) -> bool:
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        # An address cannot be rebound by a name server; only a name can.
        return name == self._host or _is_loopback(name) or (not self._loopback and _is_ip(name))


async def _answer(request: Request, door: Door, may_write: bool) -> Response:
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return _refuse(413, "E_SIZE", f"a body holds at most {BODY_BYTES_MAX} bytes")

    async def call(method: str, params: list[Any] | dict[str, Any]) -> object:
        return await door.call(method, params, may_write)

    data = await protocol.answer(bytes(body), call)
    return Response(status_code=204) if data is None else _json(data)


def _json(data: bytes) -> Response:
    return Response(data, media_type="application/json")


def _readiness(door: Door) -> Response:
    ready, why = door.ready()
    return PlainTextResponse(f"{why}\n", status_code=200 if ready else 503)


def _metrics(door: Door) -> Response:
    return Response(door.render_metrics(), media_type="text/plain; version=0.0.4")


def _busy() -> Response:
    error = protocol.RPCError(
        protocol.REFUSED,
        "too many calls at once; try again shortly",
        code="E_BUSY",
        retry_after_ms=BUSY_RETRY_AFTER_MS,
    )
    return JSONResponse(error.response(None), status_code=503)


def _refuse(status: int, code: str, message: str) -> Response:
    error = protocol.RPCError(protocol.REFUSED, message, code=code)
    return JSONResponse(error.response(None), status_code=status)


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_ip(name) and ip_address(name).is_loopback)
