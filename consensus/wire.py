"""Frames and signed bytes: strict canonical decoding with limits, chain id and domain tags.

A frame is a canonical MessagePack array that begins with its kind and the chain id. What is signed
is domain ‖ 0x00 ‖ payload, and each payload is a map that names its kind, chain and view
(docs/protocol.md gives every byte).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from ledger.codec import Value, decode, encode, signing_bytes

from .errors import ProtocolViolation
from .interface import Header
from .limits import (
    CERTIFICATE_BYTES_MAX,
    CHAIN_ID_CHARACTERS_MAX,
    DIGEST_BYTES,
    FRAME_BYTES_MAX,
    HEADER_BYTES_MAX,
    KEY_BYTES,
    NUMBER_MAX,
    SIGNATURE_BYTES,
    VALIDATORS_MAX,
    VIEW_CHANGE_BYTES_MAX,
)
from .messages import (
    ACTIVE,
    CHANGING,
    PREPARE,
    VOTE_KINDS,
    Certificate,
    Message,
    NewView,
    Prepared,
    Proof,
    Status,
    ViewChange,
    Vote,
)

VOTE_DOMAIN = "kilochain/vote/1"
VIEW_CHANGE_DOMAIN = "kilochain/view-change/1"
NEW_VIEW_DOMAIN = "kilochain/new-view/1"
VERSION = 1
VIEW_CHANGE = "view-change"
NEW_VIEW = "new-view"
STATUS = "status"
PROOF = "proof"

ReadHeader = Callable[[bytes], Header]


def items(
    value: Value, count: int | None = None, *, count_max: int = VALIDATORS_MAX
) -> list[Value]:
    """`value` as an array of exactly `count`, or of at most `count_max`, elements."""
    if not isinstance(value, list | tuple):
        raise ProtocolViolation("an array was expected")
    if (count is not None and len(value) != count) or (count is None and len(value) > count_max):
        raise ProtocolViolation(f"an array of {len(value)} elements")
    return list(value)


def number(value: Value) -> int:
    """`value` as an integer in 0…NUMBER_MAX."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= NUMBER_MAX:
        raise ProtocolViolation("a number is out of its range")
    return value


def binary(value: Value, size: int | None = None, *, size_max: int = FRAME_BYTES_MAX) -> bytes:
    """`value` as bytes of exactly `size`, or of at most `size_max`."""
    if not isinstance(value, bytes):
        raise ProtocolViolation("bytes were expected")
    if (size is not None and len(value) != size) or len(value) > size_max:
        raise ProtocolViolation(f"a byte string of {len(value)} bytes")
    return value


def _text(value: Value) -> str:
    if not isinstance(value, str) or len(value) > CHAIN_ID_CHARACTERS_MAX:
        raise ProtocolViolation("a short text was expected")
    return value


def unpack(data: bytes, *, bytes_max: int) -> Value:
    """Strict canonical decode. Raises ProtocolViolation."""
    if len(data) > bytes_max:
        raise ProtocolViolation(f"{len(data)} bytes where {bytes_max} are allowed")
    try:
        return decode(data, bytes_max=bytes_max)
    except ValueError as error:
        raise ProtocolViolation(f"not canonical: {error}") from error


def vote_bytes(chain_id: str, kind: str, view: int, height: int, digest: bytes) -> bytes:
    """What a PRE-PREPARE, PREPARE or COMMIT signs."""
    return signing_bytes(
        VOTE_DOMAIN,
        encode(
            {
                "chain_id": chain_id,
                "digest": digest,
                "height": height,
                "kind": kind,
                "v": VERSION,
                "view": view,
            }
        ),
    )


def encode_certificate(certificate: Certificate) -> bytes:
    """The bytes stored beside a block: [view, [[index, signature], …]]."""
    return encode([certificate.view, [[i, s] for i, s in certificate.votes]])


def decode_certificate(data: bytes) -> Certificate:
    """Strict inverse of `encode_certificate`. Raises ProtocolViolation."""
    view, votes = items(unpack(data, bytes_max=CERTIFICATE_BYTES_MAX), 2)
    return Certificate(number(view), _votes(votes))


def _votes(value: Value) -> tuple[tuple[int, bytes], ...]:
    """Votes of a certificate: strictly ascending, so nobody is counted twice."""
    votes = []
    for pair in items(value):
        index, signature = items(pair, 2)
        votes.append((number(index), binary(signature, SIGNATURE_BYTES)))
    if any(a[0] >= b[0] for a, b in pairwise(votes)):
        raise ProtocolViolation("a certificate's votes are not in ascending order")
    return tuple(votes)


def prepared_value(prepared: Prepared | None) -> Value:
    """A prepared certificate as it stands in a VIEW-CHANGE and in the journal."""
    if prepared is None:
        return None
    votes: list[Value] = [[i, s] for i, s in prepared.votes]
    return [prepared.view, prepared.height, prepared.digest, prepared.proposal, votes]


def read_prepared(value: Value) -> Prepared | None:
    """Strict inverse of `prepared_value`. Raises ProtocolViolation."""
    if value is None:
        return None
    view, height, digest, proposal, votes = items(value, 5)
    return Prepared(
        number(view),
        number(height),
        binary(digest, DIGEST_BYTES),
        binary(proposal, SIGNATURE_BYTES),
        _votes(votes),
    )


def encode_vote(chain_id: str, vote: Vote) -> bytes:
    """Frame of a vote."""
    fields: list[Value] = [vote.kind, chain_id, vote.view, vote.height, vote.digest]
    return encode([*fields, vote.sender, vote.signature, vote.attached])


def encode_status(chain_id: str, status: Status) -> bytes:
    """Frame of a STATUS."""
    return encode([STATUS, chain_id, status.epoch, status.view, status.mode, status.head])


def encode_proof(chain_id: str, proof: Proof) -> bytes:
    """Frame of a header with its commit certificate."""
    return encode([PROOF, chain_id, proof.header.data, proof.certificate])


def view_change_payload(
    chain_id: str,
    epoch: int,
    view: int,
    head: Header,
    certificate: bytes,
    prepared: Prepared | None,
) -> bytes:
    """What a VIEW-CHANGE signs, before the domain tag."""
    return encode(
        {
            "certificate": certificate,
            "chain_id": chain_id,
            "digest": head.digest,
            "epoch": epoch,
            "head": head.height,
            "header": head.data,
            "kind": VIEW_CHANGE,
            "prepared": prepared_value(prepared),
            "v": VERSION,
            "view": view,
        }
    )


def new_view_payload(
    chain_id: str,
    epoch: int,
    view: int,
    view_changes: tuple[ViewChange, ...],
    base: int,
    required: bytes | None,
    proposal: bytes,
) -> bytes:
    """What a NEW-VIEW signs, before the domain tag."""
    return encode(
        {
            "base": base,
            "chain_id": chain_id,
            "epoch": epoch,
            "kind": NEW_VIEW,
            "proposal": proposal,
            "required": required,
            "v": VERSION,
            "view": view,
            "view_changes": [v.frame for v in view_changes],
        }
    )


def seal(kind: str, chain_id: str, payload: bytes, sender: bytes, signature: bytes) -> bytes:
    """Frame of a VIEW-CHANGE or NEW-VIEW around its signed payload."""
    return encode([kind, chain_id, payload, sender, signature])


def decode_frame(data: bytes, chain_id: str, read_header: ReadHeader) -> Message:
    """A message from its frame; no signature is looked at. Raises ProtocolViolation."""
    fields = items(unpack(data, bytes_max=FRAME_BYTES_MAX), count_max=8)
    if len(fields) < 2 or _text(fields[1]) != chain_id:
        raise ProtocolViolation("a message of another chain")
    kind, rest = _text(fields[0]), fields[2:]
    if kind in VOTE_KINDS:
        return _read_vote(kind, rest)
    if kind == VIEW_CHANGE:
        return _read_view_change(rest, chain_id, data, read_header)
    if kind == NEW_VIEW:
        return _read_new_view(rest, chain_id, data, read_header)
    if kind == STATUS:
        return _read_status(rest)
    if kind == PROOF:
        header, certificate = items(rest, 2)
        return Proof(
            _header(header, read_header), binary(certificate, size_max=CERTIFICATE_BYTES_MAX)
        )
    raise ProtocolViolation("a message of unknown kind")


def _header(value: Value, read_header: ReadHeader) -> Header:
    data = binary(value, size_max=HEADER_BYTES_MAX)
    try:
        return read_header(data)
    except ValueError as error:
        raise ProtocolViolation(f"a header that cannot be read: {error}") from error


def _read_vote(kind: str, fields: list[Value]) -> Vote:
    view, height, digest, sender, signature, attached = items(fields, 6)
    return Vote(
        kind,
        number(view),
        number(height),
        binary(digest, DIGEST_BYTES),
        binary(sender, KEY_BYTES),
        binary(signature, SIGNATURE_BYTES),
        binary(attached, SIGNATURE_BYTES if kind == PREPARE else 0),
    )


def _read_status(fields: list[Value]) -> Status:
    epoch, view, mode, head = items(fields, 4)
    if mode not in (ACTIVE, CHANGING):
        raise ProtocolViolation("a mode that does not exist")
    return Status(number(epoch), number(view), _text(mode), number(head))


def _sealed(fields: list[Value], bytes_max: int) -> tuple[bytes, bytes, bytes]:
    payload, sender, signature = items(fields, 3)
    return (
        binary(payload, size_max=bytes_max),
        binary(sender, KEY_BYTES),
        binary(signature, SIGNATURE_BYTES),
    )


def _signed_map(
    payload: bytes, kind: str, chain_id: str, names: tuple[str, ...], bytes_max: int
) -> list[Value]:
    """Values of a signed map that has exactly the named fields, and says what it is."""
    body = unpack(payload, bytes_max=bytes_max)
    expected = (*names, "chain_id", "epoch", "kind", "v", "view")
    if not isinstance(body, dict) or sorted(body) != sorted(expected):
        raise ProtocolViolation(f"a {kind} with other fields than its own")
    named = (number(body["v"]), body["kind"], body["chain_id"])
    if named != (VERSION, kind, chain_id):
        raise ProtocolViolation(f"a {kind} of another chain, kind or version")
    return [body["epoch"], body["view"], *(body[name] for name in names)]


def _read_view_change(
    fields: list[Value], chain_id: str, frame: bytes, read_header: ReadHeader
) -> ViewChange:
    payload, sender, signature = _sealed(fields, VIEW_CHANGE_BYTES_MAX)
    names = ("head", "digest", "header", "certificate", "prepared")
    epoch, view, height, digest, header, certificate, prepared = _signed_map(
        payload, VIEW_CHANGE, chain_id, names, VIEW_CHANGE_BYTES_MAX
    )
    head = _header(header, read_header)
    if head.height != number(height) or head.digest != binary(digest, DIGEST_BYTES):
        raise ProtocolViolation("a VIEW-CHANGE whose header is not its head's")
    return ViewChange(
        number(epoch),
        number(view),
        head,
        binary(certificate, size_max=CERTIFICATE_BYTES_MAX),
        read_prepared(prepared),
        sender,
        payload,
        signature,
        frame,
    )


def _read_new_view(
    fields: list[Value], chain_id: str, frame: bytes, read_header: ReadHeader
) -> NewView:
    payload, sender, signature = _sealed(fields, FRAME_BYTES_MAX)
    names = ("view_changes", "base", "required", "proposal")
    epoch, view, frames, base, required, proposal = _signed_map(
        payload, NEW_VIEW, chain_id, names, FRAME_BYTES_MAX
    )
    view_changes = []
    for inner in items(frames):
        data = binary(inner, size_max=2 * VIEW_CHANGE_BYTES_MAX)
        message = decode_frame(data, chain_id, read_header) if _is_view_change(data) else None
        if not isinstance(message, ViewChange):
            raise ProtocolViolation("a NEW-VIEW that carries something else than VIEW-CHANGEs")
        view_changes.append(message)
    wanted = None if required is None else binary(required, DIGEST_BYTES)
    return NewView(
        number(epoch),
        number(view),
        tuple(view_changes),
        number(base),
        wanted,
        binary(proposal, 0 if wanted is None else SIGNATURE_BYTES),
        sender,
        payload,
        signature,
        frame,
    )


def _is_view_change(data: bytes) -> bool:
    """Looked at before decoding, so that a NEW-VIEW cannot nest NEW-VIEWs."""
    return data[1:13] == encode(VIEW_CHANGE)
