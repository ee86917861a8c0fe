"""A member that sends garbage harms no one but itself."""

import pytest
import trio
import trio.testing
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from multiaddr import Multiaddr

from node.network import limits
from node.network.gossip import SafePubsub
from node.network.host import build_host, close_host

pytestmark = pytest.mark.trio

MULTISTREAM = b"\x13/multistream/1.0.0\n"


async def raw_stream(host, peer):
    connection = host.get_network().get_connections(peer)[0]
    return await connection.muxed_conn.open_stream()


async def strike(host, address, send):
    """Connect and send; the victim may drop the connection at any time, so try again."""
    for _ in range(20):
        try:
            await host.connect(info_from_p2p_addr(Multiaddr(address)))
            await send(host, ID.from_string(address.rpartition("/")[2]))
        except Exception:
            host.get_network().unblock_peer(ID.from_string(address.rpartition("/")[2]))
            await trio.sleep(0.1)
        else:
            return
    raise AssertionError("the attack never got through")


async def attack(net, send):
    """Node 2 misbehaves by `send(host, peer)`; nodes 0 and 1 must still talk."""
    listen = net.address(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        host = build_host(bytes([3]) * 32, listen, lambda _: True)
        async with host.run(listen_addrs=[Multiaddr(listen)]):
            try:
                await strike(host, f"{net.address(0)}/p2p/{a.peer_id}", send)
                await trio.sleep(0.5)
            finally:
                await close_host(host)
        b.send_frame(a.peer_id, b"still here")
        await net.until(lambda: (b.peer_id, b"still here") in net.recorders[0].frames)


async def test_an_invalid_protocol_name_ends_one_stream_only(mesh):
    async def send(host, peer):
        stream = await raw_stream(host, peer)
        await stream.write(MULTISTREAM + b"\x04\xff\xfe\xfd\n")

    await attack(mesh(3), send)


@pytest.mark.parametrize(
    "protocol", ["/meshsub/1.1.0", "/kilochain/consensus/1", "/kilochain/request/1"]
)
async def test_garbage_on_a_stream_ends_one_stream_only(mesh, protocol):
    async def send(host, peer):
        stream = await host.new_stream(peer, [protocol])
        await stream.write(b"\x20" + b"\xff" * 64)

    await attack(mesh(3), send)


async def test_bytes_that_are_no_handshake_are_survived(mesh):
    net = mesh(2)
    async with net.node(0), net.node(1):
        await net.linked(0, 1)
        for data in (b"\xff" * 4096, MULTISTREAM + b"\xff" * 64):
            stream = await trio.open_tcp_stream("127.0.0.1", net.ports[0])
            await stream.send_all(data)
            await stream.aclose()
        net.nodes[1].send_frame(net.ids[0], b"still here")
        await net.until(lambda: net.recorders[0].frames)


async def test_a_gossip_message_with_a_garbage_key_is_survived(mesh):
    net = mesh(3)

    async def send(host, peer):
        message = rpc_pb2.Message(
            data=b"chunk",
            topicIDs=["/kilochain/test-0123456789abcdef/transactions/1"],
            from_id=host.get_id().to_bytes(),
            seqno=b"\0" * 8,
            key=b"\xff" * 40,
            signature=b"\xff" * 64,
        )
        data = rpc_pb2.RPC(publish=[message]).SerializeToString()
        stream = await host.new_stream(peer, ["/meshsub/1.1.0"])
        await stream.write(bytes((len(data) & 127 | 128, len(data) >> 7)) + data)

    await attack(net, send)
    assert not net.recorders[0].chunks


async def test_gossip_of_one_peer_waits_for_its_check_only_up_to_a_limit(mesh, monkeypatch):
    """The library starts a task for each message; they must not pile up behind a slow check."""
    waiting = []

    async def slow(self, forwarder, message):
        waiting.append(str(forwarder))
        await trio.sleep_forever()

    monkeypatch.setattr(Pubsub, "push_msg", slow)
    peers = [ID.from_string(each) for each in mesh(2).ids]
    router = GossipSub(["/meshsub/1.1.0"], 2, 1, 3)
    host = build_host(bytes([3]) * 32, "/ip4/127.0.0.1/tcp/0", lambda _: True)
    pubsub = SafePubsub(host, router, on_fault=lambda peer, error: None)
    async with trio.open_nursery() as nursery:
        for number in range(3 * limits.CHUNKS_PER_PEER_MAX):
            for peer in peers:
                message = rpc_pb2.Message(seqno=b"%d" % number, from_id=peer.to_bytes())
                nursery.start_soon(pubsub.push_msg, peer, message)
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(waiting) == sorted(map(str, peers * limits.CHUNKS_PER_PEER_MAX))
        nursery.cancel_scope.cancel()
