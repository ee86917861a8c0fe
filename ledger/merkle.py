"""The Merkle tree hash of RFC 9162 (section 2.1), with SHA-256."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\x00" + data).digest()


def root(entries: Sequence[bytes]) -> bytes:
    """The tree's head, 32 bytes; of nothing, the hash of nothing."""
    level = [leaf_hash(entry) for entry in entries]
    if not level:
        return sha256().digest()
    while len(level) > 1:
        level = _next(level)
    return level[0]


def _next(level: list[bytes]) -> list[bytes]:
    # Pairing from the left and carrying an odd last node up gives the RFC's recursive split.
    even = len(level) & ~1
    pairs = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, even, 2)]
    return pairs + level[even:]


def inclusion_proof(entries: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes from entry `index` to the root. Raises IndexError."""
    if not 0 <= index < len(entries):
        raise IndexError(index)
    level, path = [leaf_hash(entry) for entry in entries], []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level, index = _next(level), index >> 1
    return path


def verify_inclusion(
    entry: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes
) -> bool:
    """Whether `path` shows `entry` at `index` of a tree of `size` entries."""
    if not 0 <= index < size:
        return False
    node, last, used = leaf_hash(entry), size - 1, 0
    while last:
        if index & 1 or index < last:
            if used == len(path):
                return False
            sibling = path[used]
            used += 1
            pair = sibling + node if index & 1 else node + sibling
            node = sha256(b"\x01" + pair).digest()
        index, last = index >> 1, last >> 1
    return used == len(path) and node == expected_root
