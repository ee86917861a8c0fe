"""Proofs about the state: what a key's value is under a state root, or that it has none.

The state is a Merkle tree over 256-bit paths, a path being the digest of its key. A subtree
without a leaf is EMPTY, a subtree with one leaf is that leaf, any other is a node of its halves;
so the root depends on the contents alone, whatever the order in which they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from ledger.codec import digest

EMPTY = bytes(32)
"""The hash of a subtree without leaves."""

DEPTH_MAX = 256
"""Bits of a path, so the most siblings that a proof can have."""


def path_of(key: bytes) -> bytes:
    """Where a key stands: 32 bytes, read from the most significant bit."""
    return digest("kilochain/state-key/1", key)


def leaf_hash(path: bytes, value_digest: bytes) -> bytes:
    """The hash of a leaf; `value_digest`: SHA-256 of the value's bytes."""
    return digest("kilochain/state-leaf/1", path + value_digest)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a subtree with two leaves or more; `left`: the half whose next bit is 0."""
    return digest("kilochain/state-node/1", left + right)


@dataclass(frozen=True, slots=True)
class StateProof:
    """What stands beside a key's way from the root down.

    `siblings`: 32 bytes each, from the root down. `other`: for a key without a value, the leaf
    (path, value digest) that stands where the way ends; None where it ends in an EMPTY subtree,
    and for a key with a value.
    """

    siblings: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None = None


def root_of(key: bytes, value: bytes | None, proof: StateProof) -> bytes | None:
    """The root under which `proof` shows that `key` has `value` (None: has none).

    None where the proof cannot show that under any root.
    """
    path, depth = path_of(key), len(proof.siblings)
    if depth > DEPTH_MAX or any(len(each) != 32 for each in proof.siblings):
        return None
    if value is not None:
        if proof.other is not None:
            return None
        node = leaf_hash(path, sha256(value).digest())
    elif proof.other is None:
        node = EMPTY
    else:
        if not _stands_in_the_way(path, proof.other, depth):
            return None
        node = leaf_hash(*proof.other)
    for at in reversed(range(depth)):
        sibling = proof.siblings[at]
        node = node_hash(sibling, node) if _bit(path, at) else node_hash(node, sibling)
    return node


def _stands_in_the_way(path: bytes, other: tuple[bytes, bytes], depth: int) -> bool:
    there, value_digest = other
    if len(there) != 32 or len(value_digest) != 32 or there == path:
        return False
    shift = DEPTH_MAX - depth
    return int.from_bytes(there, "big") >> shift == int.from_bytes(path, "big") >> shift


def _bit(path: bytes, at: int) -> int:
    return path[at >> 3] >> (7 - (at & 7)) & 1
