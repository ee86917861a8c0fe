"""What agreement means to a verifier of passports: votes, quorums, validator sets.

Written down here a second time on purpose, independent of the consensus room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.blocks import BlockHeader, header_digest, parse_header
from ledger.codec import CodecError, digest, encode, signing_bytes
from ledger.errors import InvalidBlock, InvalidPassport
from ledger.passport import Block

SignatureCheck = Callable[[bytes, bytes, bytes], bool]
"""Ed25519: whether (key, message, signature) fit. Small-order keys must not pass."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose chain it is, and who looks at signatures."""

    chain_id: str
    check: SignatureCheck


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """Who signs the blocks above `above`: their keys in order, and the set's digest."""

    above: int
    keys: tuple[bytes, ...]
    hash: bytes


def quorum(n: int) -> int:
    """Votes that make a block final among n validators: ⌈(n + f + 1)/2⌉ with f = ⌊(n − 1)/3⌋."""
    f = (n - 1) // 3
    return -(-(n + f + 1) // 2)


def commit_bytes(chain_id: str, view: int, height: int, block: bytes) -> bytes:
    """What a COMMIT for the block with digest `block` signs."""
    vote = {"chain_id": chain_id, "digest": block, "height": height, "kind": "commit"}
    return signing_bytes("kilochain/vote/1", encode({**vote, "v": 1, "view": view}))


def agreed_header(block: Block, force: ValidatorSet, trust: Trust) -> BlockHeader:
    """The header of a block that a quorum of `force` agreed on. Raises InvalidPassport."""
    header = read_header(block, trust)
    at, votes, n = header.height, block.certificate.votes, len(force.keys)
    require(header.validators_hash == force.hash, f"block {at} is of another validator set")
    require(
        quorum(n) <= len(votes) <= n, f"block {at} has {len(votes)} votes: {quorum(n)} to {n} count"
    )
    signed = commit_bytes(trust.chain_id, block.certificate.view, at, header_digest(block.header))
    least = 0
    for vote in votes:
        require(least <= vote.replica < n, f"votes of block {at} out of order or of nobody")
        good = trust.check(force.keys[vote.replica], signed, vote.signature)
        require(good, f"block {at}: the vote of replica {vote.replica} is not signed by its key")
        least = vote.replica + 1
    return header


def read_header(block: Block, trust: Trust) -> BlockHeader:
    """A header of this chain, agreed on or not. Raises InvalidPassport."""
    try:
        header = parse_header(block.header)
    except InvalidBlock as error:
        raise broken(f"a header does not read: {error}") from error
    require(header.chain_id == trust.chain_id, f"block {header.height}: another chain")
    return header


def validator_set(above: int, validators: Sequence[tuple[bytes, str, str]]) -> ValidatorSet:
    """A set of (key, name, peer ID), in order. Raises InvalidPassport."""
    plain = [{"key": bytes(key), "name": name, "peer_id": p} for key, name, p in validators]
    try:
        found = digest("kilochain/validators/1", encode(plain))
    except CodecError as error:
        raise broken(f"a validator set does not encode: {error}") from error
    return ValidatorSet(above, tuple(key for key, _, _ in validators), found)


def require(holds: bool, message: str) -> None:
    """Raise InvalidPassport, the step to be named by whoever takes it, unless `holds`."""
    if not holds:
        raise broken(message)


def broken(message: str) -> InvalidPassport:
    """What `require` raises."""
    return InvalidPassport("", message)
