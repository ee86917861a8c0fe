"""Pages: how the state tree is stored, four levels of it at a time.

A page holds the subtree under a prefix of 4 · level bits. Its nodes stand in the order of a heap:
1 is the top, 2i and 2i + 1 are the halves of i, 16 … 31 are the places at its foot. A node is b""
(no leaf below), 64 bytes (the only leaf below: path ‖ value digest) or 32 bytes (the hash of a
subtree with two leaves or more); a place with a hash has a page of its own below. What a page
holds depends on its leaves alone.

Stored are the places and of the levels above them only nodes 4 … 7: one more hash on the way up
costs less than LevelDB takes to write all fourteen again and again. Nodes 8 … 15 are worked out
where they are needed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from ledger.codec import signing_bytes
from ledger.errors import StoreCorrupted
from ledger.state_proof import EMPTY, leaf_hash

PAGE_PREFIX = b"p"
PAGE_LEVELS = 4
WIDTH = 1 << PAGE_LEVELS
HASH_BYTES = 32
LEAF_BYTES = 64
UNKNOWN = b"?"
"""A node that is not stored and was not needed yet."""

_NODE_TAG = signing_bytes("kilochain/state-node/1", b"")
_LENGTHS = bytes((0, HASH_BYTES, LEAF_BYTES))
_ABOVE = [b"", UNKNOWN, UNKNOWN, UNKNOWN, *[b""] * 4, *[UNKNOWN] * 8]

Nodes = list[bytes]


class Reader(Protocol):
    """What pages are read from: a store, or a snapshot of one."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises StoreCorrupted."""


def page_key(level: int, prefix: int) -> bytes:
    """Where a page is stored: its level, then the 4 · level bits above it as a number."""
    return PAGE_PREFIX + bytes((level,)) + prefix.to_bytes((level + 1) >> 1, "big")


def hash_of(node: bytes) -> bytes:
    """The 32 bytes that stand for a node in its parent's hash."""
    if len(node) == HASH_BYTES:
        return node
    return leaf_hash(node[:32], node[32:]) if node else EMPTY


def combine(left: bytes, right: bytes) -> bytes:
    """The node of two halves: a lone leaf stays that leaf at whatever depth."""
    if not left and len(right) != HASH_BYTES:
        return right
    if not right and len(left) != HASH_BYTES:
        return left
    if len(left) != HASH_BYTES:
        left = hash_of(left)
    if len(right) != HASH_BYTES:
        right = hash_of(right)
    return sha256(_NODE_TAG + left + right).digest()


def node_at(nodes: Nodes, at: int) -> bytes:
    """The node `at`, worked out if it is UNKNOWN."""
    if nodes[at] is UNKNOWN:
        nodes[at] = combine(nodes[2 * at], nodes[2 * at + 1])
    return nodes[at]


def hash_up(nodes: Nodes, changed: list[int]) -> None:
    """Work out what stands above the changed places (ascending, at least one), up to the top."""
    while changed[0] > 1:
        if len(changed) == 1:
            changed = [changed[0] >> 1]
        else:
            changed = list(dict.fromkeys([at >> 1 for at in changed]))
        for at in changed:
            left, right = nodes[2 * at], nodes[2 * at + 1]
            if left is UNKNOWN:
                left = node_at(nodes, 2 * at)
            elif right is UNKNOWN:
                right = node_at(nodes, 2 * at + 1)
            if len(left) == HASH_BYTES and len(right) == HASH_BYTES:
                nodes[at] = sha256(_NODE_TAG + left + right).digest()
            else:
                nodes[at] = combine(left, right)


def encode_page(nodes: Nodes) -> bytes:
    """The length of each place (one byte), the places, then those of nodes 4 … 7 with a hash."""
    places = nodes[WIDTH:]
    stored = [node for node in nodes[4:8] if len(node) == HASH_BYTES]
    return b"".join((bytes(map(len, places)), *places, *stored))


def decode_page(data: bytes, expected: bytes) -> Nodes:
    """The nodes of a page whose top has the hash `expected`. Raises StoreCorrupted."""
    lengths, at = data[:WIDTH], WIDTH
    nodes = _ABOVE.copy()
    for length in lengths:
        nodes.append(data[at : at + length])
        at += length
    for above in (4, 5, 6, 7):
        first = 4 * above - WIDTH
        of_these = lengths[first : first + 4]
        below = sum(of_these)
        if below == LEAF_BYTES and LEAF_BYTES in of_these:
            nodes[above] = nodes[WIDTH + first + of_these.index(LEAF_BYTES)]
        elif below:
            nodes[above] = data[at : at + HASH_BYTES]
            at += HASH_BYTES
    nodes[1] = combine(node_at(nodes, 2), node_at(nodes, 3))
    if hash_of(nodes[1]) != expected or at != len(data) or lengths.translate(None, _LENGTHS):
        message = "a page of the state tree is another one: fetch the chain again"
        raise StoreCorrupted("E_CORRUPTED", message)
    return nodes


def read_page(reader: Reader, level: int, prefix: int, expected: bytes) -> Nodes:
    """The page under `prefix`, whose top must have the hash `expected`. Raises StoreCorrupted."""
    data = reader.get(page_key(level, prefix))
    if data is None:
        message = "a page of the state tree is missing: fetch the chain again"
        raise StoreCorrupted("E_CORRUPTED", message)
    return decode_page(data, expected)
