"""The form of a passport file (docs/passport.md): strict bytes to typed parts, and back.

What is proven by the parts is the matter of ledger/passport_verifier.py.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.errors import InvalidPassport
from ledger.limits import (
    INCLUSION_PATH_MAX,
    JSON_DIGITS_MAX,
    PASSPORT_BYTES_MAX,
    PASSPORT_DEPTH_MAX,
)
from ledger.state_proof import DEPTH_MAX

_HEX = re.compile(r"(?:[0-9a-f]{2})*")


class Digest(bytes):
    """32 bytes, in the file lower-case hex; a key or the path of a state key has the same form."""


class Signature(bytes):
    """64 bytes, in the file lower-case hex."""


class Sibling(bytes):
    """32 bytes, in the file lower-case hex, or "" for 32 zero bytes."""


class Data(bytes):
    """Exact bytes, in the file base64 with padding."""


Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly the members that are named."""


class Vote(_Part, frozen=True):
    """A COMMIT. `replica`: index in the validator set of the block's height."""

    replica: Number
    signature: Signature


class Certificate(_Part, frozen=True):
    """The COMMITs of one view."""

    view: Number
    votes: tuple[Vote, ...]


class Block(_Part, frozen=True):
    """A header's exact bytes and why they are final."""

    header: Data
    certificate: Certificate


class Registration(_Part, frozen=True):
    """A signed registration and where it stands. `path`: RFC 9162 §2.1.3, from the leaf up."""

    transaction: Data
    index: Number
    path: Annotated[tuple[Digest, ...], Meta(max_length=INCLUSION_PATH_MAX)]
    block: Block


class OtherEntry(_Part, frozen=True):
    """The entry that stands in the way of one that is not there."""

    path: Digest
    value_digest: Digest


class StateEntry(_Part, frozen=True):
    """What the batch's key has in the state after a block; `value` None: nothing."""

    block: Block
    value: Data | None
    siblings: Annotated[tuple[Sibling, ...], Meta(max_length=DEPTH_MAX)]
    other: OtherEntry | None


class SetMember(_Part, frozen=True):
    """A validator of a set that came after the genesis's."""

    key: Digest
    name: str
    peer_id: str


class ValidatorChange(_Part, frozen=True):
    """The block that agreed on another set, and the set."""

    block: Block
    validators: tuple[SetMember, ...]


class Record(_Part, frozen=True):
    """What the registration says, for people. Masses in grams, time in Unix ms."""

    batch: str
    mass_g: Number
    payload: dict[str, Any]
    registered_by: str
    registered_ms: Number
    units: Number


class Passport(_Part, frozen=True):
    """A passport of the right form, nothing about it verified."""

    passport: Literal[1]
    chain_id: str
    genesis: Digest
    id: Annotated[str, Meta(min_length=18, max_length=18)]
    claim: Literal["registered", "not_registered"]
    validator_changes: tuple[ValidatorChange, ...]
    record: Record | UnsetType = UNSET
    registration: Registration | UnsetType = UNSET
    state: StateEntry | UnsetType = UNSET


def parse_passport(data: bytes) -> Passport:
    """The typed parts of a passport file. Raises InvalidPassport (step "format")."""
    if len(data) > PASSPORT_BYTES_MAX:
        raise _bad(f"{len(data)} bytes: a passport has at most {PASSPORT_BYTES_MAX}")
    try:
        document = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_integer,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
        _check_depth(document)
        json.dumps(document, ensure_ascii=False).encode()  # refuses halves of surrogate pairs
        found = msgspec.convert(document, Passport, dec_hook=_from_text)
    except (ValueError, RecursionError) as error:
        raise _bad(str(error)) from error
    _check_parts(found)
    return found


def encode_passport(passport: Passport) -> bytes:
    """The shortest file of a passport."""
    return json.dumps(
        passport_document(passport), ensure_ascii=False, separators=(",", ":")
    ).encode()


def passport_document(passport: Passport) -> dict[str, Any]:
    """A passport as JSON values: maps, tuples, texts, integers."""
    document = msgspec.to_builtins(passport, enc_hook=_to_text)
    assert isinstance(document, dict)
    return document


def _check_parts(found: Passport) -> None:
    if (found.record is UNSET) != (found.registration is UNSET):
        raise _bad("a record and a registration come together or not at all")
    if found.state and found.state.value is not None and found.state.other is not None:
        raise _bad("a state has a value, or another entry in its place, not both")
    if found.registration is UNSET:
        if found.claim == "registered":
            raise _bad("it claims a registration and has none")
        if not found.state or found.state.value is not None:
            raise _bad("it claims that nothing is registered and does not show it")


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(PASSPORT_DEPTH_MAX + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    if level:
        raise ValueError(f"nested deeper than {PASSPORT_DEPTH_MAX}")


def _from_text(kind: type[bytes], value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if kind is Data:
        found = b64decode(value, validate=True)
        if b64encode(found).decode() != value:
            raise ValueError("must be base64 with padding and no spare bits")
        return Data(found)
    if not _HEX.fullmatch(value):
        raise ValueError("must be lower-case hex digits")
    if kind is Sibling and not value:
        return Sibling(32)
    if len(value) != (128 if kind is Signature else 64):
        raise ValueError(f"has {len(value)} hex digits, which is not its length")
    return kind(bytes.fromhex(value))


def _to_text(value: bytes) -> str:
    if isinstance(value, Data):
        return b64encode(value).decode()
    return "" if isinstance(value, Sibling) and not any(value) else value.hex()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > JSON_DIGITS_MAX:
        raise ValueError(f"{text[:JSON_DIGITS_MAX]}… is beyond 2^53 - 1")
    return int(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text[:JSON_DIGITS_MAX]}: only integers are allowed")


def _bad(message: str) -> InvalidPassport:
    return InvalidPassport("format", message)
