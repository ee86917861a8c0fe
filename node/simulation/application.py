"""What the simulator needs of a ledger, and a toy one whose validator set can change.

An application survives a crash: an append is one synced batch. It stands for one replica's chain.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgpack  # type: ignore[import-untyped, unused-ignore]

from consensus.interface import Block, CommittedBlock, Environment, Header, Validator
from node.simulation.limits import BLOCK_TRANSACTIONS_MAX


@dataclass(frozen=True, slots=True)
class AppHead:
    """The newest applied block, who signs the next height and since when."""

    header: Header
    certificate: bytes
    validators: tuple[Validator, ...]
    epoch: int
    journal_record: int


class Application(Protocol):
    """One replica's ledger, as the simulator's driver sees it.

    `lies`: blocks that it builds name a state root that is not what they give.
    """

    lies: bool

    @property
    def head(self) -> AppHead:
        """The newest applied block."""

    def read_header(self, data: bytes) -> Header:
        """Decode a header strictly. Raises ValueError."""

    def read_block(self, data: bytes) -> Block:
        """Decode a body strictly. Raises ValueError."""

    def admits(self, transaction: bytes) -> bool:
        """Whether `transaction` could be in the next block."""

    def build(self, pooled: Sequence[bytes], time_ms: int, proposer: int) -> Block | None:
        """A block of the pooled transactions that are valid on the head, or None."""

    def execute(self, block: Block) -> str | None:
        """Why `block` is refused on the head, or None."""

    def append(self, block: Block, certificate: bytes, journal_record: int) -> None:
        """Apply durably. Raises ValueError when the block does not execute."""

    def stored(self, height: int) -> CommittedBlock | None:
        """The committed block at `height`, with its certificate."""

    def find(self, digest: bytes) -> Block | None:
        """The committed block with this digest."""

    def transactions(self, block: Block) -> tuple[bytes, ...]:
        """The transactions of a block."""

    def audit(self) -> str | None:
        """Replay the stored chain from its first block: None, or what differs."""

    def reopen(self) -> None:
        """Read the chain anew, as a start does. Raises LedgerError where it does not read."""

    def reset(self) -> None:
        """Begin again at height 0, as in an empty folder."""

    def damage(self, kind: str, chance: random.Random) -> None:
        """Spoil the stored chain: one of `node.simulation.store.DAMAGES`."""


class Ledgers(Protocol):
    """Where the applications of one network and its transactions come from."""

    chain_id: str

    def new(self) -> Application:
        """A ledger at height 0."""

    def transaction(self, number: int) -> bytes:
        """A valid transaction; another one for each number."""


LedgersFactory = Callable[[tuple[Validator, ...], tuple[Validator, ...], Environment], Ledgers]


class ToyLedgers:
    """Toy chains over one first validator set."""

    chain_id = "simulated-0000000000000000"

    def __init__(
        self, validators: tuple[Validator, ...], known: tuple[Validator, ...], _: Environment
    ) -> None:
        """`known`: every replica that a set change may name."""
        self._sets = (validators, known)

    def new(self) -> ToyLedger:
        """See `Ledgers`."""
        return ToyLedger(*self._sets)

    def transaction(self, number: int) -> bytes:
        """See `Ledgers`."""
        return note_transaction(number)


def note_transaction(number: int) -> bytes:
    """A toy transaction that only has to be committed once."""
    return bytes(msgpack.packb(["note", number]))


def set_transaction(number: int, names: Sequence[str]) -> bytes:
    """A toy transaction that makes `names` the validator set of the next height."""
    return bytes(msgpack.packb(["set", number, list(names)]))


def _hash(tag: str, *parts: bytes) -> bytes:
    return hashlib.sha256(tag.encode() + b"\x00" + b"".join(parts)).digest()


def _set_hash(validators: Sequence[Validator]) -> bytes:
    return _hash("toy/set", *(validator.key for validator in validators))


def _header(fields: list[int | bytes]) -> Header:
    data = bytes(msgpack.packb(fields))
    return _read_header(data)


def _read_header(data: bytes) -> Header:
    try:
        fields = msgpack.unpackb(data)
        height, parent, time_ms, proposer, count, root, state, present, following = fields
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise ValueError("not a header") from error
    numbers, texts = (height, time_ms, proposer, count), (parent, root, state, present, following)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a header number is out of range")
    if not all(isinstance(text, bytes) and len(text) == 32 for text in texts):
        raise ValueError("a header digest is not 32 bytes")
    if msgpack.packb(fields) != data:
        raise ValueError("header is not canonical")
    digest = _hash("kilochain/block/1", data)
    return Header(digest, height, parent, time_ms, proposer, count, present, following, data)


class ToyLedger:
    """Blocks of toy transactions, each valid once; state is the set of those seen."""

    def __init__(self, validators: tuple[Validator, ...], known: Sequence[Validator]) -> None:
        """`known`: every replica that a set change may name."""
        self._first = (validators, known)
        self._known = {validator.name: validator for validator in known}
        self.lies = False
        present = _set_hash(validators)
        header = _header([0, bytes(32), 0, 0, 0, bytes(32), bytes(32), present, present])
        self._blocks: list[CommittedBlock] = [
            CommittedBlock(Block(header, msgpack.packb([header.data, []]), ()), b"")
        ]
        self._heights = {header.digest: 0}
        self._seen: set[bytes] = set()
        self._state = bytes(32)
        self.head = AppHead(header, b"", validators, 1, 0)

    def read_header(self, data: bytes) -> Header:
        """See `Application`."""
        return _read_header(data)

    def read_block(self, data: bytes) -> Block:
        """See `Application`."""
        try:
            header_data, transactions = msgpack.unpackb(data)
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise ValueError("not a block") from error
        if not isinstance(header_data, bytes) or not isinstance(transactions, list):
            raise ValueError("not a block")
        if not all(isinstance(transaction, bytes) for transaction in transactions):
            raise ValueError("a transaction is not binary")
        header = _read_header(header_data)
        root = _hash("toy/root", *(_hash("toy/tx", each) for each in transactions))
        fields = msgpack.unpackb(header_data)
        if header.transaction_count != len(transactions) or fields[5] != root:
            raise ValueError("the body does not match its header")
        if msgpack.packb([header_data, transactions]) != data:
            raise ValueError("block is not canonical")
        return Block(header, data, tuple(transactions))

    def admits(self, transaction: bytes) -> bool:
        """See `Application`."""
        return transaction not in self._seen and self._read(transaction) is not None

    def build(self, pooled: Sequence[bytes], time_ms: int, proposer: int) -> Block | None:
        """See `Application`."""
        chosen = [each for each in pooled if self.admits(each)][:BLOCK_TRANSACTIONS_MAX]
        if not chosen:
            return None
        block = self.block(tuple(chosen), max(time_ms, self.head.header.time_ms + 1), proposer)
        return self._misstated(block) if self.lies else block

    def block(self, transactions: tuple[bytes, ...], time_ms: int, proposer: int) -> Block:
        """A block on the head with these transactions and the roots that they lead to."""
        parent = self.head.header
        state, following = self._outcome(transactions)
        root = _hash("toy/root", *(_hash("toy/tx", each) for each in transactions))
        header = _header(
            [
                parent.height + 1,
                parent.digest,
                time_ms,
                proposer,
                len(transactions),
                root,
                state,
                _set_hash(self.head.validators),
                _set_hash(following),
            ]
        )
        return Block(header, msgpack.packb([header.data, list(transactions)]), transactions)

    def execute(self, block: Block) -> str | None:
        """See `Application`."""
        transactions = self.transactions(block)
        header = block.header
        if header.parent != self.head.header.digest:
            return "not on the head"
        if len(set(transactions)) != len(transactions):
            return "a transaction twice"
        if not all(self.admits(transaction) for transaction in transactions):
            return "an invalid transaction"
        if self.block(transactions, header.time_ms, header.proposer).digest != block.digest:
            return "roots differ"
        return None

    def append(self, block: Block, certificate: bytes, journal_record: int) -> None:
        """See `Application`."""
        refusal = self.execute(block)
        if refusal is not None:
            raise ValueError(f"block {block.height} does not execute: {refusal}")
        transactions = self.transactions(block)
        self._state, following = self._outcome(transactions)
        epoch = self.head.epoch if following == self.head.validators else block.height + 1
        self._seen.update(transactions)
        self._blocks.append(CommittedBlock(block, certificate))
        self._heights[block.digest] = block.height
        self.head = AppHead(block.header, certificate, following, epoch, journal_record)

    def stored(self, height: int) -> CommittedBlock | None:
        """See `Application`."""
        return self._blocks[height] if 0 < height < len(self._blocks) else None

    def find(self, digest: bytes) -> Block | None:
        """See `Application`."""
        stored = self.stored(self._heights.get(digest, 0))
        return None if stored is None else stored.block

    def transactions(self, block: Block) -> tuple[bytes, ...]:
        """See `Application`."""
        assert isinstance(block.content, tuple)
        return block.content

    def audit(self) -> str | None:
        """See `Application`."""
        again = ToyLedger(*self._first)
        for stored in self._blocks[1:]:
            refusal = again.execute(self.read_block(stored.block.data))
            if refusal is not None:
                return f"height {stored.block.height}: {refusal}"
            again.append(stored.block, stored.certificate, 0)
        return None if again.head.header == self.head.header else "the head is not the last block"

    def reopen(self) -> None:
        """See `Application`: this one's memory is its disk."""

    def reset(self) -> None:
        """See `Application`."""
        raise NotImplementedError("only the node's ledger is set up anew")

    def damage(self, kind: str, chance: random.Random) -> None:
        """See `Application`: a toy chain has no disk to spoil."""
        raise NotImplementedError("only the node's ledger is damaged")

    def _misstated(self, block: Block) -> Block:
        fields = msgpack.unpackb(block.header.data)
        fields[6] = bytes(32)
        header = _header(fields)
        transactions = self.transactions(block)
        return Block(header, msgpack.packb([header.data, list(transactions)]), transactions)

    def _read(self, transaction: bytes) -> tuple[Validator, ...] | None:
        """The set that a transaction names (empty for a note), or None when it is malformed."""
        try:
            kind, _, *rest = msgpack.unpackb(transaction)
        except (ValueError, TypeError, msgpack.UnpackException):
            return None
        if kind == "note" and not rest:
            return ()
        if kind != "set" or len(rest) != 1 or not rest[0]:
            return None
        if not all(name in self._known for name in rest[0]):
            return None
        return tuple(self._known[name] for name in rest[0])

    def _outcome(self, transactions: tuple[bytes, ...]) -> tuple[bytes, tuple[Validator, ...]]:
        state, following = self._state, self.head.validators
        for transaction in transactions:
            following = self._read(transaction) or following
            state = _hash("toy/state", state, transaction)
        return state, following
