"""A replica for one validator, just able to fill a chain: it drives the harness in its own tests.

It decides nothing about agreement. Faults can be planted in it, to see that a checker finds them.
"""

from __future__ import annotations

import msgpack

from consensus.interface import (
    ApplyBlock,
    Block,
    BlockApplied,
    BlockBuilt,
    BuildBlock,
    ChainReceived,
    Environment,
    Event,
    FetchChain,
    Heartbeat,
    Now,
    Output,
    PoolChanged,
    ReplicaStatus,
    SendToAll,
    Start,
)
from consensus.sizes import Size


def vote(chain_id: str, kind: str, height: int, digest: bytes) -> bytes:
    """The bytes that a vote signs."""
    fields = {"v": 1, "chain_id": chain_id, "kind": kind, "view": 0}
    return b"kilochain/vote/1\x00" + msgpack.packb({**fields, "height": height, "digest": digest})


class Alone:
    """Validator 0 commits by itself; everybody else copies its chain."""

    persists = True
    certifies = True
    stalls = False
    records_max = 1_000

    def __init__(self, start: Start, environment: Environment) -> None:
        self._start, self._environment = start, environment
        self._height, self._head = start.head.height, start.head.digest
        self._votes = start.key == start.validators[0].key
        self._records: list[bytes] = list(start.journal)
        self._busy = False
        self._pending = 0

    def resume(self, now: Now) -> Output:
        return Output()

    def durable_records(self) -> tuple[bytes, ...]:
        return tuple(self._records[-1:])

    def body(self, digest: bytes) -> Block | None:
        return None

    def sizes(self) -> tuple[Size, ...]:
        return (Size("records", len(self._records), self.records_max),)

    def status(self, now: Now) -> ReplicaStatus:
        index = 0 if self._votes else None
        return ReplicaStatus(
            1, 0, "active", self._height, self._head, 0, index, 1, 0, 1, None, (), (), (), None,
            False, (),
        )  # fmt: skip

    def step(self, event: Event, now: Now) -> Output:
        match event:
            case PoolChanged(pending, _):
                self._pending = pending
            case BlockBuilt(_, block):
                return self._commit(block)
            case BlockApplied(digest, height):
                self._height, self._head, self._busy = height, digest, False
                return Output()
            case ChainReceived(_, blocks) if blocks and not self._busy:
                block, certificate = blocks[0].block, blocks[0].certificate
                if block.height == self._height + 1:
                    self._busy = True
                    return Output(work=(ApplyBlock(block, certificate),))
            case Heartbeat() if not self._votes:
                peer = self._start.validators[0].peer
                return Output(work=(FetchChain(peer, self._height + 1),))
            case _:
                pass
        return self._build()

    def _build(self) -> Output:
        if not self._votes or self._busy or not self._pending or self.stalls:
            return Output()
        self._busy = True
        return Output(work=(BuildBlock(self._head, self._height + 1, 0),))

    def _commit(self, block: Block | None) -> Output:
        if block is None:
            self._busy = False
            return Output()
        message = vote(self._start.chain_id, "commit", block.height, block.digest)
        frame = msgpack.packb([self._environment.sign(message)])
        self._records.append(frame)
        certificate = frame if self.certifies else b""
        return Output(
            persist=(frame,) if self.persists else (),
            send=(SendToAll(frame),),
            work=(ApplyBlock(block, certificate),),
        )


class SendsUnpersisted(Alone):
    """Planted: a vote leaves without a journal record."""

    persists = False


class CertifiesNothing(Alone):
    """Planted: blocks are applied with an empty certificate."""

    certifies = False


class KeepsTooMuch(Alone):
    """Planted: more records than this replica says that it may hold."""

    records_max = 1


class Stalls(Alone):
    """Planted: nothing is ever proposed."""

    stalls = True
