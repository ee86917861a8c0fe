"""Blocks: a header that is agreed on, and a body that the header commits to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ledger import merkle
from ledger.codec import CodecError, decode, digest, encode
from ledger.errors import InvalidBlock, InvalidTransaction
from ledger.genesis import Genesis, Validator
from ledger.limits import BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, HEADER_BYTES_MAX, TIME_MS_MAX
from ledger.state_proof import EMPTY
from ledger.transactions import Transaction, parse_transaction


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What is agreed on. Digests are 32 bytes; `proposer`: index in this height's validators."""

    version: int
    chain_id: str
    height: int
    parent: bytes
    time_ms: int
    proposer: int
    transactions: int
    transactions_root: bytes
    state_root: bytes
    validators_hash: bytes
    next_validators_hash: bytes


_DIGESTS = ("parent", "transactions_root", "state_root", "validators_hash", "next_validators_hash")
_INTEGERS = ("height", "time_ms", "proposer", "transactions")
_FIELDS = frozenset((*_DIGESTS, *_INTEGERS, "version", "chain_id"))
_BODY = msgspec.msgpack.Decoder(tuple[bytes, list[bytes]])
_ENCODER = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class ParsedBlock:
    """A block whose body matches its header. `data`: the exact bytes."""

    header: BlockHeader
    header_bytes: bytes
    digest: bytes
    transactions: tuple[Transaction, ...]
    data: bytes


def header_digest(header_bytes: bytes) -> bytes:
    """The block's digest, 32 bytes."""
    return digest("kilochain/block/1", header_bytes)


def encode_header(header: BlockHeader) -> bytes:
    """The canonical bytes of a header."""
    return encode({name: getattr(header, name) for name in _FIELD_ORDER})


_FIELD_ORDER = tuple(sorted(_FIELDS))


def parse_header(data: bytes) -> BlockHeader:
    """Decode a header strictly. Raises InvalidBlock."""
    try:
        value: Any = decode(data, bytes_max=HEADER_BYTES_MAX)
    except CodecError as error:
        raise _bad(str(error), "header") from error
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise _bad("a header has exactly the fields of version 1", "header")
    if type(value["version"]) is not int or value["version"] != 1:
        raise _bad("only version 1 is known", "version")
    if not isinstance(value["chain_id"], str):
        raise _bad("must be text", "chain_id")
    for name in _DIGESTS:
        if not isinstance(value[name], bytes) or len(value[name]) != 32:
            raise _bad("must be 32 bytes", name)
    for name in _INTEGERS:
        if type(value[name]) is not int or not 0 <= value[name] <= TIME_MS_MAX:
            raise _bad("must be an integer that is not negative", name)
    return BlockHeader(**value)


def parse_block(
    data: bytes, known: Callable[[bytes], Transaction | None] = lambda signed: None
) -> ParsedBlock:
    """Decode a body strictly and check it against its own header. Raises InvalidBlock.

    `known`: a transaction that was parsed from exactly these signed bytes before, or None.
    """
    if len(data) > BLOCK_BYTES_MAX:
        raise _bad(f"{len(data)} bytes, at most {BLOCK_BYTES_MAX}", "body")
    try:
        header_bytes, signed = _BODY.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _bad(str(error), "body") from error
    if encode_body(header_bytes, signed) != data:
        raise _bad("not canonical MessagePack", "body")
    header = parse_header(header_bytes)
    if len(signed) != header.transactions or len(signed) > BLOCK_TRANSACTIONS_MAX:
        raise _bad(f"{len(signed)} transactions, the header says otherwise", "transactions")
    if merkle.root(signed) != header.transactions_root:
        raise _bad("does not match the transactions", "transactions_root")
    try:
        transactions = tuple(known(each) or parse_transaction(each) for each in signed)
    except InvalidTransaction as error:
        raise InvalidBlock(error.code, f"holds a bad transaction: {error}", error.field) from error
    return ParsedBlock(header, header_bytes, header_digest(header_bytes), transactions, data)


def encode_body(header_bytes: bytes, signed: Sequence[bytes]) -> bytes:
    """The bytes of a block that travel and are stored."""
    return _ENCODER.encode((header_bytes, signed))


def build_block(header: BlockHeader, transactions: Sequence[Transaction]) -> ParsedBlock:
    """A block of parts that already agree (roots and count set by the caller)."""
    header_bytes = encode_header(header)
    data = encode_body(header_bytes, [each.signed for each in transactions])
    return ParsedBlock(header, header_bytes, header_digest(header_bytes), tuple(transactions), data)


def validators_hash(validators: Sequence[Validator]) -> bytes:
    """The digest of a validator set, in order: name, key and peer ID of each."""
    plain = [{"key": v.key, "name": v.name, "peer_id": v.peer_id} for v in validators]
    return digest("kilochain/validators/1", encode(plain))


def genesis_block(genesis: Genesis) -> ParsedBlock:
    """Height 0: no transactions, no state, no certificate; its parent is the genesis digest."""
    voters = validators_hash(genesis.validators)
    header = BlockHeader(
        version=1,
        chain_id=genesis.chain_id,
        height=0,
        parent=genesis.digest,
        time_ms=genesis.time_ms,
        proposer=0,
        transactions=0,
        transactions_root=merkle.root([]),
        state_root=EMPTY,
        validators_hash=voters,
        next_validators_hash=voters,
    )
    return build_block(header, [])


def _bad(message: str, field: str) -> InvalidBlock:
    return InvalidBlock("E_BLOCK", f"{field}: {message}", field)
