"""Twelve thousand messages that are wrong somewhere, sent to a real node over real sockets.

They begin as right ones of each kind and are spoilt in their structure or in their bytes. The
limit on faults is lifted, so that the sender is not refused after the first ten.
"""

from __future__ import annotations

import gc
import logging
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import structlog
import trio
from attacked_node import Attacked, attacked_node
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.validators import PUBSUB_SIGNING_PREFIX

from consensus.messages import ACTIVE, Status, Vote
from consensus.wire import encode_status, encode_vote
from node.dissemination import encode_chunk
from node.memory import resident_bytes
from node.network import limits

sys.path.insert(0, str(Path(__file__).parent / "network"))
import hostile

pytestmark = [pytest.mark.slow, pytest.mark.trio]

MIB = 1 << 20
FRAMES, REQUESTS, GOSSIP, ROUNDS = 8_000, 3_000, 1_500, 4
ODD: list[Any] = [None, True, -1, 2**63, 2**64 - 1, 1.5, "", "x" * 300, b"", b"x" * 31, [], {}]
HELLO, FRAME, BODY, CHUNK = 1, 2, 3, 4


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No limit on faults, and no lines about each of them."""
    monkeypatch.setattr(limits, "FAULTS_MAX", 10**6)
    logger = logging.getLogger("kilochain.network")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    logger.setLevel(level)


def spoilt(chance: random.Random, data: bytes) -> bytes:
    """The message with one thing wrong, in its structure or in its bytes."""
    how = chance.randrange(6)
    if how == 0:
        return data[: chance.randrange(len(data))]
    if how == 1:
        return data + chance.randbytes(chance.randrange(1, 9))
    if how == 2:
        at = chance.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    if how == 3:
        return b"\x91" * chance.randrange(1, 2000) + b"\xc0"
    return bytes(msgpack.packb(_mutant(chance, msgpack.unpackb(data, strict_map_key=False))))


def _mutant(chance: random.Random, value: Any) -> Any:
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        if chance.random() < 0.15:
            return value[:at] + value[at + 1 :]
        if chance.random() < 0.15:
            return [*value, value[at]]
        return [*value[:at], _mutant(chance, value[at]), *value[at + 1 :]]
    return chance.choice(ODD)


def frames(attacked: Attacked) -> list[tuple[int, bytes]]:
    """One right message of each kind that goes in frames."""
    chain, node = attacked.layout.chain_id, attacked.node
    stored = node.chain.stored_block(1)
    assert stored is not None
    header, certificate = msgpack.unpackb(stored.data)[0], stored.certificate
    key, digest = node.chain.validators[0].key, b"\7" * 32
    votes = [
        encode_vote(chain, Vote(kind, 0, 2, digest, key, b"\1" * 64, attached))
        for kind, attached in (("pre-prepare", b""), ("prepare", b"\2" * 64), ("commit", b""))
    ]
    block = node.driver.replica.status
    assert block is not None
    proof = msgpack.packb(["proof", chain, header, certificate])
    names = {"chain_id": chain, "epoch": 0, "kind": "view-change", "v": 1, "view": 1}
    change = {"certificate": certificate, "digest": digest, "head": 1, "header": header}
    payload = msgpack.packb(dict(sorted({**names, **change, "prepared": None}.items())))
    view_change = msgpack.packb(["view-change", chain, payload, key, b"\3" * 64])
    new = {"base": 1, "proposal": b"", "required": None, "view_changes": [view_change]}
    payload = msgpack.packb(dict(sorted({**names, **new, "kind": "new-view"}.items())))
    new_view = msgpack.packb(["new-view", chain, payload, key, b"\3" * 64])
    status = encode_status(chain, Status(0, 0, ACTIVE, 1))
    consensus = [*votes, proof, view_change, new_view, status]
    chunk = encode_chunk([attacked.transaction()])
    return [*((FRAME, each) for each in consensus), (BODY, stored.data), (CHUNK, chunk)]


def framed(kind: int, payload: bytes) -> bytes:
    return (len(payload) + 1).to_bytes(4, "big") + bytes([kind]) + payload


class Line:
    """A consensus stream that pings, as a peer has to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._turn = trio.Lock()

    async def write(self, data: bytes) -> None:
        async with self._turn:
            await self._stream.write(data)

    async def ping(self) -> None:
        while True:
            await self.write(framed(5, b"\0" * 8))
            await trio.sleep(1)


async def send_frames(attacked: Attacked, line: Line, chance: random.Random, count: int) -> None:
    kinds = frames(attacked)
    for _ in range(count // 100):
        chosen = [chance.choice(kinds) for _ in range(100)]
        await line.write(b"".join(framed(kind, spoilt(chance, data)) for kind, data in chosen))


async def send_requests(attacked: Attacked, host: Any, chance: random.Random, count: int) -> None:
    chain = attacked.layout.chain_id.encode()
    for turn in range(count):
        kind, question = chance.choice([(b"chain", b"\x01"), (b"block", b"\7" * 32)])
        names = b"".join(bytes((len(each),)) + each for each in (chain, kind))
        request = framed(0, names + question)
        if turn % 2:
            request = framed(0, names + spoilt(chance, b"\x92\x01\xc4\x01x"))
        else:
            at = chance.randrange(4, len(request))
            request = request[:at] + chance.randbytes(1) + request[at + 1 :]
        stream = await host.new_stream(hostile.id_of(attacked.address), ["/kilochain/request/1"])
        await stream.write(request)
        await stream.reset()


async def send_gossip(attacked: Attacked, host: Any, chance: random.Random, count: int) -> None:
    topic = f"/kilochain/{attacked.layout.chain_id}/transactions/1"
    keys = create_new_key_pair(attacked.seeds[0])
    chunk = encode_chunk([attacked.transaction()])
    for turn in range(count):
        message = rpc_pb2.Message(
            data=spoilt(chance, chunk),
            topicIDs=[topic],
            from_id=host.get_id().to_bytes(),
            seqno=chance.randbytes(8),
        )
        text = PUBSUB_SIGNING_PREFIX.encode() + message.SerializeToString()
        message.signature = keys.private_key.sign(text)
        rpc = rpc_pb2.RPC(publish=[message])
        rpc.control.ihave.add(topicID=topic, messageIDs=[chance.randbytes(46)])
        data = rpc.SerializeToString()
        if turn % 10 == 0:
            stream = await host.new_stream(hostile.id_of(attacked.address), ["/meshsub/1.1.0"])
        if turn % 10 == 9:
            data = spoilt(chance, b"\x91\xc0") + data[chance.randrange(len(data)) :]
        await stream.write(hostile.varint(len(data)) + data)


async def test_malformed_messages_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    held = []
    async with attacked_node(tmp_path) as attacked, hostile.peer(attacked.seeds[0]) as host:
        await attacked.commits()
        await hostile.connect(host, attacked.address)
        peer = hostile.id_of(attacked.address)
        line = Line(await host.new_stream(peer, ["/kilochain/consensus/1"]))
        await line.write(framed(HELLO, attacked.layout.chain_id.encode()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(line.ping)
            for _ in range(ROUNDS):
                await send_frames(attacked, line, chance, FRAMES // ROUNDS)
                await send_requests(attacked, host, chance, REQUESTS // ROUNDS)
                await send_gossip(attacked, host, chance, GOSSIP // ROUNDS)
                await attacked.commits()
                gc.collect()
                held.append(resident_bytes())
            nursery.cancel_scope.cancel()
        counters = attacked.node.network.counters
        violations = attacked.node.metrics.violations._value.get()
    print(f"{violations:.0f} violations, {counters}")
    print("MiB after each round:", [each // MIB for each in held])
    assert counters.frames_in >= FRAMES
    assert counters.requests_in >= REQUESTS * 0.99
    assert counters.chunks_in >= GOSSIP * 0.5
    assert violations > FRAMES / 3
    assert max(held) < held[0] * 1.1
