"""What of a peer's gossip reaches the library, and what the library keeps of it."""

from __future__ import annotations

from contextlib import AsyncExitStack

import hostile
import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.validators import PUBSUB_SIGNING_PREFIX

from node.network import limits
from node.network.frames import FrameError
from node.network.pubsub import vet

TOPIC = "/kilochain/test-0123456789abcdef/transactions/1"


def message(data=b"chunk", topic=TOPIC, seqno=b"\0" * 8):
    return rpc_pb2.Message(data=data, topicIDs=[topic], from_id=b"\0" * 38, seqno=seqno)


def control(**entries):
    return rpc_pb2.RPC(control=rpc_pb2.ControlMessage(**entries))


def test_only_what_concerns_the_topic_passes_and_nothing_about_third_parties():
    rpc = rpc_pb2.RPC(publish=[message(), message(topic="other")], senderRecord=b"record")
    rpc.subscriptions.add(subscribe=True, topicid=TOPIC)
    rpc.subscriptions.add(subscribe=True, topicid="other")
    rpc.control.graft.add(topicID="other")
    rpc.control.ihave.add(topicID="other", messageIDs=[b"id"])
    prune = rpc.control.prune.add(topicID=TOPIC, backoff=1 << 40)
    prune.peers.add(peerID=b"somebody", signedPeerRecord=b"elsewhere")
    clean = vet(rpc.SerializeToString(), TOPIC)
    assert list(clean.publish) == [message()]
    assert [each.topicid for each in clean.subscriptions] == [TOPIC]
    assert not clean.HasField("senderRecord")
    assert not clean.control.graft
    assert not clean.control.ihave
    assert not clean.control.prune[0].peers
    assert clean.control.prune[0].backoff == limits.GOSSIP_BACKOFF_S_MAX


@pytest.mark.parametrize(
    "rpc",
    [
        rpc_pb2.RPC(publish=[message()] * (limits.GOSSIP_MESSAGES_MAX + 1)),
        rpc_pb2.RPC(subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid="x")] * 300),
        rpc_pb2.RPC(publish=[message(seqno=b"\0" * 9)]),
        rpc_pb2.RPC(publish=[message(data=b"x" * (limits.CHUNK_BYTES_MAX + 1))]),
        control(iwant=[rpc_pb2.ControlIWant(messageIDs=[b"id"] * 5001)]),
        control(ihave=[rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=[b"x" * 129])]),
        control(graft=[rpc_pb2.ControlGraft(topicID=TOPIC)] * 257),
    ],
    ids=["messages", "subscriptions", "sequence", "data", "iwant", "long id", "grafts"],
)
def test_what_no_honest_peer_sends_is_a_fault(rpc):
    with pytest.raises(FrameError):
        vet(rpc.SerializeToString(), TOPIC)


def test_bytes_that_are_no_protobuf_are_a_fault():
    with pytest.raises(FrameError, match="parse"):
        vet(b"\xff" * 40, TOPIC)


@pytest.mark.trio
async def test_chunks_that_were_forwarded_are_not_kept(mesh):
    net = mesh(2)
    async with AsyncExitStack() as stack:
        for i in range(2):
            await stack.enter_async_context(net.node(i))
        await net.linked(0, 1)
        for turn in range(30):
            await net.nodes[0].publish_chunk(b"chunk %d" % turn)
        await net.until(lambda: len(net.recorders[1].chunks) == 30)
        for node in net.nodes.values():
            router = node._gossip._pubsub.router
            assert not router.equivocation_detection
            assert not router.recent_message_deliveries
            # What answers IWANT goes with the heartbeats.
            await net.until(lambda router=router: not router.mcache.msgs)


def signed(seed, data, number):
    """A well-signed gossip message."""
    keys = create_new_key_pair(seed)
    body = rpc_pb2.Message(
        data=data,
        topicIDs=[TOPIC],
        from_id=hostile.ID.from_pubkey(keys.public_key).to_bytes(),
        seqno=number.to_bytes(8, "big"),
    )
    text = PUBSUB_SIGNING_PREFIX.encode() + body.SerializeToString()
    body.signature = keys.private_key.sign(text)
    return body


@pytest.mark.trio
async def test_a_flood_of_good_messages_waits_in_its_stream(mesh):
    net = mesh(3)
    seed = bytes([3]) * 32

    async def slow(_peer, data):
        await trio.sleep(0.002)
        net.recorders[0].chunks.append((_peer, data))
        return True

    net.recorders[0].on_chunk = slow
    async with net.node(0) as a, net.node(2) as liar:
        await net.linked(0, 2)
        stream = await liar._gossip._pubsub.host.new_stream(
            hostile.ID.from_string(a.peer_id), ["/meshsub/1.1.0"]
        )
        tasks = trio.lowlevel.current_statistics().tasks_living
        for turn in range(10):
            batch = [signed(seed, b"x" * 200, turn * 100 + i) for i in range(100)]
            data = rpc_pb2.RPC(publish=batch).SerializeToString()
            await stream.write(hostile.varint(len(data)) + data)
            living = trio.lowlevel.current_statistics().tasks_living
            assert living < tasks + 2 * (limits.GOSSIP_PENDING_MAX + 100)
        await net.until(lambda: len(net.recorders[0].chunks) == 1000)
