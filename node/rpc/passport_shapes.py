"""The shape of a passport as `proof.get` gives it (docs/passport.md), and what it is asked with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from node.rpc.shapes import Base64, CertificateRow, Hex32, Parameters, TimeMs, Typed


class ProofAt(Parameters, frozen=True):
    """An ID, and what kind of proof."""

    id: Typed
    current: Annotated[
        bool, Meta(description="With the state at the newest block: what stands there now")
    ] = False
    format: Annotated[
        Literal["json", "cose"],
        Meta(description="json: the passport; cose: a COSE receipt in base64, of a registered ID"),
    ] = "json"


class PassportBlock(Struct, frozen=True):
    """A block that a part stands on."""

    header: Base64
    certificate: CertificateRow


class PassportRegistration(Struct, frozen=True):
    """The signed registration and where it stands."""

    transaction: Base64
    index: int
    path: list[Hex32]
    block: PassportBlock


class PassportRecord(Struct, frozen=True):
    """What the registration says."""

    batch: str
    mass_g: int
    payload: dict[str, Any]
    registered_by: str
    registered_ms: TimeMs
    units: int


class PassportOther(Struct, frozen=True):
    """The entry in the way of one that is not there."""

    path: Hex32
    value_digest: Hex32


class PassportState(Struct, frozen=True):
    """What the state has for the batch. A sibling is 64 hex digits, or empty."""

    block: PassportBlock
    value: Base64 | None
    siblings: list[str]
    other: PassportOther | None


class PassportValidator(Struct, frozen=True):
    """A validator of a later set."""

    key: Hex32
    name: str
    peer_id: str


class PassportChange(Struct, frozen=True):
    """A block that agreed on another validator set, and the set."""

    block: PassportBlock
    validators: list[PassportValidator]


class PassportRow(Struct, frozen=True):
    """A passport; a part that it does not have is left out."""

    passport: Literal[1]
    chain_id: str
    genesis: Hex32
    id: str
    claim: Literal["registered", "not_registered"]
    validator_changes: list[PassportChange]
    record: PassportRecord | UnsetType = UNSET
    registration: PassportRegistration | UnsetType = UNSET
    state: PassportState | UnsetType = UNSET


class GenesisDocument(Struct, frozen=True):
    """The document that the network started from; `document` are its exact bytes."""

    chain_id: str
    digest: Hex32
    document: Base64
