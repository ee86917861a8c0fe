"""The node's network: links, requests and gossip on libp2p."""

from node.network.counters import Counters
from node.network.interface import (
    Handlers,
    Membership,
    NetworkConfig,
    NetworkError,
    PeerInfo,
    PeerUnavailable,
    PortInUse,
    RequestFailed,
    RequestRefused,
)
from node.network.network import Network

__all__ = [
    "Counters",
    "Handlers",
    "Membership",
    "Network",
    "NetworkConfig",
    "NetworkError",
    "PeerInfo",
    "PeerUnavailable",
    "PortInUse",
    "RequestFailed",
    "RequestRefused",
]
