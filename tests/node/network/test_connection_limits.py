"""What one connection may make a node hold, and what happens to one that wants more."""

from __future__ import annotations

import itertools

import hostile
import pytest
import trio
import trio.testing
from hostile import DATA, FIN, PING, RST, SYN, WINDOW_UPDATE, header

from node.network import RequestFailed, limits

pytestmark = pytest.mark.trio

REQUEST = b"/kilochain/request/1"


async def attacked(mesh, pieces, *, ends=True, seconds=10.0):
    """Member 2 writes these pieces of Yamux to node 0; nodes 0 and 1 must still talk."""
    net = mesh(3)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        address = f"{net.address(0)}/p2p/{a.peer_id}"
        async with hostile.framed(bytes([3]) * 32, address) as connection:
            assert await hostile.sends_until_closed(connection, pieces, seconds) is ends
        b.send_frame(a.peer_id, b"still here")
        await net.until(lambda: (b.peer_id, b"still here") in net.recorders[0].frames)
        assert a.counters.faults.get("multiplexer", 0) == (1 if ends else 0)


def opened(stream: int, protocol: bytes = REQUEST) -> bytes:
    hello = hostile.MULTISTREAM + hostile.delimited(protocol)
    return header(WINDOW_UPDATE, SYN, stream, 0) + header(DATA, 0, stream, len(hello)) + hello


async def test_bytes_beyond_a_streams_window_end_the_connection(mesh):
    frame = header(DATA, 0, 1, 65536) + b"x" * 65536
    await attacked(mesh, itertools.chain([opened(1)], itertools.repeat(frame, 200)))


async def test_a_frame_larger_than_the_window_ends_the_connection_before_it_came(mesh):
    await attacked(mesh, [opened(1), header(DATA, 0, 1, 16 << 20)])


async def test_more_streams_than_allowed_end_the_connection(mesh):
    count = limits.STREAMS_MAX + 1
    await attacked(mesh, [header(WINDOW_UPDATE, SYN, 2 * i + 1, 0) for i in range(count)])


async def test_as_many_streams_as_allowed_are_served(mesh):
    count = limits.STREAMS_MAX
    frames = [header(WINDOW_UPDATE, SYN, 2 * i + 1, 0) for i in range(count)]
    await attacked(mesh, frames, ends=False, seconds=1.0)


@pytest.mark.parametrize(
    "frame",
    [
        header(WINDOW_UPDATE, SYN, 2, 0),
        header(WINDOW_UPDATE, SYN, 0, 0),
        header(WINDOW_UPDATE, SYN, 1, 0) * 2,
        header(DATA, 0, 7, 65536) + b"x" * 65536,
        header(9, 0, 0, 0),
        header(PING, SYN, 0, 0, version=1),
    ],
    ids=["our stream", "stream 0", "opened twice", "never opened", "frame type", "version"],
)
async def test_a_frame_that_no_honest_muxer_sends_ends_the_connection(mesh, frame):
    await attacked(mesh, [frame])


async def test_streams_opened_and_reset_for_ever_are_slowed_and_leave_nothing(mesh):
    def pieces():
        for i in range(1500):
            yield header(WINDOW_UPDATE, SYN, 2 * i + 1, 0) + header(
                WINDOW_UPDATE, RST, 2 * i + 1, 0
            )

    tasks = trio.lowlevel.current_statistics().tasks_living
    await attacked(mesh, pieces(), ends=False, seconds=2.0)
    await trio.testing.wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().tasks_living <= tasks + 5


async def test_what_is_on_its_way_to_a_stream_that_was_reset_is_no_fault(mesh):
    late = b"x" * 65536
    pieces = [opened(1, b"/unknown/1") + header(DATA, FIN, 1, 0)]
    pieces += [opened(3) + header(WINDOW_UPDATE, RST, 3, 0) + header(DATA, 0, 3, 65536) + late]
    await attacked(mesh, pieces, ends=False, seconds=1.0)


async def test_a_peer_that_breaks_limits_twice_is_refused_for_a_while(mesh):
    net = mesh(3)
    async with net.node(0) as a:
        address = f"{net.address(0)}/p2p/{a.peer_id}"
        for _ in range(2):
            async with hostile.framed(bytes([3]) * 32, address) as connection:
                assert await hostile.sends_until_closed(connection, [header(9, 0, 0, 0)], 10)
        assert not await hostile.is_served(bytes([3]) * 32, address)
        assert a.counters.refused == 1
        assert await hostile.is_served(bytes([2]) * 32, address)


@pytest.mark.parametrize("where", ["before noise", "before the muxer", "on a stream"])
async def test_a_negotiation_may_not_announce_more_than_it_needs(mesh, where):
    huge = hostile.MULTISTREAM + hostile.varint(1 << 30) + b"x" * 100_000
    net = mesh(3)
    async with net.node(0) as a:
        address = f"{net.address(0)}/p2p/{a.peer_id}"
        if where == "before noise":
            async with await trio.open_tcp_stream("127.0.0.1", net.ports[0]) as stream:
                await stream.send_all(huge)
                await hostile.read_to_the_end(stream, limits.HANDSHAKE_S - 1)
        elif where == "before the muxer":
            async with hostile.secured(bytes([3]) * 32, address) as connection:
                assert await hostile.sends_until_closed(connection, [huge], 3)
        else:
            async with hostile.peer(bytes([3]) * 32) as host:
                connection = await hostile.connect(host, address)
                stream = await connection.muxed_conn.open_stream()
                await stream.write(huge)
                await hostile.read_to_the_end(stream, limits.NEGOTIATION_S - 2)


async def test_idle_sockets_make_room_for_a_member(mesh, monkeypatch):
    monkeypatch.setattr(limits, "HANDSHAKES_MAX", 50)
    net = mesh(2)
    async with net.node(0):
        idle = [await trio.open_tcp_stream("127.0.0.1", net.ports[0]) for _ in range(400)]
        with trio.fail_after(limits.HANDSHAKE_S - 1):
            async with net.node(1):
                await net.linked(0, 1)
                for stream in idle[:300]:
                    await hostile.read_to_the_end(stream, 2)
        for stream in idle:
            await stream.aclose()


async def test_a_member_has_few_connections(mesh):
    net = mesh(3)
    async with net.node(0) as a:
        address = f"{net.address(0)}/p2p/{a.peer_id}"
        async with trio.open_nursery() as nursery:
            up = []

            async def hold():
                async with hostile.framed(bytes([3]) * 32, address) as connection:
                    up.append(connection)
                    await trio.sleep_forever()

            for _ in range(limits.CONNECTIONS_PER_PEER_MAX):
                nursery.start_soon(hold)
            await net.until(lambda: len(up) == limits.CONNECTIONS_PER_PEER_MAX)
            async with hostile.secured(bytes([3]) * 32, address) as connection:
                assert await hostile.sends_until_closed(connection, [], 3)
            nursery.cancel_scope.cancel()


async def test_a_peer_has_one_consensus_stream_whatever_it_opens(mesh):
    net = mesh(3)
    hello = b"\0\0\0\x16\x01test-0123456789abcdef"
    async with net.node(0) as a:
        address = f"{net.address(0)}/p2p/{a.peer_id}"
        async with hostile.peer(bytes([3]) * 32) as host:
            await hostile.connect(host, address)
            streams = []
            for turn in range(8):
                stream = await host.new_stream(hostile.id_of(address), ["/kilochain/consensus/1"])
                await stream.write(hello + b"\0\0\0\x02\x02" + bytes([turn]))
                streams.append(stream)
                await net.until(lambda turn=turn: len(net.recorders[0].frames) == turn + 1)
            for stream in streams[:-1]:
                await hostile.read_to_the_end(stream, 5)


async def test_reconnecting_leaves_no_task_behind(mesh):
    net = mesh(12)
    async with net.node(0) as a:
        address = f"{net.address(0)}/p2p/{a.peer_id}"
        before = trio.lowlevel.current_statistics().tasks_living
        for turn in range(100):
            async with hostile.framed(bytes([3 + turn % 9]) * 32, address) as connection:
                await connection.write(header(PING, SYN, 0, 7))
        await net.until(lambda: trio.lowlevel.current_statistics().tasks_living <= before + 12)


async def test_a_peer_that_serves_no_requests_keeps_its_connection(mesh):
    net = mesh(2)
    async with net.node(0) as a, net.node(1) as b:
        await net.linked(0, 1)
        b._gossip._pubsub.host.remove_stream_handler("/kilochain/request/1")
        with pytest.raises(RequestFailed, match="broke off"):
            await a.request(b.peer_id, "block", b"", timeout_s=5)
        assert a.connected() == (b.peer_id,)
        a.send_frame(b.peer_id, b"still here")
        await net.until(lambda: (a.peer_id, b"still here") in net.recorders[1].frames)
        assert not net.recorders[0].down


async def test_requests_that_are_turned_away_keep_nobody_else_out(mesh):
    """A peer that asks for far more than it may have is alone with the word busy."""
    net = mesh(3)
    waiting = trio.Event()
    answer = net.recorders[0].on_request

    async def slow(peer, kind, payload):
        if peer == net.ids[2]:
            await waiting.wait()
        return await answer(peer, kind, payload)

    net.recorders[0].on_request = slow
    async with net.node(0) as a, net.node(1) as b, net.node(2) as greedy:
        await net.linked(0, 1, 2)
        refused = []

        async def ask():
            try:
                await greedy.request(a.peer_id, "block", b"x", timeout_s=20)
            except RequestFailed as error:
                refused.append(str(error))

        async with trio.open_nursery() as nursery:
            for _ in range(limits.REQUESTS_SERVED_MAX + 8):
                nursery.start_soon(ask)
            allowed = limits.REQUESTS_SERVED_PER_PEER_MAX
            await net.until(lambda: len(refused) == limits.REQUESTS_SERVED_MAX + 8 - allowed)
            assert await b.request(a.peer_id, "block", b"y", timeout_s=10) == b"y" * 1024
            waiting.set()
        assert all("busy" in each for each in refused)
