"""Certificates are checked to the last vote (PROTOCOL §2); votes are forgotten with the head."""

from __future__ import annotations

import hashlib

import pytest
from replica_bench import CHAIN, Bench

from consensus.certificates import check_commit_certificate, check_prepared
from consensus.errors import ProtocolViolation
from consensus.interface import Validator
from consensus.messages import COMMIT, PRE_PREPARE, PREPARE, Certificate, Prepared, Vote
from consensus.quorum import replica_set
from consensus.votes import VoteTable
from consensus.wire import decode_certificate, encode_certificate, vote_bytes
from ledger.codec import encode
from node.simulation.cluster import Formats
from node.simulation.signatures import KeyedHashRing

RING = KeyedHashRing()
KEYS = [RING.public(hashlib.sha256(bytes([index])).digest()) for index in range(4)]
SET = replica_set([Validator(f"v{i}", key, f"peer{i}") for i, key in enumerate(KEYS)])
HEADER = Bench().block().header
PLACE = (0, HEADER.height, HEADER.digest)


def signed(kind: str, *indexes: int, view: int = 0) -> tuple[tuple[int, bytes], ...]:
    """Votes for the block by these members."""
    message = vote_bytes(CHAIN, kind, view, HEADER.height, HEADER.digest)
    return tuple((index, RING.sign(KEYS[index], message)) for index in indexes)


def check(votes: tuple[tuple[int, bytes], ...]) -> None:
    certificate = encode_certificate(Certificate(0, votes))
    check_commit_certificate(HEADER, certificate, SET, CHAIN, Formats(RING))


def prepared(votes: tuple[tuple[int, bytes], ...], proposal: bytes | None = None) -> None:
    if proposal is None:
        [(_, proposal)] = signed(PRE_PREPARE, 0)
    check_prepared(Prepared(*PLACE, proposal, votes), SET, CHAIN, Formats(RING))


def test_a_quorum_of_commits_is_a_certificate() -> None:
    check(signed(COMMIT, 0, 2, 3))
    check(signed(COMMIT, 0, 1, 2, 3))


@pytest.mark.parametrize(
    ("votes", "why"),
    [
        (signed(COMMIT, 0, 2), "quorum"),
        (signed(PREPARE, 0, 2, 3), "wrong signature"),
        (signed(COMMIT, 0, 2, 3, view=1), "wrong signature"),
        ((*signed(COMMIT, 0, 2), (4, bytes(64))), "nobody"),
        ((*signed(COMMIT, 0, 2), (3, signed(COMMIT, 0)[0][1])), "wrong signature"),
    ],
)
def test_a_certificate_that_breaks_a_rule_is_refused(
    votes: tuple[tuple[int, bytes], ...], why: str
) -> None:
    with pytest.raises(ProtocolViolation, match=why):
        check(votes)


def test_nobody_counts_twice_in_a_certificate() -> None:
    [(index, signature)] = signed(COMMIT, 1)
    data = encode([0, [[index, signature]] * 3])
    with pytest.raises(ProtocolViolation, match="ascending"):
        decode_certificate(data)


def test_a_prepared_certificate_is_the_proposal_and_the_backups() -> None:
    prepared(signed(PREPARE, 1, 2))
    with pytest.raises(ProtocolViolation, match="PREPARE of the primary"):
        prepared(signed(PREPARE, 0, 1))
    with pytest.raises(ProtocolViolation, match="without its PRE-PREPARE"):
        prepared(signed(PREPARE, 1, 2), bytes(64))
    with pytest.raises(ProtocolViolation, match="quorum"):
        prepared(signed(PREPARE, 1))


def test_votes_at_the_head_and_of_others_are_forgotten() -> None:
    table = VoteTable()
    for height in (1, 2):
        for key in KEYS[:2]:
            table.add(Vote(COMMIT, 0, height, HEADER.digest, key, bytes(64)))
    table.forget(1, KEYS[:1])
    assert len(table) == 1
    assert table.get(COMMIT, 0, 2, KEYS[0]) is not None
