"""The network between real nodes on loopback."""

import logging
from contextlib import AsyncExitStack

import pytest
import trio

from node.network import Network, PeerUnavailable, PortInUse, RequestFailed
from node.network.frames import FrameError, FrameReader

pytestmark = pytest.mark.trio


async def test_frames_blocks_chunks_and_requests_arrive_whole(mesh):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        body = b"x" * (2 * 1024 * 1024)
        assert a.send_frame(b.peer_id, b"vote")
        assert a.send_block(b.peer_id, body)
        assert b.send_chunk(a.peer_id, b"chunk")
        await net.until(lambda: net.recorders[1].blocks and net.recorders[0].chunks)
        assert net.recorders[1].frames == [(a.peer_id, b"vote")]
        assert net.recorders[1].blocks == [(a.peer_id, body)]
        assert net.recorders[0].chunks == [(b.peer_id, b"chunk")]
        answer = await b.request(a.peer_id, "block", b"y" * 2048, timeout_s=10)
        assert answer == b"y" * 2048 * 1024
        with pytest.raises(RequestFailed, match="no kind chains"):
            await b.request(a.peer_id, "chains", b"", timeout_s=10)
        with pytest.raises(PeerUnavailable):
            await b.request("12D3KooWunknown", "block", b"", timeout_s=10)
        await net.until(lambda: a.peers()[0].round_trip_ms is not None)


async def test_a_chunk_published_by_one_of_four_reaches_the_others_once(mesh):
    net = mesh(4)
    async with AsyncExitStack() as stack:
        for i in range(4):
            await stack.enter_async_context(net.node(i))
        await net.linked(0, 1, 2, 3)
        sent = [b"chunk %d" % i for i in range(20)]
        for data in sent:
            await net.nodes[0].publish_chunk(data)
        await net.until(lambda: all(len(r.chunks) >= 20 for r in net.recorders[1:]))
        for recorder in net.recorders[1:]:
            assert sorted(data for _, data in recorder.chunks) == sorted(sent)


async def test_an_exception_in_any_handler_ends_nothing(mesh):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        a.send_frame(b.peer_id, b"boom")
        a.send_chunk(b.peer_id, b"boom")
        await a.publish_chunk(b"boom")
        with pytest.raises(RequestFailed, match="internal error"):
            await a.request(b.peer_id, "boom", b"", timeout_s=10)
        a.send_frame(b.peer_id, b"after")
        await net.until(lambda: net.recorders[1].frames == [(a.peer_id, b"after")])
        await net.until(lambda: b.counters.faults["handler"] >= 3)


async def test_a_stranger_is_refused_before_any_protocol(mesh):
    net = mesh(2)
    async with net.node(0) as a:
        net.nodes[1] = net.build(1)
        del net.members[net.ids[1]]
        async with trio.open_nursery() as nursery:
            stranger = Network(net.nodes[1]._config, lambda _: "all", net.recorders[1])
            nursery.start_soon(stranger.run)
            await net.until(lambda: a.counters.refused >= 1)
            assert a.connected() == stranger.connected() == ()
            nursery.cancel_scope.cancel()


async def test_a_peer_of_another_chain_is_refused_with_a_clear_line(mesh, caplog):
    net = mesh(2)
    with caplog.at_level(logging.WARNING, "kilochain.network"):
        async with net.node(0) as a, net.node(1, chain="other-0000") as b:
            await net.until(lambda: "its chain is" in caplog.text)
            assert a.connected() == b.connected() == ()


@pytest.mark.parametrize("restarted", [0, 1])
async def test_a_restarted_peer_is_linked_again(mesh, restarted):
    net = mesh(2)
    other = 1 - restarted
    async with net.node(other) as stays:
        async with net.node(restarted):
            await net.linked(0, 1)
        await net.until(lambda: stays.connected() == ())
        async with net.node(restarted):
            await net.linked(0, 1)
        assert net.recorders[other].down


@pytest.mark.parametrize("both", [False, True], ids=["one side cuts", "both sides cut"])
async def test_cut_peers_lose_their_link_until_healed(mesh, both):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        a.cut(frozenset({b.peer_id}))
        b.cut(frozenset({a.peer_id} if both else ()))
        await net.until(lambda: a.connected() == b.connected() == ())
        await trio.sleep(2)
        assert a.connected() == b.connected() == ()
        a.cut(frozenset())
        b.cut(frozenset())
        await net.linked(0, 1)


async def test_a_deaf_node_is_heard_and_hears_nothing(mesh):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        a.cut(frozenset(), frozenset({b.peer_id}))
        for send in (b.send_frame, b.send_block, b.send_chunk):
            assert send(a.peer_id, b"lost")
        assert a.send_frame(b.peer_id, b"heard")
        await net.until(lambda: net.recorders[1].frames == [(a.peer_id, b"heard")])
        with pytest.raises(PeerUnavailable):
            await a.request(b.peer_id, "block", b"?", timeout_s=5)
        with pytest.raises(RequestFailed):
            await b.request(a.peer_id, "block", b"?", timeout_s=5)
        assert a.connected() == (b.peer_id,)
        a.cut(frozenset())
        assert b.send_frame(a.peer_id, b"again")
        await net.until(lambda: net.recorders[0].frames == [(b.peer_id, b"again")])
        assert not net.recorders[0].blocks
        assert not net.recorders[0].chunks


async def test_a_peer_that_loses_its_membership_is_dropped(mesh):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        net.members.pop(b.peer_id)
        await net.until(lambda: a.connected() == b.connected() == ())


async def test_a_peer_accused_too_often_is_dropped(mesh):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        for _ in range(10):
            a.accuse(b.peer_id, "bad vote")
        await net.until(lambda: a.connected() == ())
        assert a.counters.faults["bad vote"] == 10


async def test_a_port_in_use_is_a_clear_error(mesh):
    net = mesh(2)
    net.ports[1] = net.ports[0]
    async with net.node(0):
        with pytest.raises(PortInUse, match="already in use"):
            await net.build(1).run()


class Bytes:
    """A stream that holds these bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def read(self, n: int | None = None) -> bytes:
        data, self.data = self.data[:3], self.data[3:]
        return data


@pytest.mark.parametrize("data", [b"\0\0\0\0", b"\xff\xff\xff\xff\1", b"\0\0", b"\0\0\0\5\1ab"])
async def test_broken_framing_is_the_peers_fault(data):
    with pytest.raises(FrameError):
        await FrameReader(Bytes(data)).next()
