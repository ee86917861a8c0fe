"""RFC 9162 trees against its recursive definition."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger import merkle


def by_definition(entries: list[bytes]) -> bytes:
    """The tree hash as the RFC defines it."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    halves = by_definition(entries[:split]) + by_definition(entries[split:])
    return sha256(b"\x01" + halves).digest()


@pytest.mark.parametrize("size", [*range(18), 31, 32, 33, 100])
def test_roots_and_proofs_hold_for_every_entry(size: int) -> None:
    entries = [bytes([index]) for index in range(size)]
    root = merkle.root(entries)
    assert root == by_definition(entries)
    for index, entry in enumerate(entries):
        path = merkle.inclusion_proof(entries, index)
        assert merkle.verify_inclusion(entry, index, size, path, root)
        assert not merkle.verify_inclusion(b"other", index, size, path, root)
        assert not merkle.verify_inclusion(entry, index, size, [*path, root], root)
        assert not merkle.verify_inclusion(entry, size, size, path, root)
        if path:
            assert not merkle.verify_inclusion(entry, index, size, path[:-1], root)
    with pytest.raises(IndexError):
        merkle.inclusion_proof(entries, size)
