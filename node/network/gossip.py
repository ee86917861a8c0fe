"""Transaction chunks over GossipSub, validated before they are forwarded."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service

from node.network import limits
from node.network.counters import Counters
from node.network.interface import Handlers, NetworkConfig, NetworkError

log = logging.getLogger("kilochain.network")


class SafePubsub(Pubsub):  # type: ignore[misc]
    """Pubsub that survives a bad message and validates a message once, not once per copy.

    The library starts a task for each message that a peer sends; how many of one peer's wait for
    their validation is limited here.
    """

    def __init__(self, *args: Any, on_fault: Callable[[str, Exception], None], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self._on_fault = on_fault
        self._validating: set[bytes] = set()
        self._of_peer: dict[str, int] = {}

    async def push_msg(self, msg_forwarder: Any, msg: Any) -> None:
        """Validate and forward one message; copies that come meanwhile are dropped."""
        message_id = bytes(self.get_message_id(msg))
        peer = str(msg_forwarder)
        waiting = self._of_peer.get(peer, 0)
        if message_id in self._validating or waiting >= limits.CHUNKS_PER_PEER_MAX:
            return
        self._validating.add(message_id)
        self._of_peer[peer] = waiting + 1
        try:
            await super().push_msg(msg_forwarder, msg)
        except Exception as error:  # noqa: BLE001 - the library would end the whole host
            self._on_fault(peer, error)
        finally:
            self._validating.discard(message_id)
            self._of_peer[peer] -= 1
            if not self._of_peer[peer]:
                del self._of_peer[peer]

    def notify_subscriptions(self, publish_message: Any) -> None:
        """Do nothing: the validator has handed the chunk on already."""


class Gossip:
    """One topic per chain."""

    def __init__(
        self,
        config: NetworkConfig,
        own: str,
        admit: Callable[[str], bool],
        handlers: Handlers,
        counters: Counters,
    ) -> None:
        self._topic = f"/kilochain/{config.chain_id}/transactions/1"
        self._size = max(2, config.size)
        self._own = own
        self._admit = admit
        self._handlers = handlers
        self._counters = counters
        self._pubsub: SafePubsub | None = None
        self._turn = trio.Lock()

    @asynccontextmanager
    async def attached(
        self, host: Any, on_fault: Callable[[str, Exception], None]
    ) -> AsyncIterator[None]:
        """Run GossipSub on the host."""
        degree = min(self._size - 1, 3 if self._size <= 4 else 4)
        router = GossipSub(
            protocols=[TProtocol("/meshsub/1.1.0")],
            degree=degree,
            degree_low=max(1, degree - 1),
            degree_high=degree + 2,
            heartbeat_interval=1,
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
        )
        pubsub = SafePubsub(host, router, on_fault=on_fault, allowed_topics={self._topic})
        pubsub.set_topic_validator(self._topic, self._validate, True)
        async with background_trio_service(pubsub), background_trio_service(router):
            await pubsub.wait_until_ready()
            await pubsub.subscribe(self._topic)
            self._pubsub = pubsub
            try:
                yield
            finally:
                self._pubsub = None

    async def publish(self, data: bytes) -> None:
        """Publish a chunk. Waits for its turn: more than the pace overflows the library's queues.

        NetworkError if the chunk is too large.
        """
        if len(data) > limits.CHUNK_BYTES_MAX:
            raise NetworkError(f"chunk of {len(data)} bytes exceeds {limits.CHUNK_BYTES_MAX}")
        async with self._turn:
            if self._pubsub is None:
                return
            await self._pubsub.publish(self._topic, data)
            self._counters.chunks_out += 1
            await trio.sleep(self._size**2 / 400)

    async def _validate(self, forwarder: Any, message: Any) -> bool:
        """Whether a chunk may be forwarded. Never raises: the library would end the host."""
        try:
            if str(forwarder) == self._own:
                return True
            if len(message.data) > limits.CHUNK_BYTES_MAX:
                return False
            if not self._admit(str(ID(message.from_id))):
                return False
            self._counters.chunks_in += 1
            return await self._handlers.on_chunk(str(forwarder), bytes(message.data))
        except Exception:
            log.exception("handler failed on a chunk of %s", forwarder)
            self._counters.fault("handler")
            return False
