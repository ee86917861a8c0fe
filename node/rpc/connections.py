"""HTTP connections: each on its own, so that none of them ends the server or outlives it."""

from __future__ import annotations

import socket

import h11
import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import repr_socket_addr
from starlette.applications import Starlette
from trio_typing import TaskStatus

from node.rpc.limits import (
    CONNECTIONS_MAX,
    KEEP_ALIVE_REQUESTS_MAX,
    KEEP_ALIVE_S,
    SEND_TIMEOUT_S,
    WEBSOCKET_MESSAGE_BYTES_MAX,
    WEBSOCKET_PING_S,
)

_log = structlog.get_logger()


class _Stream:
    """A connection that is given up when its client takes no more of an answer."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self.socket = stream.socket
        self.receive_some = stream.receive_some
        self.send_eof = stream.send_eof
        self.aclose = stream.aclose

    async def send_all(self, data: bytes) -> None:
        """Send, or raise BrokenResourceError after a while."""
        with trio.move_on_after(SEND_TIMEOUT_S) as scope:
            await self._stream.send_all(data)
        if scope.cancelled_caught:
            raise trio.BrokenResourceError("the client takes no more data")


class _Server(TCPServer):
    """HTTP/1.1 only: none of our limits was made for the streams and headers of HTTP/2."""

    async def _read_data(self) -> None:
        self.protocol.protocol._check_protocol = _stay  # type: ignore[union-attr, method-assign]
        await super()._read_data()


async def _stay(request: h11.Request) -> None:
    """An offer to upgrade is passed over, as HTTP says; HTTP/2 without asking ends here."""
    if request.method == b"PRI":
        raise ConnectionAbortedError("HTTP/2 is not spoken here")
    await trio.lowlevel.checkpoint()


class Connections:
    """Accepts, counts and serves the connections of one listening socket."""

    def __init__(self, app: Starlette) -> None:
        self._app = ASGIWrapper(app)  # type: ignore[arg-type]
        self._context = WorkerContext(None)
        self._config = HypercornConfig()
        self._config.accesslog = None
        self._config.errorlog = None
        self._config.include_server_header = False
        self._config.keep_alive_timeout = KEEP_ALIVE_S
        self._config.keep_alive_max_requests = KEEP_ALIVE_REQUESTS_MAX
        self._config.websocket_max_message_size = WEBSOCKET_MESSAGE_BYTES_MAX
        self._config.websocket_ping_interval = WEBSOCKET_PING_S
        self._open = 0

    async def serve(
        self,
        listening: socket.socket,
        *,
        task_status: TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled; `started` with the URL."""
        url = f"http://{repr_socket_addr(listening.family, listening.getsockname())}"
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, self._serve_one, [listener])
            task_status.started([url])

    async def _serve_one(self, stream: trio.SocketStream) -> None:
        if self._open >= CONNECTIONS_MAX:
            await stream.aclose()
            return
        self._open += 1
        try:
            await _Server(
                self._app,
                self._config,
                self._context,
                ConnectionState({}),
                _Stream(stream),  # type: ignore[arg-type]
            ).run()
        except* Exception as ends:  # noqa: BLE001 - whatever it is, it is one client's
            _log.debug("an RPC connection ended", reasons=[repr(each) for each in ends.exceptions])
        finally:
            self._open -= 1
