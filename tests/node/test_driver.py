"""The driver's one order: persist, fsync, send, then work; and what ends it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from consensus.errors import InvariantBroken, ProtocolViolation
from consensus.interface import (
    ApplyBlock,
    Block,
    Event,
    FrameReceived,
    Header,
    Now,
    Output,
    PeerConnected,
    Send,
    SendToAll,
    ShareOldest,
)
from node import journal as journal_module
from node.driver import Driver, StorageFailed
from node.journal import Journal
from node.metrics import Metrics

PROMISE = b"a promise that must be durable"
HEADER = Header(bytes(32), 1, bytes(32), 0, 0, 1, bytes(32), bytes(32), b"")
STEP = Output(
    persist=(PROMISE,),
    send=(Send(("peer-a",), b"vote"), SendToAll(b"status")),
    work=(ApplyBlock(Block(HEADER, b""), b""), ShareOldest()),
)


@dataclass
class Scripted:
    """A replica that answers each event as the script says; the driver is what is tested."""

    answer: Callable[[Event], Output]

    def resume(self, now: Now) -> Output:
        return Output()

    def step(self, event: Event, now: Now) -> Output:
        return self.answer(event)


@dataclass
class World:
    """The wire and the worker: they write down what reaches them, and when."""

    path: Path
    log: list[str] = field(default_factory=list)
    accused: list[tuple[str, str]] = field(default_factory=list)

    def send_frame(self, peer: str, data: bytes) -> bool:
        assert PROMISE in self.path.read_bytes()
        self.log.append(f"send {data.decode()} to {peer}")
        return True

    def send_block(self, peer: str, data: bytes) -> bool:
        return True

    def connected(self) -> tuple[str, ...]:
        return ("peer-a", "peer-o")

    def accuse(self, peer: str, reason: str) -> None:
        self.accused.append((peer, reason))

    async def ledger_job(self, work: object) -> None:
        self.log.append(type(work).__name__)

    async def side_job(self, work: object) -> None:
        self.log.append(type(work).__name__)


def only_peers(event: Event, output: Output) -> Output:
    """The heartbeat comes by itself; the script is about the event that the test sends."""
    return output if isinstance(event, PeerConnected | FrameReceived) else Output()


async def drive(answer: Callable[[Event], Output], event: Event, world: World, **given: Any) -> Any:
    """Run a driver over a real journal until what it is about to do is done."""
    journal = given.get("journal") or Journal.create(world.path)
    metrics = Metrics()
    driver = Driver(Scripted(answer), journal, world, world, metrics)  # type: ignore[arg-type]
    with trio.move_on_after(0.3):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.run)
            driver.offer(event)
    return metrics


@pytest.mark.trio
async def test_a_promise_is_on_disk_before_anything_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "votes")
    journal = Journal.create(world.path)
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        world.log.append("fsync")

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(journal_module.os, name, fsync)
    await drive(lambda e: only_peers(e, STEP), PeerConnected("peer-a"), world, journal=journal)
    sends = ["send vote to peer-a", "send status to peer-a", "send status to peer-o"]
    assert world.log[:4] == ["fsync", *sends]
    assert sorted(world.log[4:]) == ["ApplyBlock", "ShareOldest"]


@pytest.mark.trio
async def test_a_disk_that_refuses_ends_the_driver_before_anything_leaves(tmp_path: Path) -> None:
    world = World(tmp_path / "votes")
    Journal.create(world.path).close()
    read_only = Journal(world.path, os.open(world.path, os.O_RDONLY), 0, [])
    with pytest.RaisesGroup(
        pytest.RaisesExc(StorageFailed, match="journal"), flatten_subgroups=True
    ):
        await drive(
            lambda e: only_peers(e, STEP), PeerConnected("peer-a"), world, journal=read_only
        )
    assert world.log == []


@pytest.mark.trio
async def test_a_peers_fault_is_counted_and_the_driver_goes_on(tmp_path: Path) -> None:
    def answer(event: Event) -> Output:
        if isinstance(event, FrameReceived):
            raise ProtocolViolation("a vote of nobody")
        return Output()

    world = World(tmp_path / "votes")
    metrics = await drive(answer, FrameReceived("peer-a", b"?"), world)
    assert world.accused == [("peer-a", "a vote of nobody")]
    assert metrics.registry.get_sample_value("kilochain_protocol_violations_total") == 1


@pytest.mark.trio
async def test_our_own_fault_ends_the_driver(tmp_path: Path) -> None:
    def answer(event: Event) -> Output:
        raise InvariantBroken("two blocks at one height")

    world = World(tmp_path / "votes")
    with pytest.RaisesGroup(InvariantBroken, flatten_subgroups=True):
        await drive(answer, PeerConnected("peer-a"), world)
    assert world.log == []
