"""What goes into a replica and what comes out of it: the whole surface of the consensus room.

The room is sans-IO (h11 and etcd/raft are the models): somebody outside reads clocks, disks and
sockets, turns what happened into an `Event`, calls `Replica.step(event, now)`, and performs the
`Output` it gets back in the order of its fields:

    persist → fsync → send → timer (wake_at_ms) → work

A signature is made inside a step, in memory. It leaves the process only in `Output.send`, after
the records of `Output.persist` are on disk; that order is what the safety argument rests on.

This module must not contain behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

PeerId = str  # a libp2p peer ID in its base58 text form
Digest = bytes


@dataclass(frozen=True, slots=True)
class Now:
    """The two clocks at the moment of a step, in milliseconds.

    `mono_ms` runs the timers and never goes back; `wall_ms` (Unix time) is looked at by one rule
    only, the time check of a fresh PRE-PREPARE.
    """

    mono_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Header:
    """What agreement reads of a block header; the ledger owns the format.

    `digest`, `parent`, `validators_hash`, `next_validators_hash`: 32 bytes. `proposer`: index in
    the validator set of this height. `data`: the exact header bytes, from which the digest is made.
    """

    digest: Digest
    height: int
    parent: Digest
    time_ms: int
    proposer: int
    transaction_count: int
    validators_hash: bytes
    next_validators_hash: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block whose body has been checked against its header (transactions root and count).

    `data`: the exact bytes that travel and are stored. `content`: the ledger's parsed block;
    opaque here, so that a body is parsed once.
    """

    header: Header
    data: bytes
    content: object = field(default=None, compare=False, repr=False)

    @property
    def digest(self) -> Digest:
        """The header's digest, 32 bytes: the block's name."""
        return self.header.digest

    @property
    def height(self) -> int:
        """The header's height."""
        return self.header.height


class Environment(Protocol):
    """Pure functions that a replica borrows from outside; each is deterministic."""

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature (64 bytes) by this replica's validator key."""

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is `key`'s over `message`. Never raises."""

    def read_header(self, data: bytes) -> Header:
        """Decode a header strictly. Raises ValueError."""

    def read_block(self, data: bytes) -> Block:
        """Decode a body strictly and check it against its own header. Raises ValueError."""


# --- what goes in ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A consensus frame from the stream of `peer` (which may relay what others signed)."""

    peer: PeerId
    data: bytes


@dataclass(frozen=True, slots=True)
class BlockReceived:
    """A block body that `peer` sent or that answers `FetchBlock`."""

    peer: PeerId
    block: Block


@dataclass(frozen=True, slots=True)
class BlockMissing:
    """`FetchBlock(peer, digest)` brought nothing."""

    peer: PeerId
    digest: Digest


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """A block and the bytes of a commit certificate for it, as stored or fetched."""

    block: Block
    certificate: bytes


@dataclass(frozen=True, slots=True)
class ChainReceived:
    """The answer to `FetchChain(peer, first)`: consecutive committed blocks; empty = nothing."""

    peer: PeerId
    blocks: tuple[CommittedBlock, ...]


@dataclass(frozen=True, slots=True)
class BlockBuilt:
    """The answer to `BuildBlock`; None when no pooled transaction was valid.

    The block has been executed by whoever built it: its roots are right.
    """

    parent: Digest
    block: Block | None


@dataclass(frozen=True, slots=True)
class BlockExecuted:
    """The answer to `ExecuteBlock`. `refusal` is None when every root matched."""

    digest: Digest
    parent: Digest
    refusal: str | None


@dataclass(frozen=True, slots=True)
class BlockApplied:
    """The answer to `ApplyBlock`: the block, its state and the head are durable.

    `validators` is the set that signs the next height; `epoch` the height from which it does.
    """

    digest: Digest
    height: int
    validators: tuple[Validator, ...]
    epoch: int


@dataclass(frozen=True, slots=True)
class PoolChanged:
    """How many valid transactions wait, and since when (mono_ms) the oldest one does."""

    pending: int
    oldest_since_ms: int | None


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """A link to `peer` stands."""

    peer: PeerId


@dataclass(frozen=True, slots=True)
class PeerDisconnected:
    """The link to `peer` is gone."""

    peer: PeerId


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """About once a second, jittered by the driver: retransmit and report (PROTOCOL §6)."""


@dataclass(frozen=True, slots=True)
class Wake:
    """`Output.wake_at_ms` has come."""


Event = (
    FrameReceived
    | BlockReceived
    | BlockMissing
    | ChainReceived
    | BlockBuilt
    | BlockExecuted
    | BlockApplied
    | PoolChanged
    | PeerConnected
    | PeerDisconnected
    | Heartbeat
    | Wake
)


# --- who votes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Validator:
    """One member of a validator set. `key`: Ed25519 voting key, 32 bytes."""

    name: str
    key: bytes
    peer: PeerId


# --- what comes out ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """A consensus frame for each peer in `to`. Sending may fail: §6 repeats what matters."""

    to: tuple[PeerId, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class SendBlock:
    """A block body for each peer in `to`."""

    to: tuple[PeerId, ...]
    block: Block


@dataclass(frozen=True, slots=True)
class SendToAll:
    """A frame for every connected peer, observers included: STATUS and nothing else."""

    data: bytes


@dataclass(frozen=True, slots=True)
class BuildBlock:
    """Build a block on `parent` at `height`; answer with `BlockBuilt`."""

    parent: Digest
    height: int
    proposer: int


@dataclass(frozen=True, slots=True)
class ExecuteBlock:
    """Execute `block` on the head, without keeping anything; answer with `BlockExecuted`."""

    block: Block


@dataclass(frozen=True, slots=True)
class ApplyBlock:
    """Append and apply `block` in one synced batch; answer with `BlockApplied`.

    A failure here is our own fault: the driver must stop the process.
    """

    block: Block
    certificate: bytes


@dataclass(frozen=True, slots=True)
class FetchBlock:
    """Ask `peer` for the body of `digest`; answer with `BlockReceived` or `BlockMissing`."""

    peer: PeerId
    digest: Digest


@dataclass(frozen=True, slots=True)
class FetchChain:
    """Ask `peer` for committed blocks from height `first` on; answer with `ChainReceived`."""

    peer: PeerId
    first: int


@dataclass(frozen=True, slots=True)
class ShareOldest:
    """Half the view timer is gone: send the oldest pooled transactions to every validator."""


@dataclass(frozen=True, slots=True)
class ReportEvidence:
    """Two signed messages that contradict each other; `data` can be verified by anybody.

    `subject`: index in the set of that height; `name` is a file name that is stable for the case.
    """

    subject: int
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class AccusePeer:
    """`peer` sent what no correct peer sends: count it, score it, drop it if it goes on."""

    peer: PeerId
    reason: str


Work = (
    BuildBlock
    | ExecuteBlock
    | ApplyBlock
    | FetchBlock
    | FetchChain
    | ShareOldest
    | ReportEvidence
    | AccusePeer
)


@dataclass(frozen=True, slots=True)
class Output:
    """What one step asks for, in the order in which it must be done.

    `persist`: journal records (canonical bytes, opaque to the driver), to be durable first.
    `send`: frames and bodies. `wake_at_ms`: the next deadline on the monotonic clock, replacing the
    one before; None = none. `work`: jobs whose answers come back as events.
    """

    persist: tuple[bytes, ...] = ()
    send: tuple[Send | SendBlock | SendToAll, ...] = ()
    wake_at_ms: int | None = None
    work: tuple[Work, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Everything a replica is restored from.

    `chain_id`; `key`: own voting key or None for an observer; `head`: header of the newest applied
    block with the bytes of its certificate (empty for the genesis block); `validators` and `epoch`:
    who signs the next height, and since when; `journal`: the records that were persisted, in
    order (empty for a fresh replica). `observe`: a reason not to vote (a lost journal), or None.
    """

    chain_id: str
    key: bytes | None
    head: Header
    certificate: bytes
    validators: tuple[Validator, ...]
    epoch: int
    journal: tuple[bytes, ...] = ()
    observe: str | None = None


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """What a replica can say about itself; for people and metrics, never for decisions.

    `mode`: "active" or "changing". `index`: own index in the present set or None.
    `prepares`, `commits`: who voted so far at (view, head+1).
    `heads`: newest height each peer claimed.
    """

    epoch: int
    view: int
    mode: str
    head: int
    head_digest: Digest
    primary: int
    index: int | None
    n: int
    f: int
    quorum: int
    observe: str | None
    prepares: tuple[int, ...]
    commits: tuple[int, ...]
    view_changes: tuple[tuple[int, int], ...]
    timer_ms: int | None
    syncing: bool
    heads: tuple[tuple[PeerId, int], ...]
