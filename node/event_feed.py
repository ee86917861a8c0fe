"""A node's event stream for programs: it reconnects, resumes after the last event, repeats none."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)

from node.client import CallRefused, ClientError, NodeUnreachable

BACKOFF_S = 0.2  # doubled after each failure, with jitter
BACKOFF_S_MAX = 10.0
CONNECT_TIMEOUT_S = 5.0
PING_S = 20.0  # of silence, after which the node is asked for a sign of life
PONG_S = 10.0
MESSAGE_BYTES_MAX = 65_536
_BUSY = 503


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to subscribe to. `after`: "HEIGHT.INDEX", "now" or "start"; empty `kinds`: all."""

    after: str = "now"
    kinds: tuple[str, ...] = ()
    member: str | None = None

    def query(self) -> str:
        """The query string of `/events`."""
        given = {"after": self.after, "kinds": ",".join(self.kinds), "member": self.member}
        return urlencode({name: value for name, value in given.items() if value})


@asynccontextmanager
async def open_events(
    url: str, wanted: Wanted, *, chain_id: str | None = None, retry: bool = True
) -> AsyncGenerator[trio.MemoryReceiveChannel[dict[str, Any]], None]:
    """The events of the node at `url` ("http://HOST:PORT") as a channel, in chain order.

    Each is a message of the stream as a dict, those of type "hello" and "cursor" included: `cursor`
    of any is where to resume. With `retry`, a broken connection is opened again for ever. When the
    feed cannot go on, the channel ends and leaving the block raises why: NodeUnreachable without
    `retry`, CallRefused for a subscription that the node refuses, ClientError for a node of another
    chain than `chain_id`.
    """
    send, receive = trio.open_memory_channel[dict[str, Any]](0)
    feed = _Feed(url.rstrip("/"), wanted, chain_id, retry)
    with receive, collapsed():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed.run, send)
            try:
                yield receive
            except trio.EndOfChannel:
                if feed.ended is None:
                    raise
            nursery.cancel_scope.cancel()
    if feed.ended is not None:
        raise feed.ended


@contextmanager
def collapsed() -> Iterator[None]:
    """Take the one exception of the block out of the groups that nurseries put it in."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None


class _Feed:
    def __init__(self, url: str, wanted: Wanted, chain_id: str | None, retry: bool) -> None:
        self._url = url
        self._wanted = wanted
        self._chain_id = chain_id
        self._retry = retry
        self._failures = 0
        self.ended: ClientError | None = None

    async def run(self, send: trio.MemorySendChannel[dict[str, Any]]) -> None:
        """Fill the channel; close it and set `ended` when there is no going on."""
        with send:
            while True:
                try:
                    await self._once(send)
                except NodeUnreachable as error:
                    if not self._retry:
                        self.ended = error
                        return
                    self._failures += 1
                    pause = min(BACKOFF_S * 2**self._failures, BACKOFF_S_MAX)
                    await trio.sleep(pause * random.uniform(0.5, 1.0))
                except ClientError as error:
                    self.ended = error
                    return

    async def _once(self, send: trio.MemorySendChannel[dict[str, Any]]) -> None:
        """One connection; ends with a ClientError."""
        try:
            with collapsed():
                async with connected(self._url, self._wanted.query()) as socket:
                    while True:
                        await self._take(json.loads(await _next(socket)), send)
        except ConnectionRejected as error:
            raise _refusal(error, self._url) from None
        except (ConnectionClosed, HandshakeError, trio.TooSlowError, OSError) as error:
            raise NodeUnreachable(f"no event stream at {self._url}: {error!r}") from None

    async def _take(
        self, message: dict[str, Any], send: trio.MemorySendChannel[dict[str, Any]]
    ) -> None:
        if message["type"] == "hello":
            self._check_chain(message["chain_id"])
        self._failures = 0
        await send.send(message)
        height, index = message["cursor"]
        after = "start" if height < 0 else f"{height}.{index}"
        self._wanted = replace(self._wanted, after=after)

    def _check_chain(self, chain_id: str) -> None:
        if self._chain_id not in (None, chain_id):
            message = f"{self._url} is of the chain {chain_id}, the cursor of {self._chain_id}"
            raise ClientError(message)
        self._chain_id = chain_id


@asynccontextmanager
async def connected(url: str, query: str) -> AsyncGenerator[WebSocketConnection, None]:
    """A WebSocket whose socket is closed in any case. Raises HandshakeError, OSError."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    with trio.fail_after(CONNECT_TIMEOUT_S):
        dial: Any = trio.open_ssl_over_tcp_stream if secure else trio.open_tcp_stream
        stream = await dial(host, port)
    try:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(CONNECT_TIMEOUT_S):
                socket = await wrap_client_stream(
                    nursery,
                    stream,
                    parts.netloc,
                    f"/events?{query}",
                    message_queue_size=1,
                    max_message_size=MESSAGE_BYTES_MAX,
                )
            yield socket
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)


async def _next(socket: WebSocketConnection) -> str | bytes:
    """The next message, however long it takes a living node to have one. Raises TooSlowError."""
    while True:
        with trio.move_on_after(PING_S) as waiting:
            message = await socket.get_message()
        if not waiting.cancelled_caught:
            return message
        with trio.fail_after(PONG_S):
            await socket.ping()


def _refusal(error: ConnectionRejected, url: str) -> ClientError:
    try:
        found = json.loads(error.body or b"")["error"]
    except (ValueError, TypeError, KeyError):
        return NodeUnreachable(f"what answers at {url} has no event stream")
    if error.status_code == _BUSY:
        return NodeUnreachable(found["message"])
    return CallRefused(found)
