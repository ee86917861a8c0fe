"""COSE receipts, read by an implementation of RFC 9942 that is not ours, and by its parts."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
import scitt_cose
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from passport_world import World, genesis_of, names

from ledger import merkle
from ledger.blocks import header_digest, parse_header
from ledger.codec import decode
from ledger.identifiers import format_id
from ledger.passport import Passport
from ledger.passport_agreement import commit_bytes, quorum
from ledger.proofs import make_passport
from node.cose import AGREEMENT, receipt
from node.keys import from_seed, verify
from node.network.host import peer_id_of

KEY = from_seed("node", b"\7" * 32)
PEER_ID = peer_id_of(KEY.seed)
PEM = Ed25519PublicKey.from_public_bytes(KEY.public).public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)


@pytest.fixture(scope="module")
def passports() -> list[Passport]:
    """One in a block of its own, one in a block of thirteen."""
    world = World.of(genesis_of(4))
    world.register(1)
    world.register(*range(2, 15))
    return [make_passport(world, format_id("K77G", number, 1)) for number in (1, 9)]


def _entry(passport: Passport) -> bytes:
    assert passport.registration
    return bytes(passport.registration.transaction)


def _verdict(data: bytes, entry: bytes, pem: bytes = PEM) -> Any:
    return scitt_cose.verify_receipt(data, leaf_entry_hex=entry.hex(), log_public_key_pem=pem)


def test_an_independent_implementation_accepts_a_receipt(passports: list[Passport]) -> None:
    for passport in passports:
        found = _verdict(receipt(passport, KEY, PEER_ID), _entry(passport))
        assert found.ok, found.errors


def test_it_refuses_another_entry_another_key_and_any_flipped_bit_of_what_is_signed(
    passports: list[Passport],
) -> None:
    data, entry = receipt(passports[1], KEY, PEER_ID), _entry(passports[1])
    assert not _verdict(data, entry + b"\0").ok
    assert not _verdict(data, _entry(passports[0])).ok
    stranger = Ed25519PublicKey.from_public_bytes(from_seed("node", b"\1" * 32).public)
    pem = stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert not _verdict(data, entry, pem).ok
    protected, unprotected, payload, signature = cbor2.loads(data).value
    # The size of the tree is no part of the root, so some others fit the same path (RFC 9162).
    _, _, path = cbor2.loads(unprotected[396][-1][0])
    for part in (protected, signature, *path):
        start = data.index(part)
        for place in range(start, start + len(part)):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            assert not _verdict(changed, entry).ok
    assert payload is None


def test_a_receipt_has_the_registered_labels_and_values(passports: list[Passport]) -> None:
    data = receipt(passports[1], KEY, PEER_ID)
    tagged = cbor2.loads(data)
    protected, unprotected, payload, signature = tagged.value
    assert tagged.tag == 18
    claims = {1: passports[1].chain_id, 2: passports[1].id}
    assert cbor2.loads(protected) == {1: -8, 4: PEER_ID.encode(), 15: claims, 395: 1}
    size, index, path = cbor2.loads(unprotected[396][-1][0])
    assert (size, index, len(path)) == (13, 7, 4)
    assert cbor2.dumps(cbor2.loads(data), canonical=True) == data
    assert (payload, len(signature)) == (None, 64)


def test_its_parts_verify_with_nothing_but_cbor_and_ed25519(passports: list[Passport]) -> None:
    data = receipt(passports[1], KEY, PEER_ID)
    protected, unprotected, _, signature = cbor2.loads(data).value
    size, index, path = cbor2.loads(unprotected[396][-1][0])
    beside = unprotected[AGREEMENT]
    root = parse_header(beside["header"]).transactions_root
    assert merkle.verify_inclusion(beside["transaction"], index, size, path, root)
    signed = cbor2.dumps(["Signature1", protected, b"", root])
    key = Ed25519PublicKey.from_public_bytes(KEY.public)
    key.verify(signature, signed)
    with pytest.raises(InvalidSignature):
        key.verify(signature, signed + b"\0")


def test_the_certificate_beside_it_makes_trust_in_the_node_unnecessary(
    passports: list[Passport],
) -> None:
    world = World.of(genesis_of(4))
    beside = cbor2.loads(receipt(passports[0], KEY, PEER_ID)).value[1][AGREEMENT]
    header = parse_header(beside["header"])
    view, votes = decode(beside["certificate"], bytes_max=4096)  # type: ignore[misc]
    assert len(votes) >= quorum(len(names(4)))  # type: ignore[arg-type]
    digest = header_digest(beside["header"])
    signed = commit_bytes(world.genesis.chain_id, view, header.height, digest)  # type: ignore[arg-type]
    for replica, vote in votes:  # type: ignore[misc, union-attr]
        assert verify(world.genesis.validators[replica].key, signed, vote)  # type: ignore[arg-type, index]
    assert beside["transaction"] == _entry(passports[0])
