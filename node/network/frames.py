"""Frames of a direct stream: 4-byte big-endian length, one type byte, payload.

The length counts the type byte and the payload.
"""

from typing import Protocol

from node.network import limits

HELLO, FRAME, BLOCK, CHUNK, PING, PONG = range(1, 7)


class FrameError(Exception):
    """The peer broke the framing."""


class ByteStream(Protocol):
    """What is needed of a stream to read from it."""

    async def read(self, n: int | None = None) -> bytes:
        """Return up to n bytes; empty at the end."""
        ...


def pack(kind: int, payload: bytes) -> bytes:
    """Return the frame of this type; FrameError if it is too large for a peer to take."""
    if len(payload) >= limits.FRAME_BYTES_MAX:
        raise FrameError(f"frame of {len(payload)} bytes exceeds {limits.FRAME_BYTES_MAX}")
    return (len(payload) + 1).to_bytes(4, "big") + bytes((kind,)) + payload


class FrameReader:
    """Reads frames in large reads and slices them."""

    def __init__(self, stream: ByteStream, bytes_max: int = limits.FRAME_BYTES_MAX) -> None:
        self._stream = stream
        self._bytes_max = bytes_max
        self._buffer = bytearray()

    async def next(self) -> tuple[int, bytes] | None:
        """Return the next frame's type and payload, or None at the end of the stream."""
        if not await self._fill(4):
            return None
        size = int.from_bytes(self._buffer[:4], "big")
        if not 1 <= size <= self._bytes_max:
            raise FrameError(f"frame of {size} bytes is outside 1..{self._bytes_max}")
        if not await self._fill(4 + size):
            raise FrameError("stream ended inside a frame")
        kind, payload = self._buffer[4], bytes(memoryview(self._buffer)[5 : 4 + size])
        del self._buffer[: 4 + size]
        return kind, payload

    async def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            data = await self._stream.read(limits.READ_BYTES)
            if not data:
                if self._buffer and len(self._buffer) < 4:
                    raise FrameError("stream ended inside a frame")
                return False
            self._buffer += data
        return True
