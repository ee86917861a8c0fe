"""state.json: entries, the root of their tree, and proofs, rebuilt here with hashlib alone.

`refused` holds proofs that show nothing under the root, each with why.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.state_proof import EMPTY, StateProof, root_of
from ledger.state_tree import StateTree, prove, root_of_entries
from ledger.store import MemoryStore

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "state.json").read_text())
CASES: list[dict[str, Any]] = VECTORS["trees"]
EACH_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def tagged(tag: str, data: bytes) -> bytes:
    return hashlib.sha256(tag.encode() + b"\0" + data).digest()


def bits(path: bytes) -> str:
    return f"{int.from_bytes(path, 'big'):0256b}"


def path_of(key: str) -> bytes:
    return tagged("kilochain/state-key/1", bytes.fromhex(key))


def leaf(path: bytes, value_digest: bytes) -> bytes:
    return tagged("kilochain/state-leaf/1", path + value_digest)


def digest(value: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(value)).digest()


def rebuilt(leaves: dict[str, bytes], depth: int = 0) -> bytes:
    """The root of leaves under their path's bits."""
    if len(leaves) < 2:
        return next(iter(leaves.values()), bytes(32))
    left = {path: each for path, each in leaves.items() if path[depth] == "0"}
    right = {path: each for path, each in leaves.items() if path[depth] == "1"}
    halves = rebuilt(left, depth + 1) + rebuilt(right, depth + 1)
    return tagged("kilochain/state-node/1", halves)


def shown(proof: dict[str, Any]) -> bytes | None:
    """The root under which a proof of the file shows its key's value, or absence."""
    path, siblings = path_of(proof["key"]), [bytes.fromhex(each) for each in proof["siblings"]]
    if proof["value"] is not None:
        if proof["other"] is not None:
            return None
        node = leaf(path, digest(proof["value"]))
    elif proof["other"] is None:
        node = bytes(32)
    else:
        other = bytes.fromhex(proof["other"]["path"])
        if other == path or bits(other)[: len(siblings)] != bits(path)[: len(siblings)]:
            return None
        node = leaf(other, bytes.fromhex(proof["other"]["value_digest"]))
    for depth in range(len(siblings) - 1, -1, -1):
        pair = (siblings[depth], node) if bits(path)[depth] == "1" else (node, siblings[depth])
        node = tagged("kilochain/state-node/1", b"".join(pair))
    return node


def arguments(proof: dict[str, Any]) -> tuple[bytes, bytes | None, StateProof]:
    value, other = proof["value"], proof["other"]
    return (
        bytes.fromhex(proof["key"]),
        None if value is None else bytes.fromhex(value),
        StateProof(
            tuple(bytes.fromhex(each) for each in proof["siblings"]),
            other and (bytes.fromhex(other["path"]), bytes.fromhex(other["value_digest"])),
        ),
    )


def entries(case: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(bytes.fromhex(key), bytes.fromhex(value)) for key, value in case["entries"]]


@EACH_CASE
def test_the_root_of_a_tree(case: dict[str, Any]) -> None:
    leaves = {}
    for key, value in case["entries"]:
        leaves[bits(path_of(key))] = leaf(path_of(key), digest(value))
    assert rebuilt(leaves).hex() == case["root"]
    assert root_of_entries(entries(case)).hex() == case["root"]


@EACH_CASE
def test_proofs_are_made_and_checked_as_frozen(case: dict[str, Any]) -> None:
    store, root = MemoryStore(), bytes.fromhex(case["root"])
    tree, so_far = StateTree(store), EMPTY
    for entry in entries(case):
        update = tree.update(so_far, [entry])
        store.write(update.writes)
        tree.keep(update)
        so_far = update.root
    assert so_far == root == StateTree(MemoryStore()).update(EMPTY, entries(case)).root
    for proof in case["proofs"]:
        assert shown(proof) == root
        key, value, expected = arguments(proof)
        assert prove(store, root, key) == expected
        assert root_of(key, value, expected) == root
        assert dict(entries(case)).get(key) == value


@EACH_CASE
def test_refused_proofs_show_nothing(case: dict[str, Any]) -> None:
    root = bytes.fromhex(case["root"])
    for proof in case["refused"]:
        assert shown(proof) != root, proof["why"]
        assert root_of(*arguments(proof)) != root, proof["why"]


def test_every_kind_of_proof_is_here() -> None:
    proofs = [proof for case in CASES for proof in case["proofs"]]
    assert any(proof["value"] is not None and proof["siblings"] for proof in proofs)
    assert any(proof["value"] is None and proof["other"] for proof in proofs)
    assert any(proof["value"] is None and not proof["other"] for proof in proofs)
    assert max(len(proof["siblings"]) for proof in proofs) > 20
    assert len([proof for case in CASES for proof in case["refused"]]) >= 10
