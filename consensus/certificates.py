"""Certificates: q distinct members of one height's set, all votes of one view (PROTOCOL §2)."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import ProtocolViolation, invariant
from .interface import Environment, Header, Validator
from .messages import COMMIT, PRE_PREPARE, PREPARE, Certificate, Prepared, Vote
from .quorum import ReplicaSet, replica_set
from .wire import decode_certificate, vote_bytes


def commit_certificate(votes: Sequence[Vote], replicas: ReplicaSet) -> Certificate:
    """A certificate of the first q of `votes`, which are COMMITs for one (view, height, digest)."""
    first = votes[0]
    invariant(all(v.view == first.view and v.digest == first.digest for v in votes), "mixed views")
    return Certificate(first.view, _numbered(votes, replicas, replicas.quorum))


def prepared_certificate(
    proposal: Vote, prepares: Sequence[Vote], replicas: ReplicaSet
) -> Prepared:
    """The primary's `proposal` and the first q−1 of the backups' `prepares` for it."""
    invariant(proposal.kind == PRE_PREPARE, "a prepared certificate starts from a PRE-PREPARE")
    votes = _numbered(prepares, replicas, replicas.quorum - 1)
    return Prepared(proposal.view, proposal.height, proposal.digest, proposal.signature, votes)


def _numbered(
    votes: Sequence[Vote], replicas: ReplicaSet, count: int
) -> tuple[tuple[int, bytes], ...]:
    by_index = {replicas.index_of(v.sender): v.signature for v in votes}
    pairs = sorted((i, s) for i, s in by_index.items() if i is not None)
    invariant(len(pairs) >= count, "a certificate of too few votes")
    return tuple(pairs[:count])


def check_commit_certificate(
    header: Header,
    certificate: bytes,
    replicas: ReplicaSet,
    chain_id: str,
    environment: Environment,
) -> Certificate:
    """Verify a commit certificate for `header`; any view is valid. Raises ProtocolViolation.

    1. it is canonical, indexes ascend; 2. it has q members of the set or more; 3. each signature
    is that member's COMMIT for (certificate's view, header's height, header's digest).
    """
    decoded = decode_certificate(certificate)
    if not replicas.quorum <= len(decoded.votes) <= replicas.n:
        raise ProtocolViolation("a commit certificate without a quorum")
    signed = vote_bytes(chain_id, COMMIT, decoded.view, header.height, header.digest)
    _check_votes(decoded.votes, signed, replicas, environment)
    return decoded


def check_prepared(
    prepared: Prepared, replicas: ReplicaSet, chain_id: str, environment: Environment
) -> None:
    """Verify a prepared certificate. Raises ProtocolViolation.

    1. q−1 votes or more; 2. none is the primary's; 3. the PRE-PREPARE signature is primary(view)'s;
    4. each vote is that member's PREPARE for the same (view, height, digest).
    """
    primary = prepared.view % replicas.n
    if not replicas.quorum - 1 <= len(prepared.votes) < max(replicas.n, 1):
        raise ProtocolViolation("a prepared certificate without a quorum")
    if any(index == primary for index, _ in prepared.votes):
        raise ProtocolViolation("a prepared certificate with a PREPARE of the primary")
    place = (prepared.view, prepared.height, prepared.digest)
    proposal = vote_bytes(chain_id, PRE_PREPARE, *place)
    if not environment.verify(replicas.primary(prepared.view).key, proposal, prepared.proposal):
        raise ProtocolViolation("a prepared certificate without its PRE-PREPARE")
    _check_votes(prepared.votes, vote_bytes(chain_id, PREPARE, *place), replicas, environment)


def _check_votes(
    votes: tuple[tuple[int, bytes], ...],
    signed: bytes,
    replicas: ReplicaSet,
    environment: Environment,
) -> None:
    for index, signature in votes:
        if index >= replicas.n:
            raise ProtocolViolation("a certificate with a vote of nobody")
        if not environment.verify(replicas.validators[index].key, signed, signature):
            raise ProtocolViolation("a certificate with a wrong signature")


def verify_commit_certificate(
    header: Header,
    certificate: bytes,
    validators: Sequence[Validator],
    chain_id: str,
    environment: Environment,
) -> tuple[int, list[tuple[int, bytes]]]:
    """View and votes (index in `validators`, signature) of a valid commit certificate.

    For block sync, integrity checks and the RPC. Raises ProtocolViolation.
    """
    checked = check_commit_certificate(
        header, certificate, replica_set(validators), chain_id, environment
    )
    return checked.view, list(checked.votes)
