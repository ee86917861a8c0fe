"""What the network takes from the node and gives to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Membership = Callable[[str], str | None]
"""Peer ID to the name of the member that may connect under it; None refuses. Called live."""


class NetworkError(Exception):
    """Base of the network's errors."""


class PortInUse(NetworkError):  # noqa: N818 - the name says what happened
    """The address to listen on is taken or cannot be had; the message says which."""


class PeerUnavailable(NetworkError):  # noqa: N818 - the name says what happened
    """No link to the peer."""


class RequestFailed(NetworkError):  # noqa: N818 - the name says what happened
    """The peer did not answer in time, broke off, or refused; the message says which."""


class RequestRefused(NetworkError):  # noqa: N818 - the name says what happened
    """Raised by `Handlers.on_request`: the asker gets the message instead of an answer."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Identity, address and chain of this node.

    `seed` is the 32-byte seed of the node key, `listen` a TCP multiaddr, `bootstrap` holds full
    multiaddrs with /p2p/, `size` is the number of validators (it sets the gossip degree and rate).
    """

    seed: bytes
    listen: str
    chain_id: str
    bootstrap: tuple[str, ...] = ()
    size: int = 4


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """One peer as seen now; `since_ms` is when the link came up (Unix), counters are totals."""

    peer_id: str
    address: str | None
    connected: bool
    round_trip_ms: float | None
    since_ms: int | None
    frames_in: int
    frames_out: int
    bytes_in: int
    bytes_out: int
    dropped: int


class Handlers(Protocol):
    """The node's side. No exception of a handler ever ends the network."""

    def on_frame(self, peer: str, data: bytes) -> None:
        """Take one consensus frame; must be quick."""

    async def on_block(self, peer: str, data: bytes) -> None:
        """Take one block body."""

    async def on_request(self, peer: str, kind: str, payload: bytes) -> bytes:
        """Answer a request, or raise `RequestRefused`."""
        ...

    async def on_chunk(self, peer: str, data: bytes) -> bool:
        """Take a transaction chunk; True if valid, which lets gossip forward it."""
        ...

    def on_peer_up(self, peer: str) -> None:
        """Note that a link in both directions stands."""

    def on_peer_down(self, peer: str) -> None:
        """Note that the link is gone."""
