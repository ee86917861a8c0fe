"""GET /events: the event stream as a WebSocket."""

from __future__ import annotations

from contextlib import aclosing

import structlog
import trio
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from node.rpc.events import EventLog, Subscription, hello, parse_subscription
from node.rpc.gate import Gate, RequestRefusedError
from node.rpc.limits import BUSY_RETRY_AFTER_MS, SUBSCRIPTIONS_MAX
from node.rpc.protocol import RPCError

_log = structlog.get_logger()
_UNSUPPORTED_DATA = 1003
_INTERNAL_ERROR = 1011


class Streams:
    """Serves subscribers, a limited number at a time."""

    def __init__(self, gate: Gate, events: EventLog, streams_max: int = SUBSCRIPTIONS_MAX) -> None:
        self._gate = gate
        self._events = events
        self._streams_max = streams_max
        self.open = 0

    async def serve(self, websocket: WebSocket) -> None:
        """One subscriber, until it leaves. Refusals are HTTP answers with an error in JSON."""
        try:
            self._gate.check_source(websocket)
            if self.open >= self._streams_max:
                message = "too many subscribers at once; try again shortly"
                raise RequestRefusedError(
                    503, "E_BUSY", message, retry_after_ms=BUSY_RETRY_AFTER_MS
                )
            now = await self._events.now()
            wanted = parse_subscription(websocket.query_params, now)
        except RPCError as error:
            status = error.status if isinstance(error, RequestRefusedError) else 400
            await websocket.send_denial_response(JSONResponse(error.response(None), status))
            return
        self.open += 1
        try:
            await websocket.accept()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, websocket, nursery.cancel_scope)
                await self._send(websocket, wanted)
        except* WebSocketDisconnect:
            pass
        finally:
            self.open -= 1

    async def _send(self, websocket: WebSocket, wanted: Subscription) -> None:
        node = self._events.node
        try:
            first = hello(node.genesis.chain_id, node.chain.head.height, wanted.after)
            await websocket.send_text(first.decode())
            async with aclosing(self._events.follow(wanted)) as blocks:
                async for messages in blocks:
                    for each in messages:
                        await websocket.send_text(each.decode())
        except WebSocketDisconnect:
            raise
        except Exception as error:
            _log.error("an event stream failed", exc_info=error)
            await websocket.close(_INTERNAL_ERROR, "the node failed to read its chain")
            raise WebSocketDisconnect(_INTERNAL_ERROR) from error

    async def _watch(self, websocket: WebSocket, scope: trio.CancelScope) -> None:
        """End the stream when the client leaves, or says what nobody asked it."""
        message = await websocket.receive()
        if message["type"] != "websocket.disconnect":
            await websocket.close(_UNSUPPORTED_DATA, "this stream takes no messages")
        scope.cancel()
