"""What the replica borrows from this node: its voting key, one verifier, the ledger's formats."""

from __future__ import annotations

from collections.abc import Callable

from consensus.interface import Block, Header, Validator
from ledger.blocks import BlockHeader, ParsedBlock, header_digest, parse_block, parse_header
from ledger.errors import LedgerError
from ledger.genesis import Validator as GenesisValidator
from ledger.transactions import Transaction
from node import keys
from node.guard import VoteGuard
from node.limits import BLOCK_BYTES_MAX


class NodeEnvironment:
    """The consensus room's `Environment`. `key` is None for an observer.

    `guard`: what this key has signed so far, as the journal tells.
    `known`: a transaction that this node has parsed from the same signed bytes, or None.
    """

    def __init__(
        self,
        key: keys.KeyFile | None,
        guard: VoteGuard | None = None,
        known: Callable[[bytes], Transaction | None] = lambda signed: None,
    ) -> None:
        # An empty guard still knows the head and the view, and is falsy.
        self.guard = VoteGuard() if guard is None else guard
        self._key = key
        self._known = known

    def sign(self, message: bytes) -> bytes:
        """Ed25519 by the voting key, after the guard has looked. Raises DoubleSign."""
        if self._key is None:
            raise RuntimeError("an observer has no voting key")
        self.guard.check(message)
        return self._key.sign(message)

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is `key`'s over `message`."""
        return keys.verify(key, message, signature)

    def read_header(self, data: bytes) -> Header:
        """Decode a header strictly. Raises ValueError."""
        try:
            return consensus_header(parse_header(data), data)
        except LedgerError as error:
            raise ValueError(str(error)) from error

    def read_block(self, data: bytes) -> Block:
        """Decode a body strictly and check it against its own header. Raises ValueError."""
        if len(data) > BLOCK_BYTES_MAX:
            raise ValueError("block body too long")
        try:
            return consensus_block(parse_block(data, self._known))
        except LedgerError as error:
            raise ValueError(str(error)) from error


def consensus_header(header: BlockHeader, data: bytes) -> Header:
    """The ledger's header as agreement reads it."""
    return Header(
        digest=header_digest(data),
        height=header.height,
        parent=header.parent,
        time_ms=header.time_ms,
        proposer=header.proposer,
        transaction_count=header.transactions,
        validators_hash=header.validators_hash,
        next_validators_hash=header.next_validators_hash,
        data=data,
    )


def consensus_block(parsed: ParsedBlock) -> Block:
    """The ledger's block as agreement reads it."""
    return Block(consensus_header(parsed.header, parsed.header_bytes), parsed.data, parsed)


def consensus_validators(validators: tuple[GenesisValidator, ...]) -> tuple[Validator, ...]:
    """The ledger's validator set as agreement reads it."""
    return tuple(Validator(each.name, each.key, each.peer_id) for each in validators)
