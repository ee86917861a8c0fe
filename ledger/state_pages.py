"""Pages: how the state tree is stored, a few levels of it at a time.

A page holds the subtree under a prefix of STATE_PAGE_LEVELS × level bits, as deep as one page
goes, in the order of a heap: nodes[1] is its top, nodes[2i] and nodes[2i + 1] are the halves of
nodes[i], and the last WIDTH are the places. A node is b"" (no leaf below), 64 bytes (the only leaf
below: path ‖ value digest) or 32 bytes (the hash of a subtree with two leaves or more). A place
with a hash has a page of its own below. What a page holds depends on its leaves alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from ledger.codec import signing_bytes
from ledger.errors import StoreCorrupted
from ledger.limits import STATE_PAGE_LEVELS
from ledger.state_proof import EMPTY, leaf_hash

PAGE_PREFIX = b"p"
WIDTH = 1 << STATE_PAGE_LEVELS
HASH_BYTES = 32
LEAF_BYTES = 64
_NODE_TAG = signing_bytes("kilochain/state-node/1", b"")

Nodes = list[bytes]


class Reader(Protocol):
    """What pages are read from: a store, or a snapshot of one."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises StoreCorrupted."""


def page_key(level: int, prefix: int) -> bytes:
    """Where a page is stored: its level, then the bits above it, filled up from the left."""
    bits = level * STATE_PAGE_LEVELS
    return PAGE_PREFIX + bytes((level,)) + prefix.to_bytes((bits + 7) >> 3, "big")


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


def encode_page(nodes: Nodes) -> bytes:
    """The length of each place (one byte), the places, then the hashes above them, lowest first."""
    places = nodes[WIDTH:]
    above = [node for node in nodes[WIDTH - 1 : 1 : -1] if len(node) == HASH_BYTES]
    return b"".join((bytes(map(len, places)), *places, *above))


def decode_page(data: bytes, expected: bytes) -> Nodes:
    """The nodes of a page whose top has the hash `expected`. Raises StoreCorrupted."""
    nodes = [b""] * (2 * WIDTH)
    at, place = WIDTH, WIDTH
    for length in data[:WIDTH]:
        if length:
            nodes[place] = data[at : at + length]
            at += length
        place += 1
    for above in range(WIDTH - 1, 1, -1):
        left, right = nodes[2 * above], nodes[2 * above + 1]
        if (left and right) or len(left) == HASH_BYTES or len(right) == HASH_BYTES:
            nodes[above] = data[at : at + HASH_BYTES]
            at += HASH_BYTES
        else:
            nodes[above] = left or right
    nodes[1] = combine(nodes[2], nodes[3])
    if hash_of(nodes[1]) != expected or at != len(data):
        message = "a page of the state tree is another one: restore the chain or sync anew"
        raise StoreCorrupted("E_CORRUPTED", message)
    return nodes


def read_page(reader: Reader, level: int, prefix: int, expected: bytes) -> Nodes:
    """The page under `prefix`, whose top must have the hash `expected`. Raises StoreCorrupted."""
    data = reader.get(page_key(level, prefix))
    if data is None:
        message = "a page of the state tree is missing: restore the chain or sync anew"
        raise StoreCorrupted("E_CORRUPTED", message)
    return decode_page(data, expected)
