"""The library's GossipSub behind a filter.

A peer's stream reaches the library as whole messages that have passed: of our topic, with
bounded counts and names, without what peers say of third parties. So nothing that a peer can
send makes it end the host, dial strangers, or keep state for topics that nobody else knows.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import trio
from google.protobuf.message import DecodeError
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.utils import encode_varint_prefixed

from node.network import limits
from node.network.frames import FrameError
from node.network.host import reset


class BoundedRouter(GossipSub):  # type: ignore[misc]
    """GossipSub that forgets."""

    def _check_equivocation(self, _message: Any) -> bool:
        # The library keeps every message for ever to compare it with a later one of the same ID,
        # which the cache of seen IDs drops anyway.
        return True

    async def publish(self, msg_forwarder: Any, pubsub_msg: Any) -> None:
        """Forward; what the library notes for its adaptive mode, which is off, is not kept."""
        await super().publish(msg_forwarder, pubsub_msg)
        self.recent_message_deliveries.clear()


class SafePubsub(Pubsub):  # type: ignore[misc]
    """Pubsub of one topic that survives its peers and checks a message once, not once per copy."""

    def __init__(
        self,
        host: Any,
        router: Any,
        topic: str,
        on_fault: Callable[[str, Exception], None],
    ) -> None:
        super().__init__(
            host, router, max_inbound_rpc_size=limits.GOSSIP_BYTES_MAX, allowed_topics={topic}
        )
        self._topic = topic
        self._on_fault = on_fault
        self._validating: set[bytes] = set()
        self._streams: dict[Any, Any] = {}
        self._pending: Counter[Any] = Counter()
        self._settled = trio.lowlevel.ParkingLot()

    async def stream_handler(self, stream: Any) -> None:
        """Read a peer's stream to its end. A newer one ends an older one."""
        peer = stream.muxed_conn.peer_id
        older = self._streams.get(peer)
        self._streams[peer] = stream
        if older is not None:
            await reset(older)
        try:
            await super().stream_handler(VettedStream(stream, self._vetted))
        finally:
            if self._streams.get(peer) is stream:
                del self._streams[peer]

    async def _vetted(self, peer: Any, data: bytes) -> bytes:
        """The next message for the library, once it has room for it. Raises FrameError."""
        while self._pending[peer] >= limits.GOSSIP_PENDING_MAX:
            await self._settled.park()
        topic = self._topic if self._topic in self.topic_ids else None
        rpc = vet(data, topic)
        self._pending[peer] += len(rpc.publish)
        return bytes(rpc.SerializeToString())

    async def push_msg(self, msg_forwarder: Any, msg: Any) -> None:
        """Validate and forward one message; copies that come meanwhile are dropped."""
        message_id = bytes(self.get_message_id(msg))
        fresh = message_id not in self._validating
        self._validating.add(message_id)
        try:
            if fresh:
                await super().push_msg(msg_forwarder, msg)
        except Exception as error:  # noqa: BLE001 - the library would end the whole host
            self._on_fault(str(msg_forwarder), error)
        finally:
            if fresh:
                self._validating.discard(message_id)
            if self._pending[msg_forwarder] > 0:
                self._pending[msg_forwarder] -= 1
            self._pending += Counter()
            self._settled.unpark_all()

    def notify_subscriptions(self, publish_message: Any) -> None:
        """Do nothing: the validator has handed the chunk on already."""


class VettedStream:
    """What the library reads in place of a peer's stream."""

    def __init__(self, stream: Any, vetted: Callable[[Any, bytes], Any]) -> None:
        self.muxed_conn = stream.muxed_conn
        self.metric_send_channel = stream.metric_send_channel
        self._stream = stream
        self._vetted = vetted
        self._came = bytearray()
        self._passed = b""

    async def read(self, n: int | None = None) -> bytes:
        """Up to n bytes of a message that has passed. Raises FrameError and what streams raise."""
        if not self._passed:
            message = await self._vetted(self.muxed_conn.peer_id, await self._next())
            self._passed = encode_varint_prefixed(message)
        data, self._passed = self._passed[:n], self._passed[len(self._passed) if n is None else n :]
        return data

    async def reset(self) -> None:
        """Reset the peer's stream."""
        await self._stream.reset()

    async def _next(self) -> bytes:
        size = shift = at = 0
        while True:
            await self._fill(at + 1)
            byte = self._came[at]
            size |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if byte < 0x80:
                break
            if at > 3:
                raise FrameError("gossip length in more than four bytes")
        if size > limits.GOSSIP_BYTES_MAX:
            raise FrameError(f"gossip message of {size} bytes")
        await self._fill(at + size)
        data = bytes(memoryview(self._came)[at : at + size])
        del self._came[: at + size]
        return data

    async def _fill(self, size: int) -> None:
        while len(self._came) < size:
            data = await self._stream.read(limits.READ_BYTES)
            if not data:
                raise FrameError("gossip stream ended inside a message")
            self._came += data


def vet(data: bytes, topic: str | None) -> Any:
    """The RPC with only what concerns `topic`. Raises FrameError for what no honest peer sends."""
    try:
        rpc = rpc_pb2.RPC.FromString(data)
    except DecodeError as error:
        raise FrameError(f"gossip that does not parse: {error}") from error
    control = rpc.control
    named = sum(len(each.messageIDs) for each in control.ihave)
    named += sum(len(each.messageIDs) for each in control.iwant)
    entries = len(control.ihave) + len(control.iwant) + len(control.graft) + len(control.prune)
    if len(rpc.publish) + len(rpc.subscriptions) + entries > limits.GOSSIP_MESSAGES_MAX:
        raise FrameError(f"more than {limits.GOSSIP_MESSAGES_MAX} entries in a gossip message")
    if named > limits.GOSSIP_IDS_MAX:
        raise FrameError(f"more than {limits.GOSSIP_IDS_MAX} message IDs in a gossip message")
    clean = rpc_pb2.RPC()
    clean.subscriptions.extend(each for each in rpc.subscriptions if each.topicid == topic)
    clean.publish.extend(each for each in rpc.publish if _ours(each, topic))
    if entries:
        _vet_control(control, clean.control, topic)
    return clean


def _ours(message: Any, topic: str | None) -> bool:
    sound = (
        len(message.data) <= limits.CHUNK_BYTES_MAX
        and len(message.seqno) == limits.GOSSIP_SEQUENCE_BYTES
        and len(message.from_id) <= limits.GOSSIP_ID_BYTES_MAX
    )
    if not sound:
        raise FrameError("a gossip message with fields of another size")
    return list(message.topicIDs) == [topic]


def _vet_control(control: Any, clean: Any, topic: str | None) -> None:
    names = [name for each in (*control.ihave, *control.iwant) for name in each.messageIDs]
    if any(len(name) > limits.GOSSIP_ID_BYTES_MAX for name in names):
        raise FrameError("a gossip message ID that is too long")
    clean.ihave.extend(each for each in control.ihave if each.topicID == topic)
    clean.iwant.extend(control.iwant)
    clean.graft.extend(each for each in control.graft if each.topicID == topic)
    for each in control.prune:
        if each.topicID == topic:
            # Its time to wait stays; the peers that it recommends would be dialled.
            clean.prune.add(topicID=topic, backoff=min(each.backoff, limits.GOSSIP_BACKOFF_S_MAX))
