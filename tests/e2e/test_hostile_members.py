"""Members and strangers attack one validator of a real network, which goes on committing.

Each attack has the key of a peer that the genesis names, speaks the library's own libp2p, and
breaks what our side allows. Meanwhile the other validators' clients see their batches committed.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trio
from whole_network import SEEDS, Load, Net, wait_until

from node.keys import load_key
from node.testnet import control

sys.path.insert(0, str(Path(__file__).parents[1] / "node" / "network"))
import hostile
from hostile import ACK, DATA, PING, RST, SYN, WINDOW_UPDATE, header

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MIB = 1 << 20
GROWTH_MIB = 96  # of the node attacked, at any moment of one attack
REQUEST = b"/kilochain/request/1"
Attack = Callable[[str, bytes], Awaitable[None]]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """Four validators and sixteen peers whose keys the attacks have."""
    folder = tmp_path_factory.mktemp("hostile") / "net"
    try:
        control.up(folder, SEEDS / "consortium", 4, 16)
        yield Net(folder)
    finally:
        if (folder / "testnet.json").exists():
            control.down(folder)


@pytest.fixture(scope="module")
def keys(net: Net) -> Iterator[bytes]:
    """The seeds of peers that have not misbehaved yet."""
    entries = [entry for entry in net.layout.nodes if not entry.validator]
    return (load_key(Path(entry.home) / "keys" / "node.key").seed for entry in entries)


def process(net: Net) -> Path:
    return Path("/proc") / str(net.layout.node("v0").pid)


def resident(net: Net) -> int:
    return int((process(net) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Watch(threading.Thread):
    """The most memory that v0 held."""

    def __init__(self, net: Net) -> None:
        super().__init__(daemon=True)
        self._net, self._halt = net, threading.Event()
        self.most = 0

    def run(self) -> None:
        while not self._halt.wait(0.02):
            with suppress(OSError):
                self.most = max(self.most, resident(self._net))

    def end(self) -> int:
        self._halt.set()
        self.join()
        return self.most


@contextmanager
def attacked(net: Net, growth_mib: int = GROWTH_MIB) -> Iterator[None]:
    """Around an attack on v0: commits go on during and after, and its memory stays bounded."""
    net.commit("v0")
    before, watch = resident(net), Watch(net)
    watch.start()
    with Load(net, ["v1", "v2"], rate=20) as load:
        began = time.monotonic()
        yield
        seconds, during = time.monotonic() - began, len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > during, "commits go on")
    grown = (watch.end() - before) / MIB
    net.commit("v0")
    wait_until(lambda: net.chain("v0")["peers"] >= 3, "v0 has its links")
    net.wait_agreement(net.validators)
    print(f"{during} commits in {seconds:.1f} s of attack; v0 grew by {grown:.0f} MiB at most")
    assert grown < growth_mib
    assert during > 0 or seconds < 2


def strike(net: Net, attack: Attack, seeds: list[bytes]) -> None:
    """Run the attack with each of these keys at once, against v0."""

    async def main() -> None:
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for seed in seeds:
                    nursery.start_soon(attack, net.layout.node("v0").p2p, seed)

    trio.run(main)


async def flood(address: str, seed: bytes, pieces: Callable[[], Iterator[bytes]]) -> None:
    """Connect and write, again after each end, until refused."""
    for _ in range(20):
        try:
            async with hostile.framed(seed, address) as connection:
                assert await hostile.sends_until_closed(connection, pieces(), 15)
        except AssertionError:
            raise
        except Exception:
            return
    raise AssertionError("never refused")


def opened(stream: int, protocol: bytes = REQUEST) -> bytes:
    hello = hostile.MULTISTREAM + hostile.delimited(protocol)
    return header(WINDOW_UPDATE, SYN, stream, 0) + header(DATA, 0, stream, len(hello)) + hello


def test_a_flood_beyond_the_window_ends_the_connection_and_then_is_refused(net, keys) -> None:
    frame = header(DATA, 0, 1, 65536) + b"\0" * 65536

    async def attack(address: str, seed: bytes) -> None:
        await flood(address, seed, lambda: itertools.chain([opened(1)], itertools.repeat(frame)))
        assert not await hostile.is_served(seed, address)

    with attacked(net):
        strike(net, attack, [next(keys), next(keys)])


def test_a_flood_of_streams_ends_the_connection_and_then_is_refused(net, keys) -> None:
    async def attack(address: str, seed: bytes) -> None:
        await flood(
            address,
            seed,
            lambda: (header(WINDOW_UPDATE, SYN, n, 0) for n in itertools.count(1, 2)),
        )
        assert not await hostile.is_served(seed, address)

    with attacked(net):
        strike(net, attack, [next(keys), next(keys)])


def test_floods_of_pings_and_of_short_streams_are_slowed_down(net, keys) -> None:
    """Neither breaks a limit on memory: both wait in their sockets, and others do not."""

    async def attack(address: str, seed: bytes) -> None:
        def pieces() -> Iterator[bytes]:
            for n in itertools.count(1, 2):
                yield header(PING, SYN, 0, n) * 1000
                yield header(WINDOW_UPDATE, SYN, n, 0) + header(WINDOW_UPDATE, RST, n, 0)

        async with hostile.framed(seed, address) as connection:
            await hostile.sends_until_closed(connection, pieces(), 4)

    with attacked(net):
        strike(net, attack, [next(keys)])


def test_streams_that_never_speak_and_names_that_nobody_knows_starve_nobody(net, keys) -> None:
    names = [b"\xff\xfe", b"/unknown/1", b"", b"x" * 2000, b"ls", hostile.MULTISTREAM]

    async def attack(address: str, seed: bytes) -> None:
        async with hostile.framed(seed, address) as connection:
            silent = [header(WINDOW_UPDATE, SYN, n, 0) for n in range(1, 99, 2)]
            named = [opened(101 + 2 * i, name) for i, name in enumerate(names)]
            await hostile.sends_until_closed(connection, silent + named, 3)

    with attacked(net):
        strike(net, attack, [next(keys)])


def test_garbage_below_our_protocols_ends_connections_only(net, keys) -> None:
    chance = random.Random(1)

    async def noise(address: str, seed: bytes) -> None:
        async with hostile.secured(seed, address) as connection:
            raw = connection.conn.read_writer.read_write_closer
            await raw.write(b"\x20\x00" + chance.randbytes(0x2000))
            await hostile.read_to_the_end(raw, 10)

    async def muxer(address: str, seed: bytes) -> None:
        for length in (b"\x13", b"\x00", b"\xff\xff\x7f", b"\xff" * 12):
            async with hostile.secured(seed, address) as connection:
                garbage = length + chance.randbytes(500)
                assert await hostile.sends_until_closed(connection, [garbage], 10)

    async def frames(address: str, seed: bytes) -> None:
        await flood(address, seed, lambda: iter([chance.randbytes(12 * 50), header(9, ACK, 0, 0)]))

    async def all_three(address: str, seed: bytes) -> None:
        for attack in (noise, muxer, frames):
            await attack(address, seed)

    with attacked(net):
        strike(net, all_three, [next(keys)])


def test_who_asks_for_the_largest_answers_and_never_reads_holds_little(net, keys) -> None:
    chain = net.layout.chain_id.encode()
    names = bytes((len(chain),)) + chain + b"\x05chain" + b"\x01"
    ask = (len(names) + 1).to_bytes(4, "big") + b"\0" + names

    asked: list[int] = []

    async def attack(address: str, seed: bytes) -> None:
        async with hostile.framed(seed, address) as connection:
            with suppress(Exception):  # it may be cut off for not reading
                for n in range(1, 121, 2):
                    await connection.write(opened(n) + header(DATA, 0, n, len(ask)) + ask)
                    asked.append(n)
                await trio.sleep(6)

    async def unread(address: str, seed: bytes) -> None:
        hello = (len(chain) + 1).to_bytes(4, "big") + b"\x01" + chain
        async with hostile.peer(seed, hostile.deaf) as host:
            await hostile.connect(host, address)
            stream = await host.new_stream(hostile.id_of(address), ["/kilochain/consensus/1"])
            await stream.write(hello)
            with suppress(Exception):
                for _ in range(12):
                    await stream.write(b"\0\0\0\x09\x05" + b"\0" * 8)
                    await trio.sleep(0.5)

    async def both(address: str, seed: bytes) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(attack, address, seed)
            nursery.start_soon(unread, address, seed)

    with attacked(net):
        strike(net, both, [next(keys)])
    assert len(asked) > 20


def test_who_takes_all_that_one_peer_may_take_is_held_to_it(net, keys) -> None:
    chain = net.layout.chain_id.encode()
    names = bytes((len(chain),)) + chain + b"\x05block" + b"\7" * 32
    ask = (len(names) + 1).to_bytes(4, "big") + b"\0" + names
    junk = b"\0" * 50_000
    sent: list[int] = []

    async def hold(address: str, seed: bytes) -> None:
        def pieces() -> Iterator[bytes]:
            for n in range(1, 121, 2):
                data = opened(n) + header(DATA, 0, n, len(ask)) + ask
                yield data + (header(DATA, 0, n, len(junk)) + junk) * 4
                sent.append(4 * len(junk))

        async with hostile.framed(seed, address) as connection:
            await hostile.sends_until_closed(connection, pieces(), 5)

    async def attack(address: str, seed: bytes) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(hold, address, seed)

    with attacked(net, growth_mib=128):
        strike(net, attack, [next(keys)])
    print(f"{sum(sent) / MIB:.0f} MiB were sent and not read")
    assert sum(sent) > 10 * MIB


def test_five_hundred_reconnects_leave_no_descriptor_and_no_memory(net, keys) -> None:
    seeds = [next(keys) for _ in range(5)]
    done = []

    async def attack(address: str, seed: bytes) -> None:
        for _ in range(100):
            # The library lets one peer in ten times a second.
            for _ in range(50):
                if await hostile.is_served(seed, address):
                    done.append(seed)
                    break
                await trio.sleep(0.1)

    descriptors = process(net) / "fd"
    before = len(list(descriptors.iterdir()))
    with attacked(net):
        strike(net, attack, seeds)
    assert len(done) == 500
    wait_until(lambda: len(list(descriptors.iterdir())) <= before + 8, "descriptors are closed")


def test_strangers_with_good_keys_idle_sockets_and_garbage_keep_nobody_out(net, keys) -> None:
    chance = random.Random(2)
    host, port = "127.0.0.1", int(net.layout.node("v0").p2p.split("/")[4])

    async def stranger(address: str) -> None:
        for _ in range(10):
            assert not await hostile.is_served(chance.randbytes(32), address)

    async def attack(address: str, member: bytes) -> None:
        idle = [await trio.open_tcp_stream(host, port) for _ in range(400)]
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(stranger, address)
            for _ in range(100):
                async with await trio.open_tcp_stream(host, port) as stream:
                    with suppress(trio.BrokenResourceError):
                        await stream.send_all(chance.randbytes(300))
            assert await hostile.is_served(member, address)
        for each in idle:
            await each.aclose()

    with attacked(net):
        strike(net, attack, [next(keys)])


def test_a_frozen_validator_costs_the_others_little_memory(net: Net) -> None:
    net.commit("v0")
    before = resident(net)
    with Load(net, ["v0", "v1"], rate=50) as load:
        control.pause(net.folder, "v3")
        try:
            took = wait_until(lambda: len(load.acknowledged) > 40, "commits without v3")
        finally:
            control.resume(net.folder, "v3")
    assert (resident(net) - before) / MIB < GROWTH_MIB
    wait_until(lambda: net.agree(net.validators), "v3 catches up")
    print(f"{took:.1f} s for 40 commits; v0 holds {(resident(net) - before) / MIB:.0f} MiB more")
