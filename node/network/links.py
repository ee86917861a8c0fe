"""All links: who is dialled, what comes in, and what happens when a link ends."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any

import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo as DialInfo
from multiaddr import Multiaddr

from node.network import frames, limits
from node.network.addresses import AddressBook
from node.network.counters import Counters
from node.network.frames import FrameReader
from node.network.host import close_connection, reset
from node.network.interface import Handlers, NetworkConfig
from node.network.link import Link, LinkDown
from node.network.scoring import Scores

PROTOCOL = TProtocol("/kilochain/consensus/1")
log = logging.getLogger("kilochain.network")


class Links:
    """Keeps a link to each peer that may connect and that is known or came by itself."""

    def __init__(
        self,
        config: NetworkConfig,
        own: str,
        book: AddressBook,
        admit: Callable[[str], bool],
        scores: Scores,
        handlers: Handlers,
        counters: Counters,
    ) -> None:
        self.by_peer: dict[str, Link] = {}
        self._chain = config.chain_id.encode()
        self._own = own
        self._book = book
        self._admit = admit
        self._scores = scores
        self._handlers = handlers
        self._counters = counters
        self._host: Any = None
        self._nursery: trio.Nursery | None = None

    async def run(self, host: Any) -> None:
        """Keep the links until cancelled."""
        self._host = host
        host.set_stream_handler(PROTOCOL, self._serve)
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            while True:
                for peer in self._book.peers():
                    self._link(peer)
                await self._sweep()
                await trio.sleep(limits.WATCH_S)

    def drop(self, peer: str) -> None:
        """End the present session with a peer; whether it may come back is `admit`'s to say."""
        if link := self.by_peer.get(peer):
            link.scope.cancel()

    def _link(self, peer: str) -> Link | None:
        link = self.by_peer.get(peer)
        if link is None and self._nursery and len(self.by_peer) < limits.LINKS_MAX:
            link = self.by_peer[peer] = Link(peer, self._counters)
            self._nursery.start_soon(self._keep, link)
        return link

    async def _sweep(self) -> None:
        for connection in list(self._host.get_network().get_connections()):
            peer = str(connection.muxed_conn.peer_id)
            if not self._admit(peer):
                self.drop(peer)
                await close_connection(connection)

    async def _keep(self, link: Link) -> None:
        """Connect, talk, and begin again with a jittered wait, for ever."""
        wait = limits.BACKOFF_MIN_S
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._work, link)
            while True:
                # A session may be cancelled and fail at once: what is left beside the cancellation
                # has to be caught outside its scope, or it would end the node.
                try:
                    with trio.CancelScope() as link.scope:
                        await self._connect(link)
                        await self._session(link)
                except* Exception as ends:  # noqa: BLE001 - any end of a session is a redial
                    log.debug("link to %s ended: %r", link.peer, ends.exceptions)
                if link.up:
                    wait = limits.BACKOFF_MIN_S
                await self._ended(link)
                await trio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(wait * 2, limits.BACKOFF_MAX_S)

    async def _ended(self, link: Link) -> None:
        keep = link.inbound.muxed_conn if link.superseded and link.inbound else None
        was_up, link.up = link.up, False
        link.clear()
        for connection in list(self._host.get_network().get_connections(_id(link.peer))):
            if connection.muxed_conn is not keep:
                await close_connection(connection)
        if was_up:
            log.info("peer %s is down", link.peer)
            self._tell(self._handlers.on_peer_down, link.peer)

    async def _connect(self, link: Link) -> None:
        """Return when a connection stands, whoever dialled it."""
        network, peer = self._host.get_network(), _id(link.peer)
        # A refusal ends, and an address becomes known, without a word: both sides must look again.
        while self._book.get(link.peer) is None or not self._admit(link.peer):
            with trio.move_on_after(limits.WATCH_S):
                await link.arrived.wait()
                break
        address = self._book.get(link.peer)
        if self._own > link.peer:
            with trio.move_on_after(limits.DIAL_GRACE_S):
                await link.arrived.wait()
        if network.get_connections(peer):
            return
        if address is None:
            raise LinkDown("the peer is gone and has no known address")
        network.unblock_peer(peer)
        self._counters.dials += 1
        try:
            with trio.fail_after(limits.DIAL_S):
                await self._host.connect(DialInfo(peer, [Multiaddr(address)]))
        except Exception:
            self._counters.dial_failures += 1
            raise

    async def _session(self, link: Link) -> None:
        with trio.fail_after(limits.DIAL_S):
            stream = await self._host.new_stream(_id(link.peer), [PROTOCOL])
            await stream.write(frames.pack(frames.HELLO, self._chain))
        link.last_received = time.monotonic()
        link.opened = True
        self._check_up(link)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.watch)
            nursery.start_soon(link.write, stream)

    def _check_up(self, link: Link) -> None:
        if link.opened and link.inbound is not None and not link.up:
            link.up = True
            link.since_ms = time.time_ns() // 1_000_000
            log.info("peer %s is up", link.peer)
            self._tell(self._handlers.on_peer_up, link.peer)

    async def _serve(self, stream: Any) -> None:
        """Read one peer's stream from its hello to its end."""
        peer = str(stream.muxed_conn.peer_id)
        reader = FrameReader(stream)
        with trio.fail_after(limits.HELLO_S):
            hello = await reader.next()
        link = self._link(peer) if self._is_hello(peer, hello) and self._admit(peer) else None
        if link is None:
            await self._close_all(peer)
            return
        if (older := link.inbound) is not None:
            link.superseded = True
            link.scope.cancel()
        link.inbound = stream
        if older is not None:
            # Each stream that is read may hold a frame: a peer has one such stream, not many.
            await reset(older)
        link.last_received = time.monotonic()
        link.arrived.set()
        self._check_up(link)
        try:
            while (frame := await reader.next()) is not None:
                link.last_received = time.monotonic()
                await self._take(link, *frame)
        finally:
            if link.inbound is stream:
                link.inbound = None
                link.scope.cancel()

    def _is_hello(self, peer: str, hello: tuple[int, bytes] | None) -> bool:
        if hello == (frames.HELLO, self._chain):
            return True
        if hello is not None and hello[0] == frames.HELLO:
            other = hello[1][:128].decode("utf-8", "replace")
            log.warning("peer %s refused: its chain is %r, ours %r", peer, other, self._chain)
            self._counters.fault("wrong chain")
            self._scores.refuse(peer, limits.WRONG_CHAIN_REFUSAL_S)
        else:
            self._counters.fault("no hello")
        return False

    async def _close_all(self, peer: str) -> None:
        for connection in list(self._host.get_network().get_connections(_id(peer))):
            await close_connection(connection)

    async def _take(self, link: Link, kind: int, payload: bytes) -> None:
        if kind == frames.PING:
            link.pong(payload)
        elif kind == frames.PONG and len(payload) == 8:
            sent = int.from_bytes(payload, "big")
            link.round_trip_ms = max(0, time.monotonic_ns() - sent) / 1e6
        elif kind == frames.FRAME:
            link.took(payload)
            self._tell(self._handlers.on_frame, link.peer, payload)
        elif kind in (frames.BLOCK, frames.CHUNK):
            link.took(payload)
            link.reading = False
            try:
                await link.work_in.send((kind, payload))
            finally:
                link.reading = True
                link.last_received = time.monotonic()
        else:
            raise frames.FrameError(f"unknown frame type {kind}")

    async def _work(self, link: Link) -> None:
        """Hand blocks and chunks to the node, one after the other."""
        async for kind, payload in link.work_out:
            try:
                if kind == frames.BLOCK:
                    await self._handlers.on_block(link.peer, payload)
                else:
                    await self._handlers.on_chunk(link.peer, payload)
            except Exception:
                log.exception("handler failed on a frame of %s", link.peer)
                self._counters.fault("handler")

    def _tell(self, handler: Callable[..., None], *args: Any) -> None:
        try:
            handler(*args)
        except Exception:
            log.exception("handler failed on an event of %s", args[0])
            self._counters.fault("handler")


def _id(peer: str) -> Any:
    return ID.from_string(peer)
