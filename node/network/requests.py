"""Requests: one short stream each.

Request: a frame whose payload is length-prefixed (one byte) chain_id and kind, then the payload.
Answer: a frame whose type is 1 (answer) or 2 (refusal, the payload is the reason in UTF-8).
"""

import logging
from collections import Counter
from typing import Any

import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID

from node.network import limits
from node.network.counters import Counters
from node.network.frames import FrameError, FrameReader
from node.network.host import close_connection, reset
from node.network.interface import Handlers, PeerUnavailable, RequestFailed, RequestRefused

PROTOCOL = TProtocol("/kilochain/request/1")
ASK, ANSWER, REFUSAL = 0, 1, 2
log = logging.getLogger("kilochain.network")


class Requests:
    """Asks peers and serves them."""

    def __init__(self, chain_id: str, handlers: Handlers, counters: Counters) -> None:
        self._chain = chain_id.encode()
        self._handlers = handlers
        self._counters = counters
        self._serving: Counter[str] = Counter()
        self._host: Any = None

    def attach(self, host: Any) -> None:
        """Serve requests that come in on this host."""
        self._host = host
        host.set_stream_handler(PROTOCOL, self._serve)

    async def ask(self, peer: str, kind: str, payload: bytes, timeout_s: float) -> bytes:
        """Return the peer's answer; PeerUnavailable or RequestFailed."""
        host = self._host
        if host is None or not host.get_network().get_connections(ID.from_string(peer)):
            raise PeerUnavailable(f"no connection to {peer}")
        names = b"".join(bytes((len(n),)) + n for n in (self._chain, kind.encode()))
        try:
            request = _pack(ASK, names + payload, limits.REQUEST_BYTES_MAX)
        except FrameError as error:
            raise RequestFailed(f"request {kind} is too large: {error}") from error
        self._counters.requests_out += 1
        stream: Any = None
        sent = False
        try:
            with trio.fail_after(timeout_s):
                try:
                    stream = await host.new_stream(ID.from_string(peer), [PROTOCOL])
                except Exception:
                    sent = True  # refused, and not cut short: the connection is as good as before
                    raise
                await stream.write(request)
                sent = True
                frame = await FrameReader(stream, limits.RESPONSE_BYTES_MAX).next()
        except trio.TooSlowError as error:
            raise RequestFailed(f"{peer} did not answer {kind} in {timeout_s} s") from error
        except Exception as error:
            raise RequestFailed(f"{peer} broke off {kind}: {error!r}") from error
        finally:
            await self._finish(peer, stream, sent)
        if frame is None or frame[0] not in (ANSWER, REFUSAL):
            raise RequestFailed(f"{peer} ended {kind} without an answer")
        if frame[0] == REFUSAL:
            reason = frame[1][:256].decode("utf-8", "replace")
            raise RequestFailed(f"{peer} refused {kind}: {reason}")
        return frame[1]

    async def _finish(self, peer: str, stream: Any, sent: bool) -> None:
        """End the stream; after a write that was cut short the connection is of no more use."""
        with trio.CancelScope(shield=True):
            if not sent:
                for connection in list(
                    self._host.get_network().get_connections(ID.from_string(peer))
                ):
                    await close_connection(connection)
            elif stream is not None:
                await reset(stream)

    async def _serve(self, stream: Any) -> None:
        peer = str(stream.muxed_conn.peer_id)
        self._counters.requests_in += 1
        if (
            self._serving[peer] >= limits.REQUESTS_SERVED_PER_PEER_MAX
            or self._serving.total() >= limits.REQUESTS_SERVED_MAX
        ):
            await self._turn_away(stream)
            return
        self._serving[peer] += 1
        try:
            with trio.fail_after(limits.SERVE_S):
                answer = await self._answer(peer, stream)
                for start in range(0, len(answer), limits.WRITE_BYTES):
                    await stream.write(answer[start : start + limits.WRITE_BYTES])
                await stream.close()
        except trio.TooSlowError:
            self._counters.fault("slow request")
            await self._finish(peer, stream, sent=False)
        finally:
            self._serving[peer] -= 1
            self._serving += Counter()

    async def _turn_away(self, stream: Any) -> None:
        """Say busy; it counts for nobody, or whoever asks too much would keep the rest out."""
        with trio.move_on_after(limits.BUSY_S) as scope:
            await stream.write(_pack(REFUSAL, b"busy", 64))
            await stream.close()
        if scope.cancelled_caught:
            await close_connection(stream.swarm_conn)

    async def _answer(self, peer: str, stream: Any) -> bytes:
        frame = await FrameReader(stream, limits.REQUEST_BYTES_MAX).next()
        if frame is None or frame[0] != ASK:
            raise FrameError("no request")
        chain, rest = _name(frame[1])
        kind, payload = _name(rest)
        if chain != self._chain:
            return _pack(REFUSAL, b"another chain", 64)
        try:
            answer = await self._handlers.on_request(peer, kind.decode(), payload)
            return _pack(ANSWER, answer, limits.RESPONSE_BYTES_MAX)
        except RequestRefused as error:
            return _pack(REFUSAL, str(error).encode()[:256], 512)
        except Exception:
            log.exception("handler failed on a request of %s", peer)
            self._counters.fault("handler")
            return _pack(REFUSAL, b"internal error", 64)


def _pack(kind: int, payload: bytes, bytes_max: int) -> bytes:
    if len(payload) >= bytes_max:
        raise FrameError(f"{len(payload)} bytes exceed {bytes_max}")
    return (len(payload) + 1).to_bytes(4, "big") + bytes((kind,)) + payload


def _name(data: bytes) -> tuple[bytes, bytes]:
    if not data or len(data) < 1 + data[0]:
        raise FrameError("request cut short")
    return data[1 : 1 + data[0]], data[1 + data[0] :]
