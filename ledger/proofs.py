"""Make passports from a chain (docs/passport.md). All of one passport is of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from ledger import merkle
from ledger.blocks import parse_header
from ledger.chain import ProvenState
from ledger.codec import decode
from ledger.errors import NotRegistered, StoreCorrupted
from ledger.genesis import Genesis, Validator
from ledger.identifiers import RegistryId, format_id, parse_id
from ledger.limits import BLOCK_BYTES_MAX
from ledger.passport import (
    Block,
    Certificate,
    Data,
    Digest,
    OtherEntry,
    Passport,
    Record,
    Registration,
    SetMember,
    Sibling,
    Signature,
    StateEntry,
    ValidatorChange,
    Vote,
)
from ledger.passport_verifier import mass_of
from ledger.state import batch_key
from ledger.stored_chain import StoredBlock
from ledger.transactions import parse_transaction, payload_to_json

_BODY = msgspec.msgpack.Decoder(tuple[bytes, list[bytes]])


class Source(Protocol):
    """What a passport is made from; a Chain is one."""

    @property
    def genesis(self) -> Genesis:
        """The document that the chain starts from."""

    @property
    def validator_sets(self) -> Sequence[tuple[int, tuple[Validator, ...]]]:
        """Every set so far and the first height that it signs, ascending; the genesis's first."""

    def state_proof(self, key: bytes) -> ProvenState:
        """What a key has at the newest height. Raises StoreCorrupted."""

    def stored_block(self, height: int) -> StoredBlock | None:
        """A block at or below the head."""


def make_passport(source: Source, text: str, current: bool = False) -> Passport:
    """The passport of an ID as people type it: that it is registered, or that it is not.

    `current`: with the state at the newest block; it is there anyway where nothing else shows that
    an ID is not registered. Raises InvalidIdentifier, StoreCorrupted; NotRegistered where the chain
    has no block yet, so that nothing can be shown.
    """
    identity = parse_id(text)
    proven = source.state_proof(batch_key(identity.producer, identity.batch_no))
    if not proven.certificate:
        message = f"{identity.display} is not registered, and this chain has no block to show it by"
        raise NotRegistered("E_NOT_REGISTERED", message, "id")
    registration: Registration | UnsetType = UNSET
    record: Record | UnsetType = UNSET
    last = parse_header(proven.header_bytes).height
    there = False
    if proven.value is not None:
        registration, height = _registration(source, proven.value)
        record = _record(identity, registration)
        there = identity.serial <= record.units
        last = last if current else height
    return Passport(
        passport=1,
        chain_id=source.genesis.chain_id,
        genesis=Digest(source.genesis.digest),
        id=identity.text,
        claim="registered" if there else "not_registered",
        validator_changes=_changes(source, last),
        record=record,
        registration=registration,
        state=_state(proven) if current or proven.value is None else UNSET,
    )


def _registration(source: Source, value: bytes) -> tuple[Registration, int]:
    entry: Any = decode(value, bytes_max=64)
    _, height, index = entry
    stored = _stored(source, height)
    try:
        header, signed = _BODY.decode(stored.data)
        path = merkle.inclusion_proof(signed, index)
    except (msgspec.MsgspecError, IndexError) as error:
        raise _corrupted(f"block {height} does not read: {error}") from error
    found = Registration(
        transaction=Data(signed[index]),
        index=index,
        path=tuple(map(Digest, path)),
        block=_block(header, stored.certificate),
    )
    return found, height


def _record(identity: RegistryId, registration: Registration) -> Record:
    envelope = parse_transaction(registration.transaction).envelope
    payload = envelope.payload
    return Record(
        batch=format_id(identity.producer, identity.batch_no, 0),
        mass_g=mass_of(identity.serial, payload.net_mass_g, payload.units),
        payload=payload_to_json(payload),
        registered_by=envelope.member,
        registered_ms=parse_header(registration.block.header).time_ms,
        units=payload.units,
    )


def _state(proven: ProvenState) -> StateEntry:
    other = proven.proof.other
    return StateEntry(
        block=_block(proven.header_bytes, proven.certificate),
        value=None if proven.value is None else Data(proven.value),
        siblings=tuple(map(Sibling, proven.proof.siblings)),
        other=None if other is None else OtherEntry(Digest(other[0]), Digest(other[1])),
    )


def _changes(source: Source, last: int) -> tuple[ValidatorChange, ...]:
    """The changes that count at height `last`."""
    return tuple(
        ValidatorChange(_block_at(source, first - 1), tuple(map(_set_member, validators)))
        for first, validators in source.validator_sets[1:]
        if first <= last
    )


def _set_member(validator: Validator) -> SetMember:
    return SetMember(Digest(validator.key), validator.name, validator.peer_id)


def _block_at(source: Source, height: int) -> Block:
    stored = _stored(source, height)
    try:
        header, _ = _BODY.decode(stored.data)
    except msgspec.MsgspecError as error:
        raise _corrupted(f"block {height} does not read: {error}") from error
    return _block(header, stored.certificate)


def _block(header: bytes, certificate: bytes) -> Block:
    value: Any = decode(certificate, bytes_max=BLOCK_BYTES_MAX)
    view, votes = value
    signed = tuple(Vote(replica, Signature(signature)) for replica, signature in votes)
    return Block(Data(header), Certificate(view, signed))


def _stored(source: Source, height: int) -> StoredBlock:
    stored = source.stored_block(height)
    if stored is None:
        raise _corrupted(f"block {height} is missing")
    return stored


def _corrupted(message: str) -> StoreCorrupted:
    return StoreCorrupted("E_CORRUPTED", f"{message}: fetch the chain again")
