"""The shape of every parameter and result; `rpc.discover` is made of these.

Digests, keys and signatures are lower-case hex; transactions are base64; times are Unix
milliseconds; masses are grams; shares are parts per million.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from node.rpc.limits import (
    BODY_BYTES_MAX,
    CUT_PEERS_MAX,
    ID_CHARACTERS_MAX,
    LIST_LENGTH_MAX,
    WAIT_MS_DEFAULT,
    WAIT_MS_MAX,
)

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="32 bytes, lower-case hex")]
Hex64 = Annotated[str, Meta(pattern="^[0-9a-f]{128}$", description="64 bytes, lower-case hex")]
Height = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Height of a block")]
TimeMs = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Unix time in milliseconds")]
Base64 = Annotated[str, Meta(max_length=BODY_BYTES_MAX, description="Standard base64")]
Typed = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ID_CHARACTERS_MAX,
        description="A kilogram or batch ID as people type it: dashes, spaces, any case",
    ),
]
Code = Annotated[str, Meta(min_length=4, max_length=4, description="A member's code")]
Limit = Annotated[int, Meta(ge=1, le=LIST_LENGTH_MAX, description="How many at most")]
Status = Literal["unknown", "pooled", "committed", "refused", "expired"]


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of parameters: unknown names are refused. The order of fields is by position."""


class NoParameters(Parameters, frozen=True):
    """None."""


class BlockAt(Parameters, frozen=True):
    """One of the two."""

    height: Height | None = None
    digest: Hex32 | None = None


class BlockPage(Parameters, frozen=True):
    """Newest first."""

    before: Annotated[
        int | None, Meta(description="Only blocks below this height; absent: from the head")
    ] = None
    limit: Limit = 20


class Submission(Parameters, frozen=True):
    """A signed transaction."""

    tx: Base64
    wait: Annotated[
        Literal["pooled", "committed"],
        Meta(description="When to answer: once it is in the pool, or once it has left it"),
    ] = "pooled"
    timeout_ms: Annotated[
        int, Meta(ge=0, le=WAIT_MS_MAX, description="How long to wait for the commit")
    ] = WAIT_MS_DEFAULT


class EnvelopeToEncode(Parameters, frozen=True):
    """What a program that has no canonical msgpack of its own wants to sign."""

    envelope: Annotated[
        dict[str, Any],
        Meta(description="v, chain_id, kind, member, key, valid_until_ms, salt, payload; hex"),
    ]
    signature: Annotated[
        Hex64 | None, Meta(description="With it, the answer holds the transaction to submit")
    ] = None


class TransactionAt(Parameters, frozen=True):
    """A transaction's ID."""

    tx_id: Hex32


class RecordAt(Parameters, frozen=True):
    """An ID."""

    id: Typed


class BatchPage(Parameters, frozen=True):
    """A member's batches by number."""

    member: Code
    after: Annotated[
        int, Meta(ge=0, le=2**53 - 1, description="Only batch numbers above this one")
    ] = 0
    limit: Limit = 20


class Cut(Parameters, frozen=True):
    """Testnets only."""

    peers: Annotated[
        list[Annotated[str, Meta(max_length=128)]],
        Meta(max_length=CUT_PEERS_MAX, description="Peer IDs to refuse and drop; empty heals"),
    ]
    deaf_to: Annotated[
        tuple[Annotated[str, Meta(max_length=128)], ...],
        Meta(max_length=CUT_PEERS_MAX, description="Peer IDs whose messages are lost on arrival"),
    ] = ()


class ChainStatus(Struct, frozen=True):
    """Where this node stands. `replica` is its index among the validators, or null."""

    chain_id: str
    version: str
    height: int
    head: Hex32
    head_time_ms: int
    state_root: Hex32
    epoch: int
    view: int
    mode: Literal["active", "changing"]
    primary: int
    replica: int | None
    n: int
    f: int
    quorum: int
    pending: int
    peers: int
    syncing: bool
    ready: bool
    reason: str


class NodeInfo(Struct, frozen=True):
    """Who answers."""

    name: str
    peer_id: str
    addresses: list[str]
    version: str
    started_ms: int


class Peer(Struct, frozen=True):
    """A peer that may connect. `height`: the newest that it claimed."""

    peer_id: str
    name: str | None
    member: str | None
    address: str | None
    connected: bool
    height: int | None
    round_trip_ms: float | None


class ValidatorRow(Struct, frozen=True):
    """A validator of the present set."""

    index: int
    name: str
    member: str
    key: Hex32
    peer_id: str


class KeyRow(Struct, frozen=True):
    """A member's key. `facilities`: those that it may sign for; null: all of the member's."""

    key: Hex32
    status: str
    facilities: list[str] | None


class FacilityRow(Struct, frozen=True):
    """A member's place."""

    id: str
    name: str
    country: str


class MemberRow(Struct, frozen=True):
    """A member of the consortium."""

    code: str
    name: str
    country: str
    roles: list[str]
    status: str
    keys: list[KeyRow]
    facilities: list[FacilityRow]


class HeaderRow(Struct, frozen=True):
    """A block's header."""

    version: int
    chain_id: str
    height: int
    parent: Hex32
    time_ms: int
    proposer: int
    transactions: int
    transactions_root: Hex32
    state_root: Hex32
    validators_hash: Hex32
    next_validators_hash: Hex32


class VoteRow(Struct, frozen=True):
    """One commit vote. `replica` is an index in the validators of the block's height."""

    replica: int
    signature: Hex64


class CertificateRow(Struct, frozen=True):
    """The quorum of commits that made the block final."""

    view: int
    votes: list[VoteRow]


class TransactionRow(Struct, frozen=True):
    """A transaction in a block. `id`: of the batch that it registers."""

    tx_id: Hex32
    kind: str
    member: str
    id: str
    product: str
    units: int
    net_mass_g: int


class BlockRow(Struct, frozen=True):
    """A block. The genesis block has no certificate."""

    digest: Hex32
    header: HeaderRow
    certificate: CertificateRow | None
    transactions: list[TransactionRow]


class BlockSummary(Struct, frozen=True):
    """A block in a list."""

    height: int
    digest: Hex32
    time_ms: int
    proposer: int
    transactions: int


class Refused(Struct, frozen=True):
    """Why a transaction was refused or expired."""

    code: str
    field: str | None
    message: str


class TransactionState(Struct, frozen=True):
    """What became of a transaction, as far as this node knows."""

    tx_id: Hex32
    status: Status
    height: int | None
    index: int | None
    time_ms: int | None
    error: Refused | None


class Encoded(Struct, frozen=True):
    """`to_sign` is what Ed25519 signs: the domain, a zero byte, and `unsigned`."""

    unsigned: Base64
    to_sign: Base64
    tx_id: Hex32
    tx: Base64 | None


class Anchored(Struct, frozen=True):
    """Where a record stands on the chain."""

    tx_id: Hex32
    height: int
    index: int
    time_ms: int


class Part(Struct, frozen=True):
    """One element's share of the mass, as its oxide and as the element."""

    element: str
    oxide: str
    oxide_ppm: int
    element_ppm: int


class OriginRow(Struct, frozen=True):
    """A share that comes from one country."""

    country: str
    share_ppm: int
    site: str | None = None
    ore: str | None = None


class Lookup(Struct, frozen=True):
    """The record of one kilogram, or of a whole batch (`kind`).

    `registered_by` is a member's code. `committed_not_validated`: fields that the registrant
    hides behind a commitment, which nobody has checked. A metal's total counts metal, any other
    product's counts oxide; the other column of `composition` is converted.
    """

    id: str
    kind: Literal["kilogram", "batch"]
    batch: str
    mass_g: int
    composition: list[Part]
    origin: list[OriginRow]
    product: str
    facility: str
    produced_on: str
    coc: str
    committed_not_validated: list[str]
    registered_by: str
    registered_by_name: str
    anchored: Anchored
    status: str


class AssayRow(Struct, frozen=True):
    """Who measured, how, and the digest of the certificate."""

    lab: str
    method: str
    cert: str
    sha256: Hex32


class BatchRow(Struct, frozen=True):
    """A batch as registered and where it is anchored; optional fields as they were given."""

    id: str
    batch_no: int
    facility: str
    product: str
    stage: str
    net_mass_g: int
    units: int
    produced_on: str
    basis: str
    total_ppm: int
    ree: dict[str, int]
    impurities: dict[str, int]
    origin: list[OriginRow]
    coc: str
    assay: AssayRow
    registered_by: str
    anchored: Anchored


class BatchList(Struct, frozen=True):
    """`next`: what to give as `after` for the batches that follow, or null."""

    batches: list[BatchRow]
    next: int | None


class CutDone(Struct, frozen=True):
    """The peers that are cut off now, and those that are not heard."""

    peers: list[str]
    deaf_to: list[str]
