"""How a chain stands in its store: blocks by height, the head, the format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger import records
from ledger.blocks import ParsedBlock, header_digest, parse_header
from ledger.codec import decode, encode
from ledger.errors import FormatUnknown, GenesisError, InvalidBlock, StoreCorrupted
from ledger.genesis import Genesis
from ledger.limits import BLOCK_BYTES_MAX, NEWEST_BYTES
from ledger.state_pages import Reader
from ledger.store import Store

FORMAT = b"1"
"""Of the store: another number for each change that an older version would misread."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block, in one immutable value."""

    height: int
    digest: bytes
    time_ms: int
    state_root: bytes
    header_bytes: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block's bytes and its commit certificate's (empty at height 0)."""

    data: bytes
    certificate: bytes


def block_writes(
    block: ParsedBlock, certificate: bytes, journal_record: int
) -> list[tuple[bytes, bytes | None]]:
    """What one block adds to the store, its state apart."""
    height = block.header.height.to_bytes(8, "big")
    writes: list[tuple[bytes, bytes | None]] = [
        (b"b" + height, block.data),
        (b"c" + height, certificate),
        (b"h" + block.digest, height),
        (b"mhead", encode([block.header_bytes, certificate, journal_record])),
    ]
    for index, each in enumerate(block.transactions):
        where = encode([block.header.height, index, block.header.time_ms])
        writes.append((b"t" + each.tx_id, where))
    return writes


def head_of(block: ParsedBlock, certificate: bytes) -> Head:
    """The head that a block is."""
    header = block.header
    return Head(
        header.height,
        block.digest,
        header.time_ms,
        header.state_root,
        block.header_bytes,
        certificate,
    )


def read_block(store: Store, height: int) -> StoredBlock | None:
    """The block stored at `height`, or None."""
    key = height.to_bytes(8, "big")
    data, certificate = store.get(b"b" + key), store.get(b"c" + key)
    if data is None or certificate is None:
        return None
    return StoredBlock(data, certificate)


def check_newest(store: Store, height: int) -> None:
    """Look for the newest blocks. A manifest that was cut short no longer names the tables that
    LevelDB wrote last, and opens all the same: what is missing then ends below the log."""
    seen = 0
    while height >= 0 and seen < NEWEST_BYTES:
        stored = read_block(store, height)
        if stored is None:
            message = f"height {height}: the block is missing below the head: fetch the chain again"
            raise StoreCorrupted("E_CORRUPTED", message)
        seen += len(stored.data)
        height -= 1


def head_record(reader: Reader) -> tuple[bytes, bytes, bytes]:
    """The stored head's header bytes, certificate and state root. Raises StoreCorrupted."""
    try:
        value: Any = decode(reader.get(b"mhead") or b"", bytes_max=BLOCK_BYTES_MAX)
        header_bytes, certificate, _ = value
        return header_bytes, certificate, parse_header(header_bytes).state_root
    except (InvalidBlock, ValueError, TypeError) as error:
        message = f"the head does not read ({error}): fetch the chain again"
        raise StoreCorrupted("E_CORRUPTED", message) from error


def load_head(store: Store, genesis: Genesis) -> tuple[Head, int]:
    """The newest block and its journal record number. Raises FormatUnknown, GenesisError,
    StoreCorrupted."""
    written = store.get(b"mformat")
    if written != FORMAT:
        shown = "none" if written is None else written.decode(errors="replace")
        message = f"the store's format is {shown}, this version reads {FORMAT.decode()}"
        raise FormatUnknown("E_FORMAT", message)
    if store.get(b"mgenesis") != genesis.digest:
        message = (
            "the store was made for another genesis, or for none: check --home and genesis.json"
        )
        raise GenesisError("E_GENESIS", message)
    found = store.get(b"mhead")
    try:
        value: Any = decode(found or b"", bytes_max=BLOCK_BYTES_MAX)
        header_bytes, certificate, journal_record = value
        header = parse_header(header_bytes)
        stored = read_block(store, header.height)
        if stored is None or records.header_bytes(stored.data) != header_bytes:
            raise ValueError("the newest block is missing or another")
        head = head_of(
            ParsedBlock(header, header_bytes, header_digest(header_bytes), (), b""), certificate
        )
    except (InvalidBlock, ValueError, TypeError) as error:
        message = f"the head does not read ({error}): fetch the chain again"
        raise StoreCorrupted("E_CORRUPTED", message) from error
    return head, journal_record
