"""The signed envelope: bytes to a typed value, once, and back to the same bytes.

The encoder sorts keys and writes shortest forms, so an input that does not re-encode to itself is
not canonical and is refused (repeated keys, long forms, other orders, explicit nil).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct

from ledger.codec import digest, signing_bytes
from ledger.errors import InvalidTransaction
from ledger.limits import (
    BATCH_NO_MAX,
    DOCS_MAX,
    IMPURITIES_MAX,
    ORIGINS_MAX,
    PACKS_MAX,
    PPM,
    TEXT_CHARS_MAX,
    TIME_MS_MAX,
    TRANSACTION_BYTES_MAX,
)

Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Ppm = Annotated[int, Meta(ge=0, le=PPM)]
Grams = Annotated[int, Meta(ge=0, le=2**53)]


class Assay(Struct, frozen=True, forbid_unknown_fields=True):
    """Who measured, how, and the digest of the certificate."""

    cert: Text
    lab: Text
    method: Text
    sha256: Bytes32


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """A document kept elsewhere."""

    sha256: Bytes32
    type: Text


class Origin(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A share of where the material comes from, in ppm of the batch."""

    country: Text
    ore: Text | None = None
    share_ppm: Ppm
    site: Text | None = None


class Pack(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A package: serials `first` … `first + count - 1`, `mass_g` grams."""

    count: Annotated[int, Meta(ge=1, le=2**53)]
    first: Annotated[int, Meta(ge=1, le=2**53)]
    mass_g: Grams
    sscc: Text | None = None
    type: Text


class Refs(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """References into other systems."""

    invoice: Text | None = None
    licence: Text | None = None
    quota: Text | None = None


class BatchRegistration(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """The payload of batch.register. Masses in grams, shares in ppm."""

    assay: Assay
    basis: Literal["as_received", "dry", "ignited"]
    batch_no: Annotated[int, Meta(ge=1, le=BATCH_NO_MAX)]
    coc: Literal["IP", "SG", "CB", "MB", "BC"]
    docs: Annotated[tuple[Document, ...], Meta(max_length=DOCS_MAX)] | None = None
    facility: Text
    hidden: Annotated[dict[Text, Bytes32], Meta(max_length=8)] | None = None
    impurities: Annotated[dict[Text, Ppm], Meta(max_length=IMPURITIES_MAX)]
    loi_ppm: Ppm | None = None
    net_mass_g: Grams
    origin: Annotated[tuple[Origin, ...], Meta(max_length=ORIGINS_MAX)]
    packs: Annotated[tuple[Pack, ...], Meta(max_length=PACKS_MAX)] | None = None
    produced_on: Text
    product: Text
    ree: Annotated[dict[Text, Ppm], Meta(max_length=32)]
    refs: Refs | None = None
    stage: Literal["concentrate", "mixed", "separated", "metal", "alloy", "scrap"]
    th_ppm: Ppm | None = None
    total_ppm: Grams
    u_ppm: Ppm | None = None
    units: Grams


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a member signs. `valid_until_ms`: Unix time in ms."""

    chain_id: Text
    key: Bytes32
    kind: Literal["batch.register"]
    member: Annotated[str, Meta(min_length=4, max_length=4)]
    payload: BatchRegistration
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    v: Literal[1]
    valid_until_ms: Annotated[int, Meta(ge=0, le=TIME_MS_MAX)]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A parsed transaction; `signed` and `unsigned` are the bytes as received.

    `verdict`: what the stateless rules said of the payload, which is asked many times: the day of
    production or the refusal; empty until they were run.
    """

    signed: bytes
    unsigned: bytes
    signature: bytes
    tx_id: bytes
    envelope: Envelope
    verdict: list[int | InvalidTransaction] = field(default_factory=list, compare=False, repr=False)

    @property
    def signing_bytes(self) -> bytes:
        """What `signature` covers."""
        return signing_bytes("kilochain/tx/1", self.unsigned)


# "deterministic" would do by the order of fields, but it writes a long map header where omitted
# fields could have made one necessary; "sorted" counts what it writes.
_ENCODER = msgspec.msgpack.Encoder(order="sorted")
_OUTER = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_INNER = msgspec.msgpack.Decoder(Envelope)
_AT = re.compile(r"`\$\.?(.+?)`$")


def encode_unsigned(envelope: Envelope) -> bytes:
    """The bytes U that are signed. Raises InvalidTransaction for text that UTF-8 cannot hold."""
    try:
        return _ENCODER.encode(envelope)
    except UnicodeEncodeError as error:
        message = f"a text holds half a surrogate pair: {error}"
        raise InvalidTransaction("E_SCHEMA", message) from error


def assemble(unsigned: bytes, signature: bytes) -> bytes:
    """The bytes T that travel and are stored."""
    return _ENCODER.encode((unsigned, signature))


def transaction_id(unsigned: bytes) -> bytes:
    """The ID, 32 bytes: a digest of the unsigned bytes."""
    return digest("kilochain/tx-id/1", unsigned)


def parse_transaction(signed: bytes) -> Transaction:
    """Decode once, strictly. Raises InvalidTransaction (E_SIZE, E_SCHEMA)."""
    if len(signed) > TRANSACTION_BYTES_MAX:
        message = f"{len(signed)} bytes, at most {TRANSACTION_BYTES_MAX}: send less in one batch"
        raise InvalidTransaction("E_SIZE", message)
    try:
        unsigned, signature = _OUTER.decode(signed)
        envelope = _INNER.decode(unsigned)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _schema(error) from error
    if len(signature) != 64:
        raise InvalidTransaction("E_SCHEMA", "a signature is 64 bytes", "signature")
    if assemble(unsigned, signature) != signed or encode_unsigned(envelope) != unsigned:
        message = "not canonical MessagePack: shortest forms, keys once and in byte order"
        raise InvalidTransaction("E_SCHEMA", message)
    _check_text([envelope.chain_id, envelope.member, *_payload_texts(envelope.payload)])
    return Transaction(signed, unsigned, signature, transaction_id(unsigned), envelope)


def _schema(error: Exception) -> InvalidTransaction:
    text = str(error)
    at = _AT.search(text)
    name = at.group(1).removeprefix("payload.") if at else None
    missing = re.search(r"(?:required|unknown) field `(\w+)`", text)
    return InvalidTransaction("E_SCHEMA", text, missing.group(1) if missing else name)


def _payload_texts(payload: BatchRegistration) -> list[str]:
    texts = [payload.facility, payload.product, payload.produced_on]
    texts += [payload.assay.cert, payload.assay.lab, payload.assay.method]
    texts += [*payload.impurities, *payload.ree, *(payload.hidden or ())]
    for origin in payload.origin:
        texts += [origin.country, origin.ore or "", origin.site or ""]
    texts += [document.type for document in payload.docs or ()]
    for pack in payload.packs or ():
        texts += [pack.type, pack.sscc or ""]
    if payload.refs is not None:
        texts += [text or "" for text in msgspec.structs.astuple(payload.refs)]
    return texts


def _check_text(texts: list[str]) -> None:
    if "".join(texts).isascii():
        return
    for text in texts:
        if not text.isascii() and not unicodedata.is_normalized("NFC", text):
            raise InvalidTransaction("E_SCHEMA", f"{text!r} is not in Unicode form NFC")


_HEX_FIELDS = ("key", "salt", "sha256")


def envelope_from_json(obj: object) -> Envelope:
    """An envelope from its JSON form (bytes in hex). Raises InvalidTransaction (E_SCHEMA)."""
    try:
        envelope = msgspec.convert(_from_hex(obj, ""), Envelope, builtin_types=(bytes,))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _schema(error) from error
    _check_text([envelope.chain_id, envelope.member, *_payload_texts(envelope.payload)])
    return envelope


def payload_from_json(obj: object) -> BatchRegistration:
    """A batch.register payload from its JSON form. Raises InvalidTransaction (E_SCHEMA)."""
    try:
        payload = msgspec.convert(_from_hex(obj, ""), BatchRegistration, builtin_types=(bytes,))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _schema(error) from error
    _check_text(_payload_texts(payload))
    return payload


def envelope_to_json(envelope: Envelope) -> dict[str, object]:
    """The JSON form: maps, lists, strings, integers; bytes in hex."""
    plain = msgspec.to_builtins(envelope, builtin_types=(bytes,))
    return cast(dict[str, object], _to_hex(plain))


def payload_to_json(payload: BatchRegistration) -> dict[str, object]:
    """The payload's JSON form."""
    plain = msgspec.to_builtins(payload, builtin_types=(bytes,))
    return cast(dict[str, object], _to_hex(plain))


def _from_hex(value: object, name: str) -> object:
    if isinstance(value, dict):
        inner = {key: "sha256" if name == "hidden" else key for key in value}
        return {key: _from_hex(item, inner[key]) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_hex(item, name) for item in value]
    if name in _HEX_FIELDS and isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError as error:
            raise InvalidTransaction("E_SCHEMA", f"{name} must be hex digits", name) from error
    return value


def _to_hex(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _to_hex(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_hex(item) for item in value]
    return value
