"""Real nodes on loopback for the network's tests."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from node.network import Network, NetworkConfig, RequestRefused
from node.network.host import peer_id_of

CHAIN = "test-0123456789abcdef"


def seed_of(number: int) -> bytes:
    return bytes([number + 1]) * 32


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Recorder:
    """Handlers that note what came in; "boom" makes them fail."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self.blocks: list[tuple[str, bytes]] = []
        self.chunks: list[tuple[str, bytes]] = []
        self.up: list[str] = []
        self.down: list[str] = []

    def on_frame(self, peer: str, data: bytes) -> None:
        if data == b"boom":
            raise RuntimeError("boom")
        self.frames.append((peer, data))

    async def on_block(self, peer: str, data: bytes) -> None:
        self.blocks.append((peer, data))

    async def on_request(self, peer: str, kind: str, payload: bytes) -> bytes:
        if kind == "boom":
            raise RuntimeError("boom")
        if kind != "block":
            raise RequestRefused(f"no kind {kind}")
        return payload * 1024

    async def on_chunk(self, peer: str, data: bytes) -> bool:
        if data == b"boom":
            raise RuntimeError("boom")
        await trio.sleep(0.01)
        self.chunks.append((peer, data))
        return not data.startswith(b"bad")

    def on_peer_up(self, peer: str) -> None:
        self.up.append(peer)

    def on_peer_down(self, peer: str) -> None:
        self.down.append(peer)


class Mesh:
    """Nodes 0..n-1 that all know each other."""

    def __init__(self, count: int) -> None:
        self.ports = [free_port() for _ in range(count)]
        self.ids = [peer_id_of(seed_of(i)) for i in range(count)]
        self.members = {peer: f"m{i}" for i, peer in enumerate(self.ids)}
        self.recorders = [Recorder() for _ in range(count)]
        self.nodes: dict[int, Network] = {}

    def address(self, i: int) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.ports[i]}"

    def build(self, i: int, chain: str = CHAIN) -> Network:
        bootstrap = tuple(
            f"{self.address(j)}/p2p/{peer}" for j, peer in enumerate(self.ids) if j != i
        )
        config = NetworkConfig(seed_of(i), self.address(i), chain, bootstrap, len(self.ids))
        return Network(config, self.members.get, self.recorders[i])

    @asynccontextmanager
    async def node(self, i: int, chain: str = CHAIN) -> AsyncIterator[Network]:
        self.nodes[i] = self.build(i, chain)
        async with trio.open_nursery() as nursery:
            await nursery.start(lambda task_status: self.nodes[i].run(task_status=task_status))
            yield self.nodes[i]
            nursery.cancel_scope.cancel()

    @staticmethod
    async def until(predicate: Callable[[], bool]) -> None:
        await until(predicate)

    async def linked(self, *numbers: int) -> None:
        def all_up() -> bool:
            return all(
                {self.ids[j] for j in numbers if j != i} <= set(self.nodes[i].connected())
                for i in numbers
            )

        await until(all_up)


async def until(predicate: Callable[[], bool], seconds: float = 30.0) -> None:
    with trio.fail_after(seconds):
        while not predicate():  # noqa: ASYNC110 - the predicate looks at plain state
            await trio.sleep(0.02)


@pytest.fixture
def mesh() -> Callable[[int], Mesh]:
    return Mesh
