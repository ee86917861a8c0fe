"""One-way faults for testnets: what chosen peers send is lost, what they are sent is not."""

import trio

from node.network.interface import Handlers, RequestRefused


class Hearing:
    """The node's handlers, except for what peers say that this node is deaf to.

    Links stay up and answer pings, so that both sides believe that all is well.
    """

    def __init__(self, handlers: Handlers) -> None:
        self.deaf_to: frozenset[str] = frozenset()
        self._handlers = handlers
        self.on_peer_up = handlers.on_peer_up
        self.on_peer_down = handlers.on_peer_down

    def on_frame(self, peer: str, data: bytes) -> None:
        """Take or lose a consensus frame."""
        if peer not in self.deaf_to:
            self._handlers.on_frame(peer, data)

    async def on_block(self, peer: str, data: bytes) -> None:
        """Take or lose a block body."""
        if peer not in self.deaf_to:
            await self._handlers.on_block(peer, data)

    async def on_request(self, peer: str, kind: str, payload: bytes) -> bytes:
        """Answer a request. Raises RequestRefused for one that was not heard."""
        if peer in self.deaf_to:
            await trio.lowlevel.checkpoint()
            raise RequestRefused("not heard")
        return await self._handlers.on_request(peer, kind, payload)

    async def on_chunk(self, peer: str, data: bytes) -> bool:
        """Take or lose a transaction chunk."""
        return peer not in self.deaf_to and await self._handlers.on_chunk(peer, data)
