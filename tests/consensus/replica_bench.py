"""One replica on a bench: events in, outputs out, with real signatures and no network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from consensus import Replica
from consensus.interface import (
    ApplyBlock,
    Block,
    BlockApplied,
    BlockBuilt,
    BlockExecuted,
    BlockReceived,
    BuildBlock,
    Event,
    ExecuteBlock,
    FrameReceived,
    Header,
    Now,
    Output,
    PoolChanged,
    Send,
    Start,
    Validator,
)
from consensus.messages import (
    Certificate,
    Message,
    NewView,
    Prepared,
    ViewChange,
    Vote,
)
from consensus.wire import (
    NEW_VIEW,
    NEW_VIEW_DOMAIN,
    VIEW_CHANGE,
    VIEW_CHANGE_DOMAIN,
    decode_frame,
    encode_certificate,
    encode_vote,
    new_view_payload,
    seal,
    view_change_payload,
    vote_bytes,
)
from ledger.codec import decode, encode, signing_bytes
from node.keys import KeyFile, from_seed, verify

CHAIN = "bench-0011223344556677"
SET_HASH = hashlib.sha256(b"the validator set").digest()
WALL_MS = 1_795_000_000_000


def header(height: int, parent: bytes, *, time_ms: int = WALL_MS, proposer: int = 0,
           count: int = 1, note: str = "", validators: bytes = SET_HASH) -> Header:  # fmt: skip
    """A header; `note` tells two blocks at one place apart."""
    return read_header(
        encode([height, parent, time_ms, proposer, count, note, validators, validators])
    )


def read_header(data: bytes) -> Header:
    """The bench's own header format; agreement never looks inside. Raises ValueError."""
    value = decode(data, bytes_max=4096)
    if not isinstance(value, list) or len(value) != 8:
        raise ValueError("not a header of the bench")
    height, parent, time_ms, proposer, count, _, now, then = value
    digest = hashlib.sha256(data).digest()
    return Header(digest, height, parent, time_ms, proposer, count, now, then, data)  # type: ignore[arg-type]


GENESIS = header(0, bytes(32), time_ms=WALL_MS - 60_000, count=0)


@dataclass
class Bench:
    """Replica `me` of `n`; the others are played by the test, which has their keys."""

    n: int = 4
    me: int = 1
    observe: str | None = None
    journal: Sequence[bytes] = ()
    head: Header = GENESIS
    certificate: bytes = b""
    now: Now = field(default_factory=lambda: Now(1_000, WALL_MS))
    out: list[Output] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys: list[KeyFile] = [
            from_seed("validator", hashlib.sha256(b"%d" % i).digest()) for i in range(self.n)
        ]
        self.validators = tuple(
            Validator(f"r{i}", key.public, f"peer{i}") for i, key in enumerate(self.keys)
        )
        self.records: list[bytes] = list(self.journal)
        self.start()

    def start(self) -> Output:
        """(Re)start from the chain's head and what was persisted."""
        key = self.keys[self.me].public if self.me < self.n else None
        begin = Start(
            CHAIN, key, self.head, self.certificate, self.validators, 1,
            tuple(self.records), self.observe,
        )  # fmt: skip
        self.replica = Replica(begin, self)
        return self._note(self.replica.resume(self.now))

    # --- the environment

    def sign(self, message: bytes) -> bytes:
        return self.keys[self.me].sign(message)

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        return verify(key, message, signature)

    def read_header(self, data: bytes) -> Header:
        return read_header(data)

    def read_block(self, data: bytes) -> Block:
        return Block(read_header(data), data)

    # --- events

    def step(self, event: Event) -> Output:
        return self._note(self.replica.step(event, self.now))

    def later(self, milliseconds: int) -> None:
        self.now = Now(self.now.mono_ms + milliseconds, self.now.wall_ms + milliseconds)

    def frame(self, data: bytes, peer: int = 0) -> Output:
        return self.step(FrameReceived(f"peer{peer}", data))

    def body(self, block: Block, peer: int = 0) -> Output:
        return self.step(BlockReceived(f"peer{peer}", block))

    def work(self, pending: int = 1) -> Output:
        return self.step(PoolChanged(pending, self.now.mono_ms))

    def executed(self, block: Block, refusal: str | None = None) -> Output:
        return self.step(BlockExecuted(block.digest, block.header.parent, refusal))

    def built(self, block: Block) -> Output:
        return self.step(BlockBuilt(block.header.parent, block))

    def applied(self, block: Block) -> Output:
        self.head = block.header
        return self.step(BlockApplied(block.digest, block.height, self.validators, 1))

    # --- what the others say

    def block(self, note: str = "", **changes: int) -> Block:
        """A block on the head."""
        fields = {"height": self.head.height + 1, "proposer": 0, **changes}
        made = header(fields.pop("height"), self.head.digest, note=note, **fields)
        return Block(made, made.data)

    def vote(self, kind: str, by: int, digest: bytes, view: int = 0, height: int = 1) -> Vote:
        key = self.keys[by]
        signature = key.sign(vote_bytes(CHAIN, kind, view, height, digest))
        attached = b""
        if kind == "prepare":
            primary = self.keys[view % self.n]
            attached = primary.sign(vote_bytes(CHAIN, "pre-prepare", view, height, digest))
        return Vote(kind, view, height, digest, key.public, signature, attached)

    def say(self, kind: str, by: int, digest: bytes, view: int = 0, height: int = 1) -> Output:
        return self.frame(encode_vote(CHAIN, self.vote(kind, by, digest, view, height)), by)

    def prepared(self, digest: bytes, view: int = 0, height: int = 1) -> Prepared:
        primary = view % self.n
        backups = [i for i in range(self.n) if i != primary][: quorum(self.n) - 1]
        votes = [(i, self.vote("prepare", i, digest, view, height).signature) for i in backups]
        proposal = self.vote("pre-prepare", primary, digest, view, height).signature
        return Prepared(view, height, digest, proposal, tuple(votes))

    def commit_certificate(self, digest: bytes, view: int = 0, height: int = 1) -> bytes:
        voters = range(quorum(self.n))
        votes = [(i, self.vote("commit", i, digest, view, height).signature) for i in voters]
        return encode_certificate(Certificate(view, tuple(votes)))

    def view_change(self, by: int, view: int, *, prepared: Prepared | None = None,
                    head: Header = GENESIS, certificate: bytes = b"") -> ViewChange:  # fmt: skip
        payload = view_change_payload(CHAIN, 1, view, head, certificate, prepared)
        signature = self.keys[by].sign(signing_bytes(VIEW_CHANGE_DOMAIN, payload))
        frame = seal(VIEW_CHANGE, CHAIN, payload, self.keys[by].public, signature)
        return self._read(frame, ViewChange)

    def new_view(self, view: int, changes: Sequence[ViewChange], base: int,
                 required: bytes | None, by: int | None = None) -> NewView:  # fmt: skip
        primary = self.keys[view % self.n if by is None else by]
        proposal = b""
        if required is not None:
            proposal = primary.sign(vote_bytes(CHAIN, "pre-prepare", view, base + 1, required))
        payload = new_view_payload(CHAIN, 1, view, tuple(changes), base, required, proposal)
        signature = primary.sign(signing_bytes(NEW_VIEW_DOMAIN, payload))
        return self._read(seal(NEW_VIEW, CHAIN, payload, primary.public, signature), NewView)

    def _read(self, frame: bytes, kind: type[Any]) -> Any:
        message = decode_frame(frame, CHAIN, read_header)
        assert isinstance(message, kind)
        return message

    # --- what came out

    def _note(self, output: Output) -> Output:
        self.out.append(output)
        self.records += output.persist
        return output

    def messages(self, output: Output) -> list[Message]:
        """What an output sends to replicas, decoded, STATUS left out."""
        sends = [send for send in output.send if isinstance(send, Send)]
        found = [decode_frame(send.data, CHAIN, read_header) for send in sends]
        return [each for each in found if isinstance(each, Vote | ViewChange | NewView)]

    def votes(self, output: Output) -> list[tuple[str, int, bytes]]:
        return [(v.kind, v.view, v.digest) for v in self.messages(output) if isinstance(v, Vote)]

    def to_prepared(self, block: Block, view: int = 0) -> Output:
        """As a backup: take the proposal and PREPARE it."""
        self.say("pre-prepare", view % self.n, block.digest, view)
        self.body(block, view % self.n)
        return self.executed(block)

    def to_committed(self, block: Block, view: int = 0) -> Output:
        """Enough COMMITs of the others."""
        others = [i for i in range(self.n) if i != self.me][: quorum(self.n)]
        self.body(block, others[0])
        outputs = [self.say("commit", i, block.digest, view, block.height) for i in others]
        return next(o for o in outputs if any(isinstance(w, ApplyBlock) for w in o.work))


def quorum(n: int) -> int:
    """⌈(n+f+1)/2⌉, written down apart from the code under test."""
    return -(-(n + (n - 1) // 3 + 1) // 2)


def asks(output: Output, kind: type) -> bool:
    """Whether an output asks for work of this kind."""
    return any(isinstance(work, kind) for work in output.work)


__all__ = ["GENESIS", "Bench", "BuildBlock", "ExecuteBlock", "asks", "header", "quorum"]
