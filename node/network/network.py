"""The network as the node sees it."""

import logging
from collections.abc import Mapping

import trio
from multiaddr import Multiaddr
from trio_typing import TaskStatus

from node.network import frames, limits
from node.network.addresses import AddressBook
from node.network.counters import Counters
from node.network.deafness import Hearing
from node.network.gossip import Gossip
from node.network.host import build_host, close_host, guard_streams, peer_id_of, probe_port
from node.network.interface import Handlers, Membership, NetworkConfig, PeerInfo, PeerUnavailable
from node.network.links import Links
from node.network.requests import Requests
from node.network.scoring import Scores

log = logging.getLogger("kilochain.network")


class Network:
    """Links to every peer, requests, and gossip. Not to be shared between threads."""

    def __init__(self, config: NetworkConfig, membership: Membership, handlers: Handlers) -> None:
        self.peer_id = peer_id_of(config.seed)
        self.addresses: tuple[str, ...] = ()
        self.counters = Counters()
        self._config = config
        self._membership = membership
        self._cut: frozenset[str] = frozenset()
        hearing = self._hearing = Hearing(handlers)
        self._scores = Scores()
        self._book = AddressBook(self.peer_id, config.bootstrap)
        self._links = Links(
            config, self.peer_id, self._book, self._admit, self._scores, hearing, self.counters
        )
        self._requests = Requests(config.chain_id, hearing, self.counters)
        self._gossip = Gossip(config, self.peer_id, self._may_originate, hearing, self.counters)

    async def run(self, *, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; `started()` when listening. Raises PortInUse."""
        probe_port(self._config.listen)
        host = build_host(self._config.seed, self._config.listen, self._admit_connection)
        async with host.run(listen_addrs=[Multiaddr(self._config.listen)]):
            guard_streams(host, self._stream_fault)
            try:
                self._requests.attach(host)
                async with self._gossip.attached(host, self._stream_fault):
                    self.addresses = tuple(str(address) for address in host.get_addrs())
                    task_status.started()
                    await self._links.run(host)
            finally:
                await close_host(host)

    def send_frame(self, peer: str, data: bytes) -> bool:
        """Queue a consensus frame; False if it was dropped."""
        return self._send(peer, frames.FRAME, data)

    def send_block(self, peer: str, data: bytes) -> bool:
        """Queue a block body; False if it was dropped."""
        return self._send(peer, frames.BLOCK, data)

    def send_chunk(self, peer: str, data: bytes) -> bool:
        """Queue a transaction chunk on the direct stream; False if it was dropped."""
        return self._send(peer, frames.CHUNK, data)

    async def request(self, peer: str, kind: str, payload: bytes, *, timeout_s: float) -> bytes:
        """Ask one peer; raises PeerUnavailable or RequestFailed."""
        link = self._links.by_peer.get(peer)
        if link is None or not link.up or peer in self._hearing.deaf_to:
            raise PeerUnavailable(f"no link to {peer}")
        return await self._requests.ask(peer, kind, payload, timeout_s)

    async def publish_chunk(self, data: bytes) -> None:
        """Publish a transaction chunk over gossip; waits so as not to overflow its queues."""
        await self._gossip.publish(data)

    def peers(self) -> tuple[PeerInfo, ...]:
        """Return every peer with a link or an address."""
        return tuple(self._info(peer) for peer in sorted(self._links.by_peer))

    def connected(self) -> tuple[str, ...]:
        """Return the peers whose link is up, sorted."""
        return tuple(sorted(p for p, link in self._links.by_peer.items() if link.up))

    def set_known_addresses(self, addresses: Mapping[str, str]) -> None:
        """Set where peers are, beside bootstrap: peer ID to multiaddr without /p2p/."""
        self._book.set_known(addresses)

    def cut(self, peers: frozenset[str], deaf_to: frozenset[str] = frozenset()) -> None:
        """Refuse and drop these peers, and lose what those of `deaf_to` send, until called again
        without them (testnet only)."""
        self._cut, self._hearing.deaf_to = peers, deaf_to
        for peer in sorted(peers):
            self._links.drop(peer)

    def accuse(self, peer: str, reason: str) -> None:
        """Note a fault of a peer; too many within a minute and it is refused for a while."""
        self.counters.fault(reason)
        if self._scores.accuse(peer):
            log.warning("peer %s refused for %s s: %s", peer, limits.REFUSAL_S, reason)
            self._links.drop(peer)

    def _send(self, peer: str, kind: int, data: bytes) -> bool:
        link = self._links.by_peer.get(peer)
        if link is None:
            self.counters.dropped += 1
            return False
        return link.put(kind, data)

    def _info(self, peer: str) -> PeerInfo:
        link = self._links.by_peer[peer]
        return PeerInfo(
            peer_id=peer,
            address=self._book.get(peer),
            connected=link.up,
            round_trip_ms=link.round_trip_ms,
            since_ms=link.since_ms if link.up else None,
            frames_in=link.counters.frames_in,
            frames_out=link.counters.frames_out,
            bytes_in=link.counters.bytes_in,
            bytes_out=link.counters.bytes_out,
            dropped=link.counters.dropped,
        )

    def _may_originate(self, peer: str) -> bool:
        try:
            return self._membership(peer) is not None
        except Exception:
            log.exception("membership failed for %s", peer)
            return False

    def _admit(self, peer: str) -> bool:
        return (
            peer not in self._cut and not self._scores.refused(peer) and self._may_originate(peer)
        )

    def _admit_connection(self, peer: str) -> bool:
        if self._admit(peer):
            return True
        self.counters.refused += 1
        log.info("refused a connection with %s", peer)
        return False

    def _stream_fault(self, peer: str, error: Exception) -> None:
        if isinstance(error, Exception) and type(error).__name__ in ORDINARY_ENDS:
            return
        log.warning("fault on a stream of %s: %r", peer, error)
        self.accuse(peer, "stream")


ORDINARY_ENDS = frozenset({"StreamEOF", "StreamReset", "StreamClosed", "MuxedStreamReset"})
"""How streams end when a peer goes away; no fault."""
