"""Yamux with limits on what a peer can make this process hold.

The library's own loop takes any number of streams, keeps what exceeds a stream's window, and
answers as fast as frames come. Here a broken limit ends the connection, and only that; a peer
that is merely fast waits in its socket.
"""

import logging
import struct
from collections.abc import Callable
from typing import Any

import trio
from libp2p.io.utils import read_exactly
from libp2p.stream_muxer.yamux import yamux
from libp2p.stream_muxer.yamux.yamux import Yamux, YamuxStream

from node.network import limits

log = logging.getLogger("kilochain.network")


class Breach(Exception):  # noqa: N818 - the name says what happened
    """The peer broke a limit or rule of the multiplexer; the message says which."""


class BoundedStream(YamuxStream):  # type: ignore[misc]
    """A stream whose receive window stops growing."""

    def _apply_autotune_epoch(self, buffered: int) -> int:
        if self.target_recv_window >= limits.STREAM_WINDOW_BYTES_MAX:
            return 0
        return int(super()._apply_autotune_epoch(buffered))


class GuardedYamux(Yamux):  # type: ignore[misc]
    """One connection. `on_breach(peer, breach)` is told before it closes because of a breach."""

    def __init__(
        self, *args: Any, on_breach: Callable[[str, Exception], None], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._on_breach = on_breach
        self._stray_bytes = 0
        self._frames_left = float(limits.FRAMES_BURST)
        self._counted_at = trio.current_time()

    async def handle_incoming(self) -> None:
        """Take frames until the connection ends."""
        try:
            while not self.event_shutting_down.is_set():
                header = await read_exactly(self.secured_conn, yamux.HEADER_SIZE)
                await self._take(*struct.unpack(yamux.YAMUX_HEADER_FORMAT, header))
        except Breach as breach:
            self._on_breach(str(self.peer_id), breach)
        except Exception as error:  # noqa: BLE001 - whatever it is, this connection has ended
            log.debug("connection with %s ended: %r", self.peer_id, error)
        await self._cleanup_on_error()

    async def _take(self, version: int, kind: int, flags: int, stream: int, length: int) -> None:
        await self._pace(limits.STREAM_COST_FRAMES if flags & yamux.FLAG_SYN else 1)
        if version != 0:
            raise Breach(f"yamux version {version}")
        if kind in (yamux.TYPE_DATA, yamux.TYPE_WINDOW_UPDATE):
            await self._take_stream_frame(kind, flags, stream, length)
        elif kind == yamux.TYPE_PING and flags & yamux.FLAG_SYN:
            await self._write_frame(_header(yamux.TYPE_PING, yamux.FLAG_ACK, 0, length))
        elif kind == yamux.TYPE_PING:
            self._rtt = trio.current_time() - self._ping_sent_time
            self._ping_event.set()
        elif kind == yamux.TYPE_GO_AWAY:
            self.event_shutting_down.set()
        else:
            raise Breach(f"yamux frame type {kind}")

    async def _pace(self, cost: int) -> None:
        now = trio.current_time()
        earned = (now - self._counted_at) * limits.FRAMES_PER_S
        self._frames_left = min(limits.FRAMES_BURST, self._frames_left + earned) - cost
        self._counted_at = now
        if self._frames_left < 0:
            await trio.sleep(-self._frames_left / limits.FRAMES_PER_S)

    async def _take_stream_frame(self, kind: int, flags: int, number: int, length: int) -> None:
        opened = bool(flags & yamux.FLAG_SYN)
        if opened:
            await self._open(number)
        body = await self._body(number, length) if kind == yamux.TYPE_DATA and length else b""
        async with self.streams_lock:
            stream = self.streams.get(number)
            if stream is not None:
                if kind == yamux.TYPE_WINDOW_UPDATE:
                    stream.send_window += length
                self._apply(stream, flags, body)
        if opened and stream is not None:
            if not flags & yamux.FLAG_RST:
                ack = _header(yamux.TYPE_WINDOW_UPDATE, yamux.FLAG_ACK, number, 0)
                await self._write_frame(ack)
            await self.new_stream_send_channel.send(stream)

    async def _open(self, number: int) -> None:
        theirs = 0 if self.is_initiator else 1
        if number == 0 or number % 2 != theirs:
            raise Breach(f"stream {number} is not the peer's to open")
        async with self.streams_lock:
            if number in self.streams:
                raise Breach(f"stream {number} was opened twice")
            if sum(each % 2 == theirs for each in self.streams) >= limits.STREAMS_MAX:
                raise Breach(f"more than {limits.STREAMS_MAX} open streams")
            self.streams[number] = BoundedStream(number, self, False)
            self.stream_buffers[number] = bytearray()
            self.stream_events[number] = trio.Event()

    async def _body(self, number: int, length: int) -> bytes:
        """The body of a data frame; nothing if it is for a stream that is gone."""
        stream = self.streams.get(number)
        window = self._stray_bytes if stream is None else stream.recv_window
        if length > window:
            raise Breach(f"a frame of {length} bytes into a window of {window}")
        with trio.fail_after(limits.FRAME_BODY_S):
            if stream is None:
                self._stray_bytes -= length
                while length > 0:
                    size = min(length, limits.DISCARD_BYTES)
                    await read_exactly(self.secured_conn, size)
                    length -= size
                return b""
            held = sum(len(each) for each in self.stream_buffers.values())
            if held + length > limits.UNREAD_BYTES_MAX:
                raise Breach(f"more than {limits.UNREAD_BYTES_MAX} unread bytes")
            return bytes(await read_exactly(self.secured_conn, length))

    def _apply(self, stream: Any, flags: int, body: bytes) -> None:
        """What a frame does to its stream. The caller holds `streams_lock`."""
        number = stream.stream_id
        if body:
            stream.recv_window -= len(body)
            self.stream_buffers[number] += body
        if flags & yamux.FLAG_FIN:
            stream.recv_closed = True
        if flags & yamux.FLAG_RST:
            stream.reset_received = True
        if stream.reset_received or (stream.recv_closed and stream.send_closed):
            stream.closed = True
        if body or flags & (yamux.FLAG_FIN | yamux.FLAG_RST):
            self.stream_events[number].set()
        if stream.closed:
            self._finalize_stream_locked(stream, fully_closed=True)

    def _finalize_stream_locked(self, stream: Any, *, fully_closed: bool) -> None:
        number = stream.stream_id
        known = number in self.streams
        if fully_closed and stream.reset_received and number in self.stream_buffers:
            # Nobody can read it any more, and the library would keep it for a minute.
            self.stream_buffers[number].clear()
        super()._finalize_stream_locked(stream, fully_closed=fully_closed)
        if known and number not in self.streams:
            # What the window allowed may still be on its way.
            allowed = self._stray_bytes + stream.recv_window
            self._stray_bytes = min(allowed, limits.UNREAD_BYTES_MAX)


def _header(kind: int, flags: int, stream: int, length: int) -> bytes:
    return struct.pack(yamux.YAMUX_HEADER_FORMAT, 0, kind, flags, stream, length)
