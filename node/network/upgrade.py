"""From a socket to streams: how much may be said, and by how many, before anything is agreed.

The library reads as many bytes as a peer announces, at each of the three negotiations (security,
muxer, protocol of a stream), and keeps every connection that never gets through the first.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import trio
from libp2p.io.exceptions import MessageTooLarge
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError, MultiselectError
from libp2p.protocol_muxer.multiselect import Multiselect
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.security.exceptions import HandshakeFailure
from libp2p.security.security_multistream import SecurityMultistream
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream

from node.network import limits
from node.network.muxer import GuardedYamux


class Metered:
    """A connection or stream while a protocol is chosen on it: it yields so much and no more."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._left = limits.NEGOTIATION_BYTES_MAX

    async def read(self, n: int | None = None) -> bytes:
        """Read; MessageTooLarge if that exceeds what a negotiation may take."""
        if n is None or n > self._left:
            raise MessageTooLarge(f"a negotiation of more than {limits.NEGOTIATION_BYTES_MAX}")
        data = bytes(await self._inner.read(n))
        self._left -= len(data)
        return data

    async def write(self, data: bytes) -> None:
        """Write through."""
        await self._inner.write(data)


class BoundedCommunicator(MultiselectCommunicator):  # type: ignore[misc]
    """Messages of a negotiation, bounded, with one error for all that is wrong with them."""

    def __init__(self, communicator: Any) -> None:
        super().__init__(Metered(communicator.read_writer))

    async def read(self) -> str:
        """The next message. Raises MultiselectCommunicatorError."""
        try:
            return str(await super().read())
        except UnicodeDecodeError as error:
            raise MultiselectCommunicatorError("a protocol name that is no text") from error


class BoundedMultiselect(Multiselect):  # type: ignore[misc]
    """The answering side of a negotiation."""

    async def negotiate(self, communicator: Any, *args: Any) -> Any:
        """Choose; MultiselectError if the peer says too much."""
        return await super().negotiate(BoundedCommunicator(communicator), *args)


class BoundedClient(MultiselectClient):  # type: ignore[misc]
    """The asking side of a negotiation."""

    async def select_one_of(self, protocols: Any, communicator: Any, *args: Any) -> Any:
        """Choose; MultiselectClientError if the peer says too much."""
        bounded = BoundedCommunicator(communicator)
        return await super().select_one_of(protocols, bounded, *args)


class Door(SecurityMultistream):  # type: ignore[misc]
    """The security upgrade, with a limit on connections that have not been through it."""

    def __init__(self, transports: Any) -> None:
        super().__init__(transports)
        bound_negotiation(self._selector)
        self._waiting: dict[int, trio.CancelScope] = {}
        self._count = 0

    async def secure_inbound(self, conn: Any) -> Any:
        """Upgrade; HandshakeFailure if it takes long or newer connections crowd it out."""
        with trio.move_on_after(limits.HANDSHAKE_S) as scope, self._place(scope):
            return await super().secure_inbound(conn)
        raise HandshakeFailure("the handshake took too long, or too many others came")

    @contextmanager
    def _place(self, scope: trio.CancelScope) -> Iterator[None]:
        # The oldest goes: an honest peer is through in a moment, an idle socket never is.
        if len(self._waiting) >= limits.HANDSHAKES_MAX:
            self._waiting.pop(next(iter(self._waiting))).cancel()
        self._count += 1
        number = self._count
        self._waiting[number] = scope
        try:
            yield
        finally:
            self._waiting.pop(number, None)


class Muxing(MuxerMultistream):  # type: ignore[misc]
    """The muxer upgrade: a guarded muxer, and few connections of one peer."""

    def __init__(self, muxers: Any, on_breach: Callable[[str, Exception], None]) -> None:
        super().__init__(muxers, int(limits.HANDSHAKE_S))
        bound_negotiation(self._selector)
        self._on_breach = on_breach
        self._open: dict[str, list[GuardedYamux]] = {}
        self._coming: Counter[str] = Counter()

    async def new_conn(self, conn: Any, peer_id: Any) -> Any:
        """Upgrade; MultiselectError if the peer has too many connections already."""
        peer = str(peer_id)
        muxers = [muxer for muxer in self._open.pop(peer, ()) if not muxer.is_closed]
        if muxers:
            self._open[peer] = muxers
        if len(muxers) + self._coming[peer] >= limits.CONNECTIONS_PER_PEER_MAX:
            raise MultiselectError(f"{peer} has {len(muxers)} connections already")
        self._coming[peer] += 1
        try:
            protocol, _ = await self._selector.select(
                conn, conn.is_initiator, self.negotiate_timeout
            )
            # Named here: the library makes its own Yamux, whatever class it was given.
            muxer = GuardedYamux(
                conn, peer_id, is_initiator=conn.is_initiator, on_breach=self._on_breach
            )
            self._open.setdefault(peer, []).append(muxer)
            return self._annotate_connection(muxer, conn, protocol)
        finally:
            self._coming[peer] -= 1
            self._coming += Counter()


def bound_negotiation(selector: Any) -> None:
    """Bound what peers may say to this selector or host to choose a protocol."""
    selector.multiselect = BoundedMultiselect(selector.multiselect.handlers)
    selector.multiselect_client = BoundedClient()
