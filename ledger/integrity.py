"""Recompute a whole chain from its stored blocks, and name the first thing that differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.blocks import BlockHeader, genesis_block, parse_block
from ledger.chain import Chain, SignatureCheck
from ledger.errors import FormatUnknown, GenesisError, InvalidBlock, StoreCorrupted
from ledger.genesis import Genesis, Validator
from ledger.state import stored_entries
from ledger.state_pages import PAGE_PREFIX
from ledger.state_tree import root_of_entries
from ledger.store import MemoryStore, Store
from ledger.stored_chain import StoredBlock

CertificateCheck = Callable[[BlockHeader, bytes, Sequence[Validator]], str | None]
Progress = Callable[[int, int], None]
_PAGE = 1000  # entries read at a time


def check_chain(
    store: Store,
    genesis: Genesis,
    check_signatures: SignatureCheck,
    verify_certificate: CertificateCheck,
    progress: Progress,
) -> str | None:
    """None when every block, certificate, state entry and index is what it must be.

    Otherwise one sentence on the first that is not. `verify_certificate` gives None or what is
    wrong; `progress` is told (height, last height). The chain is replayed into memory, so the
    indexes of a long chain need room: about 1 kB for each transaction.
    """
    try:
        stored = Chain.open(store, genesis, check_signatures)
        memory = MemoryStore()
        replayed = Chain.create(memory, genesis, check_signatures)
        first, found = genesis_block(genesis), stored.stored_block(0)
        if stored.height_of(first.digest) != 0 or found != StoredBlock(first.data, b""):
            return "height 0: not the block of this genesis"
        for height in range(1, stored.head.height + 1):
            fault = _replay(stored, replayed, height, verify_certificate)
            if fault is not None:
                return f"height {height}: {fault}"
            progress(height, stored.head.height)
            # The body has been checked; only what is derived from it is compared at the end.
            key = height.to_bytes(8, "big")
            memory.write([(b"b" + key, None), (b"c" + key, None)])
        if stored.head != replayed.head:
            return "the head: not the newest block with its certificate"
        fault = _compare(store, memory, stored.head.height)
        if fault is None and root_of_entries(stored_entries(store)) != stored.head.state_root:
            fault = "the state: its root, worked out without the tree, is not that of the head"
        return fault
    except (FormatUnknown, GenesisError, StoreCorrupted) as error:
        return str(error)


def _replay(stored: Chain, replayed: Chain, height: int, verify: CertificateCheck) -> str | None:
    found = stored.stored_block(height)
    if found is None:
        return "the block or its certificate is missing"
    try:
        block = parse_block(found.data)
        executed = replayed.execute(block)
    except InvalidBlock as error:
        return str(error)
    fault = verify(block.header, found.certificate, replayed.validators)
    if fault is not None:
        return f"its certificate: {fault}"
    replayed.append(executed, found.certificate, stored.journal_record)
    return None


_DERIVED = (
    (b"h", "the index of blocks"),
    (b"t", "the index of transactions"),
    (b"s", "the state"),
    (PAGE_PREFIX, "the state tree"),
)


def _compare(store: Store, memory: MemoryStore, height: int) -> str | None:
    for prefix, name in _DERIVED:
        after = prefix
        while page := store.scan(prefix, after, _PAGE):
            for key, value in page:
                if memory.get(key) != value:
                    return f"{name}: the entry {key[1:].hex()} is not what the blocks give"
                memory.write([(key, None)])
            after = page[-1][0]
        for key, _ in memory.scan(prefix, prefix, 1):
            return f"{name}: the entry {key[1:].hex()} is missing"
    last = height.to_bytes(8, "big")
    if store.scan(b"b", b"b" + last, 1) or store.scan(b"c", b"c" + last, 1):
        return f"there are blocks after the head at height {height}"
    return None
