"""The libp2p host: how it is built, guarded, probed for and closed."""

import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import Ed25519PublicKey, create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key
from libp2p.custom_types import TProtocol
from libp2p.identity.identify_push.identify_push import ID_PUSH
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.peer.id import ID
from libp2p.security.exceptions import HandshakeFailure
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from multiaddr import Multiaddr

from node.network import limits
from node.network.interface import PortInUse
from node.network.muxer import GuardedYamux
from node.network.security import GatedNoise
from node.network.upgrade import Door, Muxing, bound_negotiation

UNBOUNDED = 10**6
"""The membership and `node.network.upgrade` bound the connections; the library's own bound would
let a crowd of strangers keep the members out."""


def quiet_library() -> None:
    """Silence the library's own logs; what matters is logged by this room."""
    logger = logging.getLogger("libp2p")
    logger.handlers[:] = [logging.NullHandler()]
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False


def peer_id_of(seed: bytes) -> str:
    """Return the peer ID of the node key with this 32-byte seed."""
    return str(ID.from_pubkey(create_new_key_pair(seed).public_key))


def peer_id_of_public(public: bytes) -> str:
    """Return the peer ID of the node key with these 32 public bytes."""
    return str(ID.from_pubkey(Ed25519PublicKey.from_bytes(public)))


def build_host(
    seed: bytes,
    listen: str,
    admit: Callable[[str], bool],
    on_breach: Callable[[str, Exception], None],
) -> Any:
    """Return a host with TCP, gated Noise and guarded Yamux, and nothing else."""
    keys = create_new_key_pair(seed)
    noise = GatedNoise(keys, noise_privkey=create_noise_key().private_key, admit=admit)
    host = new_host(
        key_pair=keys,
        listen_addrs=[Multiaddr(listen)],
        sec_opt={NOISE: noise},
        muxer_opt={TProtocol(YAMUX): GuardedYamux},
        connection_config=ConnectionConfig(
            max_connections=UNBOUNDED,
            min_connections=0,
            low_watermark=0,
            high_watermark=UNBOUNDED,
            max_connections_per_peer=limits.CONNECTIONS_PER_PEER_MAX,
            inbound_upgrade_timeout=int(limits.HANDSHAKE_S),
            outbound_upgrade_timeout=int(limits.HANDSHAKE_S),
            inbound_stream_protocol_negotiation_timeout=limits.NEGOTIATION_S,
            outbound_stream_protocol_negotiation_timeout=limits.NEGOTIATION_S,
        ),
        disable_identify_address_discovery=True,
    )
    network = host.get_network()
    network.retry_config = RetryConfig(max_retries=0)
    network.upgrader.security_multistream = Door({NOISE: noise})
    network.upgrader.muxer_multistream = Muxing({TProtocol(YAMUX): GuardedYamux}, on_breach)
    bound_negotiation(host)
    _let_inbound_end(network)
    _learn_nothing(host)
    quiet_library()
    return host


def _let_inbound_end(network: Any) -> None:
    """End the task of an inbound connection with it: the library's waits for the host to stop."""
    upgrade = network.upgrade_inbound_raw_conn

    async def upgrade_and_wait(raw: Any, address: Any) -> Any:
        muxer = await upgrade(raw, address)
        await muxer.event_closed.wait()
        raise HandshakeFailure("the connection has ended")

    network.upgrade_inbound_raw_conn = upgrade_and_wait


def _learn_nothing(host: Any) -> None:
    """Answer identify, which other implementations ask, but keep nothing that peers say of
    themselves: addresses are the genesis document's, and the library keeps any number."""
    host.remove_stream_handler(ID_PUSH)
    host._schedule_identify = lambda _peer, *, reason: None


def guard_streams(host: Any, on_fault: Callable[[str, Exception], None]) -> None:
    """Let no exception of a stream leave its handler: the library would end the whole host."""
    network = host.get_network()
    inner = network.common_stream_handler

    async def guarded(stream: Any) -> None:
        try:
            await inner(stream)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one stream's fault
            on_fault(str(stream.muxed_conn.peer_id), error)
            await reset(stream)

    network.set_stream_handler(guarded)


async def reset(stream: Any) -> None:
    """Reset a stream, whatever state it is in."""
    with trio.move_on_after(limits.CLOSE_S):
        try:
            await stream.reset()
        except Exception:  # noqa: BLE001 - a stream that cannot be reset is gone already
            return


async def close_connection(connection: Any) -> None:
    """Close a connection, socket first: closing the muxer waits for a write that may be stuck."""
    with trio.CancelScope(shield=True):
        for close in (connection.muxed_conn.secured_conn.close, connection.close):
            with trio.move_on_after(limits.CLOSE_S):
                try:
                    await close()
                except Exception:  # noqa: BLE001 - the other half must close as well
                    continue


async def close_host(host: Any) -> None:
    """Close listeners and connections, shielded: a listener left open would share its port."""
    with trio.CancelScope(shield=True), trio.move_on_after(limits.SHUTDOWN_S):
        for listener in list(host.get_network().listeners.values()):
            await listener.close()
        async with trio.open_nursery() as nursery:
            for connection in list(host.get_network().get_connections()):
                nursery.start_soon(close_connection, connection)
        await host.close()


def probe_port(listen: str) -> None:
    """Raise PortInUse if the address cannot be bound.

    The library sets SO_REUSEPORT, with which two nodes would share a port without an error.
    """
    address = Multiaddr(listen)
    family = socket.AF_INET6 if "/ip6/" in listen else socket.AF_INET
    try:
        name = address.value_for_protocol("ip6" if family == socket.AF_INET6 else "ip4")
        port = int(address.value_for_protocol("tcp"))
    except (ValueError, LookupError) as error:
        raise PortInUse(f"p2p.listen {listen} is not of the form /ip4/…/tcp/…") from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((name, port))
            probe.listen(1)
        except OSError as error:
            reason = "is already in use" if error.errno == errno.EADDRINUSE else str(error)
            raise PortInUse(f"cannot listen on {listen}: {reason}") from error
