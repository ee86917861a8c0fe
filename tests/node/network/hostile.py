"""A libp2p peer without our limits, for tests that attack a node with it."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key
from libp2p.custom_types import TProtocol
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport
from libp2p.security.security_multistream import SecurityMultistream
from libp2p.stream_muxer.exceptions import MuxedStreamError
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr

from node.network.host import close_host

DATA, WINDOW_UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
MULTISTREAM = b"\x13/multistream/1.0.0\n"


def header(kind: int, flags: int, stream: int, length: int, version: int = 0) -> bytes:
    return struct.pack("!BBHII", version, kind, flags, stream, length)


def delimited(text: bytes) -> bytes:
    """A message of a protocol negotiation."""
    return varint(len(text) + 1) + text + b"\n"


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def id_of(address: str) -> ID:
    return ID.from_string(address.rpartition("/")[2])


async def sink(stream: Any) -> None:
    """Take what comes and answer nothing."""
    with suppress(Exception):
        while await stream.read(65536):
            pass


async def deaf(_stream: Any) -> None:
    """Take a stream and never read it."""
    await trio.sleep_forever()


@asynccontextmanager
async def peer(seed: bytes, handler: Any = sink) -> AsyncIterator[Any]:
    """The library's own host; `handler` takes the streams that a node opens to its peers."""
    keys = create_new_key_pair(seed)
    noise = Transport(keys, noise_privkey=create_noise_key().private_key)
    listen = Multiaddr("/ip4/127.0.0.1/tcp/0")
    host = new_host(
        key_pair=keys,
        listen_addrs=[listen],
        sec_opt={NOISE: noise},
        muxer_opt={TProtocol(YAMUX): Yamux},
    )
    for protocol in ("/kilochain/consensus/1", "/kilochain/request/1", "/meshsub/1.1.0"):
        host.set_stream_handler(TProtocol(protocol), handler)
    async with host.run(listen_addrs=[listen]):
        try:
            yield host
        finally:
            await close_host(host)


async def connect(host: Any, address: str) -> Any:
    """The connection with a node, dialled until it stands."""
    for _ in range(40):
        with suppress(Exception):
            host.get_network().unblock_peer(id_of(address))
            await host.connect(info_from_p2p_addr(Multiaddr(address)))
        connections = host.get_network().get_connections(id_of(address))
        live = [each for each in connections if not each.muxed_conn.is_closed]
        if live:
            return live[0]
        await trio.sleep(0.1)
    raise AssertionError("no connection came about")


@asynccontextmanager
async def secured(seed: bytes, address: str) -> AsyncIterator[Any]:
    """A connection on which Noise is agreed and nothing else."""
    keys = create_new_key_pair(seed)
    noise = Transport(keys, noise_privkey=create_noise_key().private_key)
    raw = await TCP().dial(Multiaddr(address.partition("/p2p/")[0]))
    try:
        yield await SecurityMultistream({NOISE: noise}).secure_outbound(raw, id_of(address))
    finally:
        await raw.close()


@asynccontextmanager
async def framed(seed: bytes, address: str) -> AsyncIterator[Any]:
    """A secured connection on which Yamux is agreed, for writing frames by hand."""
    async with secured(seed, address) as connection:
        await connection.write(MULTISTREAM + delimited(YAMUX.encode()))
        await connection.read(len(MULTISTREAM) + len(YAMUX) + 2)
        yield connection


async def sends_until_closed(connection: Any, pieces: Any, seconds: float) -> bool:
    """Write one piece after the other; whether the other side ended the connection meanwhile.

    What the other side says is read, so that it is never the one who waits.
    """
    ended = trio.Event()

    async def read() -> None:
        with suppress(Exception):
            while await connection.conn.read_msg():
                pass
        ended.set()

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            with suppress(Exception):
                for piece in pieces:
                    await connection.write(piece)
                    if ended.is_set():
                        break
            await ended.wait()
            nursery.cancel_scope.cancel()
    return ended.is_set()


async def read_to_the_end(stream: Any, seconds: float) -> None:
    """Read until the other side ends this stream, however it does."""
    with (
        trio.fail_after(seconds),
        suppress(StreamError, MuxedStreamError, trio.BrokenResourceError),
    ):
        read = stream.receive_some if isinstance(stream, trio.SocketStream) else stream.read
        while await read(65536):
            pass


async def is_served(seed: bytes, address: str) -> bool:
    """Whether a node agrees on Yamux with this peer and answers its ping."""
    with suppress(Exception):
        async with framed(seed, address) as connection:
            await connection.write(header(PING, SYN, 0, 7))
            return bool(await connection.read(12))
    return False
