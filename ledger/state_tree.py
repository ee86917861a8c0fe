"""The authenticated map: a path-compressed sparse Merkle tree, its newest version only.

The hashing is that of ledger/state_proof.py, the storage that of ledger/state_pages.py. A block's
writes are one batch: the paths are sorted and walked once, each page on the way is read, changed
and written once, and only what changed is hashed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.limits import STATE_CACHED_LEVELS
from ledger.state_pages import (
    HASH_BYTES,
    LEAF_BYTES,
    PAGE_LEVELS,
    WIDTH,
    Nodes,
    Reader,
    encode_page,
    hash_of,
    hash_up,
    node_at,
    page_key,
    read_page,
)
from ledger.state_proof import EMPTY, StateProof, node_hash, path_of
from ledger.store import Write


@dataclass(slots=True)
class TreeUpdate:
    """What a batch of writes makes of the tree, kept nowhere yet.

    `root`: 32 bytes; `writes`: the changed pages as store entries, None where one goes; `cached`:
    those of the upper levels as nodes, for `StateTree.keep`.
    """

    root: bytes
    writes: list[Write] = field(default_factory=list)
    cached: dict[bytes, Nodes | None] = field(default_factory=dict)


class StateTree:
    """The tree over a store. One caller at a time; for other threads there is `prove`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cache: dict[bytes, Nodes] = {}

    def update(self, root: bytes, writes: Sequence[Write]) -> TreeUpdate:
        """The tree after `writes` on the stored tree, whose root is `root`; None deletes.

        `writes`: each key at most once, in any order. Raises StoreCorrupted.
        """
        update = TreeUpdate(root)
        leaves = sorted(path_of(key) + _value_part(value) for key, value in writes)
        if not leaves:
            return update
        top = self._merge(b"" if root == EMPTY else root, 0, 0, leaves, update)
        update.root = hash_of(top)
        return update

    def keep(self, update: TreeUpdate) -> None:
        """Follow the store, to which `update` has been written."""
        for key, nodes in update.cached.items():
            if nodes is None:
                self._cache.pop(key, None)
            else:
                self._cache[key] = nodes

    def _merge(
        self, here: bytes, level: int, prefix: int, leaves: Sequence[bytes], update: TreeUpdate
    ) -> bytes:
        """The node that stands where `here` stood, with `leaves` written below it.

        A leaf to delete is its path alone.
        """
        if len(here) == HASH_BYTES:
            nodes = self._page(level, prefix, here)
        else:
            leaves = _with(here, leaves)
            alive = [leaf for leaf in leaves if len(leaf) == LEAF_BYTES]
            if level and len(alive) < 2:
                return alive[0] if alive else b""
            nodes = [b""] * (2 * WIDTH)
        changed = []
        for place, part in _by_place(leaves, level):
            at, new = WIDTH + place, part[0]
            old = nodes[at]
            if len(part) > 1 or (old and old[:32] != new[:32]) or len(old) == HASH_BYTES:
                below = prefix << PAGE_LEVELS | place
                new = self._merge(old, level + 1, below, part, update)
            elif len(new) != LEAF_BYTES:
                new = b""
            if new != old:
                nodes[at] = new
                changed.append(at)
        if not changed:
            return here
        hash_up(nodes, changed)
        _put(level, prefix, nodes, update)
        return nodes[1]

    def _page(self, level: int, prefix: int, expected: bytes) -> Nodes:
        """The nodes of a page, for the caller to change."""
        if level >= STATE_CACHED_LEVELS:
            return read_page(self._reader, level, prefix, expected)
        key = page_key(level, prefix)
        nodes = self._cache.get(key)
        if nodes is None or hash_of(nodes[1]) != expected:
            nodes = self._cache[key] = read_page(self._reader, level, prefix, expected)
        return nodes.copy()


def root_of_entries(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The root of a tree of these keys and values, from the definition alone and without pages."""
    leaves = sorted(path_of(key) + sha256(value).digest() for key, value in entries)
    return _root_of_leaves(leaves, 0)


def _root_of_leaves(leaves: Sequence[bytes], depth: int) -> bytes:
    if len(leaves) < 2:
        return hash_of(leaves[0] if leaves else b"")
    byte, bit = depth >> 3, 128 >> (depth & 7)
    middle = bisect_left(leaves, True, key=lambda leaf: leaf[byte] & bit != 0)
    halves = (leaves[:middle], leaves[middle:])
    return node_hash(*(_root_of_leaves(half, depth + 1) for half in halves))


def prove(reader: Reader, root: bytes, key: bytes) -> StateProof:
    """The proof of what `key` has under `root`, which must be that of the tree in `reader`.

    Whether `key` is there or not; `root_of` tells the two apart. Raises StoreCorrupted.
    """
    path = path_of(key)
    siblings: list[bytes] = []
    node, level = b"" if root == EMPTY else root, 0
    bits = int.from_bytes(path, "big")
    while len(node) == HASH_BYTES:
        below = 8 * len(path) - level * PAGE_LEVELS
        nodes, at = read_page(reader, level, bits >> below, node), 1
        while at < WIDTH and len(node_at(nodes, at)) == HASH_BYTES:
            below -= 1
            at = 2 * at | (bits >> below & 1)
            siblings.append(hash_of(node_at(nodes, at ^ 1)))
        node, level = nodes[at], level + 1
    absent = node and node[:32] != path
    return StateProof(tuple(siblings), (node[:32], node[32:]) if absent else None)


def _put(level: int, prefix: int, nodes: Nodes, update: TreeUpdate) -> None:
    key = page_key(level, prefix)
    # The top page stays for a single leaf, which stands in no other page.
    stays = len(nodes[1]) == HASH_BYTES or (nodes[1] and not level)
    update.writes.append((key, encode_page(nodes) if stays else None))
    if level < STATE_CACHED_LEVELS:
        update.cached[key] = nodes if stays else None


def _value_part(value: bytes | None) -> bytes:
    return b"" if value is None else sha256(value).digest()


def _with(here: bytes, leaves: Sequence[bytes]) -> Sequence[bytes]:
    if not here or any(leaf[:32] == here[:32] for leaf in leaves):
        return leaves
    return sorted((*leaves, here))


def _by_place(leaves: Sequence[bytes], level: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    byte, shift = level >> 1, 0 if level & 1 else 4
    if len(leaves) == 1:
        yield leaves[0][byte] >> shift & 15, leaves
        return
    start, place = 0, leaves[0][byte] >> shift & 15
    for end, leaf in enumerate(leaves):
        other = leaf[byte] >> shift & 15
        if other != place:
            yield place, leaves[start:end]
            start, place = end, other
    yield place, leaves[start:]
