"""Noise that lets only members in, before a muxer or any protocol runs."""

from collections.abc import Callable
from typing import Any

import trio
from libp2p.security.exceptions import HandshakeFailure
from libp2p.security.noise.transport import Transport

from node.network import limits


class GatedNoise(Transport):  # type: ignore[misc]
    """The Noise transport, with a live check of the remote peer ID in both directions."""

    def __init__(self, *args: Any, admit: Callable[[str], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._admit = admit

    async def secure_inbound(self, conn: Any) -> Any:
        """Secure an inbound connection; HandshakeFailure for whoever may not connect."""
        try:
            with trio.fail_after(limits.HANDSHAKE_S):
                secured = await super().secure_inbound(conn)
        except trio.TooSlowError as error:
            raise HandshakeFailure("the handshake took too long") from error
        return await self._check(secured)

    async def secure_outbound(self, conn: Any, peer_id: Any) -> Any:
        """Secure an outbound connection; HandshakeFailure for whoever may not be connected."""
        try:
            with trio.fail_after(limits.HANDSHAKE_S):
                secured = await super().secure_outbound(conn, peer_id)
        except trio.TooSlowError as error:
            raise HandshakeFailure("the handshake took too long") from error
        return await self._check(secured)

    async def _check(self, secured: Any) -> Any:
        peer = str(secured.get_remote_peer())
        if self._admit(peer):
            return secured
        await secured.close()
        raise HandshakeFailure(f"peer {peer} may not connect")
