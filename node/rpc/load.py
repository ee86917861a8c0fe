"""How much at once: requests and the bytes of their bodies, counted; what is over is told so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

import trio
from starlette.requests import Request

from node.rpc.gate import RequestRefusedError
from node.rpc.limits import (
    BODIES_BYTES_MAX,
    BODY_BYTES_MAX,
    BODY_TIMEOUT_S,
    BUSY_RETRY_AFTER_MS,
    REQUESTS_AT_ONCE_MAX,
)


class Load:
    """Requests in hand, and the bytes that they hold in memory."""

    def __init__(self, requests_max: int = REQUESTS_AT_ONCE_MAX) -> None:
        self._requests_max = requests_max
        self.requests = 0
        self.body_bytes = 0

    @contextmanager
    def one_more(self) -> Iterator[Share]:
        """Count one request for as long as the block runs. Raises RequestRefusedError (E_BUSY)."""
        if self.requests >= self._requests_max:
            raise _busy("too many requests at once; try again shortly")
        share = Share(self)
        self.requests += 1
        try:
            yield share
        finally:
            self.requests -= 1
            self.body_bytes -= share.size


class Share:
    """What one request takes of the load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.size = 0

    async def read_body(self, request: Request) -> bytes:
        """The whole body. Raises RequestRefusedError: 413, 408 or 503."""
        body = bytearray()
        try:
            with trio.fail_after(BODY_TIMEOUT_S):
                async with aclosing(request.stream()) as chunks:
                    async for chunk in chunks:
                        self._take(len(chunk))
                        body += chunk
        except trio.TooSlowError:
            message = f"the request body did not arrive within {BODY_TIMEOUT_S:.0f} s"
            raise RequestRefusedError(408, "E_TIMEOUT", message) from None
        return bytes(body)

    def _take(self, size: int) -> None:
        self.size += size
        self._load.body_bytes += size
        if self.size > BODY_BYTES_MAX:
            message = f"a request body holds at most {BODY_BYTES_MAX} bytes; send smaller batches"
            raise RequestRefusedError(413, "E_SIZE", message)
        if self._load.body_bytes > BODIES_BYTES_MAX:
            raise _busy("too many bytes wait to be answered; try again shortly")


def _busy(message: str) -> RequestRefusedError:
    return RequestRefusedError(503, "E_BUSY", message, retry_after_ms=BUSY_RETRY_AFTER_MS)
