"""What a replica remembers, what it is about to say, and the small questions about both.

Durable state changes only together with a journal record in the same step (`persist`); the rest is
volatile and bounded (PROTOCOL §2).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .interface import (
    Block,
    CommittedBlock,
    Environment,
    Header,
    Now,
    Output,
    PeerId,
    Send,
    SendBlock,
    SendToAll,
    Work,
)
from .messages import ACTIVE, NewView, Prepared, Proof, Status, ViewChange, Vote
from .quorum import ReplicaSet
from .votes import VoteTable


@dataclass(slots=True)
class Outbox:
    """What one step asks for so far."""

    persist: list[bytes] = field(default_factory=list)
    send: list[Send | SendBlock | SendToAll] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)

    def close(self, wake_at_ms: int | None) -> Output:
        """The finished output."""
        return Output(tuple(self.persist), tuple(self.send), wake_at_ms, tuple(self.work))


@dataclass(slots=True)
class Timer:
    """The view timer and the clocks beside it, all in monotonic ms; None = not running."""

    deadline_ms: int | None = None
    half_ms: int | None = None
    k: int = 0
    active_since_ms: int = 0
    clock_retry_ms: int | None = None
    shared_ms: int = 0


@dataclass(slots=True)
class Applying:
    """An unanswered ApplyBlock and the view of its certificate."""

    block: Block
    certificate: bytes
    view: int


@dataclass(slots=True)
class BodyFetch:
    """The peer now asked for a body, and when each peer was last asked (mono ms)."""

    peer: PeerId | None = None
    asked_ms: dict[PeerId, int] = field(default_factory=dict)


@dataclass(slots=True)
class ChainFetch:
    """One FetchChain in flight, and the blocks that came and wait for their turn."""

    peer: PeerId | None = None
    first: int = 0
    asked_ms: int = 0
    queue: list[CommittedBlock] = field(default_factory=list)
    queue_from: PeerId = ""
    refused_ms: dict[PeerId, int] = field(default_factory=dict)


@dataclass(slots=True)
class Pool:
    """What the driver said of the pool. `nothing_valid`: a build brought nothing since then."""

    pending: int = 0
    oldest_since_ms: int | None = None
    nothing_valid: bool = False


@dataclass(slots=True)
class State:
    """Everything a replica knows. H = head.height + 1."""

    environment: Environment
    chain_id: str
    key: bytes | None
    observe: str | None
    # durable in the chain
    head: Header
    certificate: bytes
    replicas: ReplicaSet
    epoch: int
    # durable in the journal
    epoch_digest: bytes | None
    view: int
    mode: str
    base: int
    required: bytes | None
    new_view: NewView | None = None
    view_change: ViewChange | None = None
    entry: Proof | None = None
    own: list[Vote] = field(default_factory=list)
    prepared: Prepared | None = None
    voted: dict[bytes, Block] = field(default_factory=dict)
    # volatile
    votes: VoteTable = field(default_factory=VoteTable)
    view_changes: dict[bytes, ViewChange] = field(default_factory=dict)
    waiting_new_view: NewView | None = None
    waiting_proof: tuple[Proof, int] | None = None
    bodies: dict[bytes, tuple[PeerId, Block]] = field(default_factory=dict)
    head_block: Block | None = None
    recent: dict[int, bytes] = field(default_factory=dict)
    executed: dict[bytes, str | None] = field(default_factory=dict)
    executing: bytes | None = None
    building: bytes | None = None
    applying: Applying | None = None
    fetches: dict[bytes, BodyFetch] = field(default_factory=dict)
    chain: ChainFetch = field(default_factory=ChainFetch)
    pool: Pool = field(default_factory=Pool)
    timer: Timer = field(default_factory=Timer)
    heads: dict[PeerId, Status] = field(default_factory=dict)
    caught_up_ms: dict[PeerId, int] = field(default_factory=dict)
    lost: dict[PeerId, bool] = field(default_factory=dict)
    reported: dict[str, bool] = field(default_factory=dict)
    now: Now = field(default_factory=lambda: Now(0, 0))
    out: Outbox = field(default_factory=Outbox)

    @property
    def height(self) -> int:
        """H, the height under agreement."""
        return self.head.height + 1

    @property
    def index(self) -> int | None:
        """Own index in the present set."""
        return self.replicas.index_of(self.key) if self.key is not None else None

    @property
    def active(self) -> bool:
        """Whether the mode is active."""
        return self.mode == ACTIVE

    @property
    def may_sign(self) -> bool:
        """A member, with a whole journal, and no ApplyBlock unanswered."""
        return self.index is not None and self.observe is None and self.applying is None

    @property
    def is_primary(self) -> bool:
        """Whether primary(view) is this replica."""
        return self.key is not None and self.replicas.primary(self.view).key == self.key

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Voting keys of the present set, in order."""
        return tuple(v.key for v in self.replicas.validators)

    @property
    def other_peers(self) -> tuple[PeerId, ...]:
        """Peers of the other replicas."""
        return self.replicas.peers_without(self.key)

    def body(self, digest: bytes) -> Block | None:
        """A body that is held: voted for, fetched, or the head's."""
        if digest in self.voted:
            return self.voted[digest]
        if digest in self.bodies:
            return self.bodies[digest][1]
        if self.head_block is not None and self.head_block.digest == digest:
            return self.head_block
        return None

    def own_vote(self, kind: str, view: int) -> Vote | None:
        """Own vote at (kind, view, H)."""
        for vote in self.own:
            if (vote.kind, vote.view, vote.height) == (kind, view, self.height):
                return vote
        return None

    def persist(self, record: bytes) -> None:
        """Queue a journal record; who can never vote has made no promise and keeps none."""
        if self.key is not None and self.observe is None:
            self.out.persist.append(record)

    def send(self, to: tuple[PeerId, ...], data: bytes) -> None:
        """Queue a frame for some peers."""
        if to:
            self.out.send.append(Send(to, data))

    def send_block(self, to: tuple[PeerId, ...], block: Block) -> None:
        """Queue a body for some peers."""
        if to:
            self.out.send.append(SendBlock(to, block))
