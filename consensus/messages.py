"""What replicas say to each other, as values (PROTOCOL §3, §4, §6). No behaviour."""

from __future__ import annotations

from dataclasses import dataclass

from .interface import Header

PRE_PREPARE = "pre-prepare"
PREPARE = "prepare"
COMMIT = "commit"
VOTE_KINDS = (PRE_PREPARE, PREPARE, COMMIT)

ACTIVE = "active"
CHANGING = "changing"


@dataclass(frozen=True, slots=True)
class Vote:
    """PRE-PREPARE, PREPARE or COMMIT. `sender`: voting key. `attached`: in a PREPARE, the
    primary's PRE-PREPARE signature for the same (view, height, digest); else empty."""

    kind: str
    view: int
    height: int
    digest: bytes
    sender: bytes
    signature: bytes
    attached: bytes = b""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Votes of one view as (index in the set, signature), ascending by index."""

    view: int
    votes: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Prepared certificate: the primary's PRE-PREPARE signature and q−1 backups' PREPAREs."""

    view: int
    height: int
    digest: bytes
    proposal: bytes
    votes: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class ViewChange:
    """VIEW-CHANGE as received. `certificate`: of the head, empty for the genesis block."""

    epoch: int
    view: int
    head: Header
    certificate: bytes
    prepared: Prepared | None
    sender: bytes
    payload: bytes
    signature: bytes
    frame: bytes


@dataclass(frozen=True, slots=True)
class NewView:
    """NEW-VIEW as received. `proposal`: PRE-PREPARE signature on (view, base+1, required), empty
    when `required` is None."""

    epoch: int
    view: int
    view_changes: tuple[ViewChange, ...]
    base: int
    required: bytes | None
    proposal: bytes
    sender: bytes
    payload: bytes
    signature: bytes
    frame: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS: an unsigned hint."""

    epoch: int
    view: int
    mode: str
    head: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A header and a commit certificate for it: how a view entered by C2 is shown to others."""

    header: Header
    certificate: bytes


Message = Vote | ViewChange | NewView | Status | Proof
