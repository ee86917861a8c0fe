"""Nodes that catch up from three liars and one honest peer, over real sockets."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
import trio
from whole_network import SEEDS, Net, wait_until

from consensus.limits import CHAIN_AGAIN_MS
from consensus.messages import ACTIVE, Status
from consensus.wire import encode_status
from ledger.chain import Chain
from ledger.genesis import parse_genesis
from ledger.leveldb_store import LevelDBStore
from node.config import load_config
from node.keys import load_key
from node.network import Network, NetworkConfig
from node.node import Identity, Node, open_node
from node.testnet import control
from node.verification import Verifier

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BLOCKS = 12
FAR = 10**6
LIES = (
    "inflated height",
    "shrinking height",
    "wrong block",
    "wrong certificate",
    "wrong size",
    "no answer",
)


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    """Four validators and one observer for each lie."""
    folder = tmp_path / "net"
    try:
        control.up(folder, SEEDS / "consortium", 4, len(LIES))
        yield Net(folder)
    finally:
        if (folder / "testnet.json").exists():
            control.down(folder)


class Liar:
    """A validator's identity that claims a high head and tells each observer one lie."""

    def __init__(self, net: Net, name: str, lies: dict[str, str], blocks: list[list[bytes]]):
        self._lies, self._blocks = lies, blocks
        self._chain_id = net.layout.chain_id
        self._heads = itertools.cycle([FAR, 1])
        self._turns = itertools.count()
        self.asked: dict[str, list[float]] = defaultdict(list)
        entry = net.layout.node(name)
        seed = load_key(Path(entry.home) / "keys" / "node.key").seed
        listen = entry.p2p.partition("/p2p/")[0]
        config = NetworkConfig(seed, listen, self._chain_id)
        self.network = Network(config, lambda _: name, self)

    async def claim(self) -> None:
        """STATUS each half second, as a heartbeat."""
        while True:
            shrinking = next(self._heads)
            for peer in self.network.connected():
                head = shrinking if self._lies.get(peer) == "shrinking height" else FAR
                status = encode_status(self._chain_id, Status(0, 0, ACTIVE, head))
                self.network.send_frame(peer, status)
            await trio.sleep(0.5)

    async def on_request(self, peer: str, kind: str, _payload: bytes) -> bytes:
        self.asked[peer].append(trio.current_time())
        blocks = self._blocks
        match self._lies.get(peer, "no answer"):
            case "inflated height":
                return msgpack.packb([])
            case "shrinking height":  # and blocks that nobody asked for
                return msgpack.packb(blocks[3:])
            case "wrong block":
                other = [blocks[1][0], blocks[0][1]]
                return msgpack.packb([other, *blocks[1:]])
            case "wrong certificate":
                return msgpack.packb([[blocks[0][0], blocks[1][1]]])
            case "wrong size":
                whole = msgpack.packb(blocks)
                odd = [whole[: len(whole) // 2], b"\0" * (12 << 20), msgpack.packb(blocks * 30)]
                return odd[next(self._turns) % len(odd)]
        await trio.sleep_forever()
        raise AssertionError

    def on_frame(self, peer: str, data: bytes) -> None:
        """Nothing that is said matters."""

    async def on_block(self, peer: str, data: bytes) -> None:
        """Nor what is sent."""

    async def on_chunk(self, peer: str, data: bytes) -> bool:
        return False

    def on_peer_up(self, peer: str) -> None:
        """The claims come by themselves."""

    def on_peer_down(self, peer: str) -> None:
        """The links do too."""


def open_observer(net: Net, name: str) -> Node:
    config = load_config(Path(net.layout.node(name).home))
    return open_node(config, Identity(load_key(config.node_key_path), None))


def blocks_of(net: Net, name: str) -> list[list[bytes]]:
    """The chain of a validator that is down: bodies and certificates from height 1 on."""
    home = Path(net.layout.node(name).home)
    store = LevelDBStore(home / "data" / "chain", create=False)
    verifier = Verifier()
    try:
        genesis = parse_genesis((home / "genesis.json").read_bytes())
        chain = Chain.open(store, genesis, verifier.check)
        heights = range(1, chain.head.height + 1)
        stored = [chain.stored_block(height) for height in heights]
        return [[each.data, each.certificate] for each in stored if each is not None]
    finally:
        verifier.close()
        store.close()


async def catch_up(net: Net, blocks: list[list[bytes]]) -> None:
    observers = [entry for entry in net.layout.nodes if not entry.validator]
    lies = {entry.peer_id: lie for entry, lie in zip(observers, LIES, strict=True)}
    liars = [Liar(net, name, lies, blocks) for name in ("v1", "v2", "v3")]
    nodes = {entry.peer_id: open_observer(net, entry.name) for entry in observers}
    async with trio.open_nursery() as nursery:
        for liar in liars:
            await nursery.start(liar.network.run)
            nursery.start_soon(liar.claim)
        for node in nodes.values():
            await nursery.start(node.run)

        def lied_to(peer: str) -> int:
            return sum(bool(liar.asked[peer]) for liar in liars)

        await until(lambda: all(lied_to(peer) >= 2 for peer in nodes), "liars were asked")
        assert all(node.chain.head.height == 0 for node in nodes.values())
        control.resume(net.folder, "v0")
        began = trio.current_time()
        for peer, node in nodes.items():
            await until(lambda node=node: node.chain.head.height == len(blocks), lies[peer])
        print(f"{trio.current_time() - began:.1f} s until all have caught up from v0")
        nursery.cancel_scope.cancel()
    for liar, peer in itertools.product(liars, nodes):
        times = liar.asked[peer]
        for earlier, later in itertools.pairwise(times):
            assert later - earlier > CHAIN_AGAIN_MS / 1000 - 0.5, f"{lies[peer]} was asked at once"


async def until(predicate, what: str) -> None:
    with trio.move_on_after(60):
        while not predicate():  # noqa: ASYNC110 - the predicate looks at plain state
            await trio.sleep(0.05)
        return
    pytest.fail(f"after 60 s still not: {what}")


def test_one_honest_peer_among_three_liars_is_enough_whatever_the_lie(net: Net) -> None:
    for _ in range(BLOCKS):
        net.commit("v0")
    net.wait_agreement(net.validators)
    height = net.chain("v0")["height"]
    for name in ("v1", "v2", "v3"):
        control.kill(net.folder, name)
    wait_until(lambda: net.chain("v0")["peers"] == 0, "v0 is alone")
    control.pause(net.folder, "v0")
    blocks = blocks_of(net, "v1")
    assert len(blocks) == height >= BLOCKS
    trio.run(catch_up, net, blocks)
