"""Where peers are: peer ID to multiaddr."""

from collections.abc import Iterable, Mapping

from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr

from node.network.interface import NetworkError


class AddressBook:
    """Addresses to dial. Bootstrap addresses win over those set later."""

    def __init__(self, own: str, bootstrap: Iterable[str]) -> None:
        self._own = own
        self._fixed = dict(split_address(address) for address in bootstrap)
        self._known: dict[str, str] = {}

    def set_known(self, addresses: Mapping[str, str]) -> None:
        """Replace what is known beside bootstrap: peer ID to multiaddr without /p2p/."""
        self._known = dict(addresses)

    def get(self, peer: str) -> str | None:
        """Return the multiaddr (without /p2p/) of a peer, None if unknown."""
        return self._fixed.get(peer) or self._known.get(peer)

    def peers(self) -> tuple[str, ...]:
        """Return every peer with an address, but not this node."""
        return tuple(sorted((self._fixed.keys() | self._known.keys()) - {self._own}))


def split_address(address: str) -> tuple[str, str]:
    """Split a full multiaddr into peer ID and the part to dial; NetworkError if it is not one."""
    try:
        info = info_from_p2p_addr(Multiaddr(address))
        return str(info.peer_id), str(info.addrs[0])
    except Exception as error:
        raise NetworkError(f"{address} is no multiaddr with /p2p/: {error}") from error
