"""The chain: admit, build, execute, append; and reads that any thread may make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from ledger import merkle, records
from ledger.blocks import (
    BlockHeader,
    ParsedBlock,
    build_block,
    genesis_block,
    parse_header,
    validators_hash,
)
from ledger.errors import (
    GenesisError,
    InvalidBlock,
    InvalidTransaction,
    StoreCorrupted,
)
from ledger.genesis import Genesis, Validator
from ledger.records import Anchor, BatchRecord
from ledger.state import State, stored_value
from ledger.state_proof import StateProof, root_of
from ledger.state_tree import StateTree, TreeUpdate, prove
from ledger.store import Store, Write
from ledger.stored_chain import (
    FORMAT,
    Head,
    StoredBlock,
    block_writes,
    check_newest,
    head_of,
    head_record,
    load_head,
    read_block,
)
from ledger.transactions import Transaction
from ledger.transition import Rules

SignatureCheck = Callable[[Sequence[Transaction]], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class ExecutedBlock:
    """A block that is valid on `parent`, with the state's writes and what they make of its tree."""

    block: ParsedBlock
    parent: bytes
    writes: tuple[Write, ...]
    tree: TreeUpdate


@dataclass(frozen=True, slots=True)
class ProvenState:
    """What a state key has at one height, and why that is what was agreed there.

    `value`: the value's bytes, None where the key has none; `proof` leads from it to the
    `state_root` of the header in `header_bytes` (`state_proof.root_of`); `certificate`: that
    header's commit certificate, empty at height 0.
    """

    value: bytes | None
    proof: StateProof
    header_bytes: bytes
    certificate: bytes


class Chain:
    """One chain over one store; reads are free.

    `build`, `execute` and `append` share the state tree and have one caller at a time.
    """

    def __init__(
        self, store: Store, genesis: Genesis, check_signatures: SignatureCheck | None
    ) -> None:
        self._store = store
        self._tree = StateTree(store)
        self._check_signatures = check_signatures
        self._rules = Rules(genesis)
        self._voters = validators_hash(genesis.validators)
        self._head, self._journal_record = load_head(store, genesis)
        self.genesis = genesis

    @staticmethod
    def create(
        store: Store, genesis: Genesis, check_signatures: SignatureCheck | None = None
    ) -> Chain:
        """Write height 0 into an empty store. Raises GenesisError when it is not empty."""
        if store.get(b"mhead") is not None:
            raise GenesisError("E_GENESIS", "the store already holds a chain: open it instead")
        block = genesis_block(genesis)
        writes = block_writes(block, b"", 0)
        store.write([(b"mformat", FORMAT), (b"mgenesis", genesis.digest), *writes])
        return Chain(store, genesis, check_signatures)

    @staticmethod
    def open(store: Store, genesis: Genesis, check_signatures: SignatureCheck) -> Chain:
        """A chain that exists. Raises FormatUnknown, GenesisError, StoreCorrupted."""
        chain = Chain(store, genesis, check_signatures)
        check_newest(store, chain.head.height)
        return chain

    @property
    def head(self) -> Head:
        """The newest block."""
        return self._head

    @property
    def validators(self) -> tuple[Validator, ...]:
        """Who signs the next height."""
        return self.genesis.validators

    @property
    def epoch(self) -> int:
        """The height since which they sign."""
        return 1

    @property
    def validator_sets(self) -> tuple[tuple[int, tuple[Validator, ...]], ...]:
        """Every set so far and the first height that it signs, ascending."""
        return ((self.epoch, self.validators),)

    @property
    def journal_record(self) -> int:
        """The journal record number stored with the head."""
        return self._journal_record

    # --- deciding ------------------------------------------------------------------------------

    def admit(self, transaction: Transaction, now_ms: int) -> None:
        """Everything but the signature, against the head. Raises InvalidTransaction."""
        head = self._head
        time_ms = max(now_ms, head.time_ms)
        state = State(self._store, self._tree, head.state_root)
        self._rules.check(transaction, state, time_ms, self._is_anchored)

    def build(
        self, candidates: Sequence[Transaction], time_ms: int, proposer: int
    ) -> tuple[ExecutedBlock | None, list[tuple[Transaction, InvalidTransaction]]]:
        """A block of the valid `candidates`, and the refused ones with their reason.

        Signatures are the caller's: candidates come from a pool that has checked them.
        """
        head, limits = self._head, self.genesis.parameters
        state = State(self._store, self._tree, head.state_root)
        chosen: list[Transaction] = []
        seen: set[bytes] = set()
        refused: list[tuple[Transaction, InvalidTransaction]] = []
        room = limits.block_bytes_max - _FRAMING_BYTES
        for each in candidates:
            room -= len(each.signed) + 5
            if len(chosen) == limits.block_transactions_max or room < 0:
                break
            try:
                self._step(each, state, time_ms, head.height + 1, len(chosen), seen)
            except InvalidTransaction as error:
                refused.append((each, error))
                room += len(each.signed) + 5
            else:
                chosen.append(each)
        if not chosen:
            return None, refused
        header = self._next_header(head, chosen, state, time_ms, proposer)
        block = build_block(header, chosen)
        return _executed(block, head, state), refused

    def execute(self, block: ParsedBlock) -> ExecutedBlock:
        """Run a block on the head without keeping anything. Raises InvalidBlock."""
        head = self._head
        self._check_place(block, head)
        check = self._check_signatures
        if check is None:
            raise RuntimeError("this chain was made without a signature check")
        for each, good in zip(block.transactions, check(block.transactions), strict=True):
            if not good:
                message = f"transaction {each.tx_id.hex()} is not signed by its key"
                raise InvalidBlock("E_SIG", message, "signature")
        state = State(self._store, self._tree, head.state_root)
        seen: set[bytes] = set()
        for index, each in enumerate(block.transactions):
            try:
                self._step(each, state, block.header.time_ms, head.height + 1, index, seen)
            except InvalidTransaction as error:
                message = f"transaction {each.tx_id.hex()}: {error}"
                raise InvalidBlock(error.code, message, error.field) from error
        if state.root() != block.header.state_root:
            raise InvalidBlock("E_BLOCK", "state_root: not what it gives here", "state_root")
        return _executed(block, head, state)

    def append(self, executed: ExecutedBlock, certificate: bytes, journal_record: int) -> Head:
        """One synced batch: block, certificate, state, indexes, head, journal record number.

        Raises InvalidBlock when `executed` is not on the head, OSError when nothing was written.
        """
        if executed.parent != self._head.digest:
            raise InvalidBlock("E_BLOCK", "parent: not executed on the head", "parent")
        block = executed.block
        writes = block_writes(block, certificate, journal_record)
        self._store.write([*writes, *executed.writes])
        self._tree.keep(executed.tree)
        self._head, self._journal_record = head_of(block, certificate), journal_record
        return self._head

    def _step(
        self,
        each: Transaction,
        state: State,
        time_ms: int,
        height: int,
        index: int,
        seen: set[bytes],
    ) -> None:
        self._rules.check(each, state, time_ms, lambda i: i in seen or self._is_anchored(i))
        self._rules.apply(each, state, height, index)
        seen.add(each.tx_id)

    def _next_header(
        self, head: Head, chosen: Sequence[Transaction], state: State, time_ms: int, proposer: int
    ) -> BlockHeader:
        return BlockHeader(
            version=1,
            chain_id=self.genesis.chain_id,
            height=head.height + 1,
            parent=head.digest,
            time_ms=time_ms,
            proposer=proposer,
            transactions=len(chosen),
            transactions_root=merkle.root([each.signed for each in chosen]),
            state_root=state.root(),
            validators_hash=self._voters,
            next_validators_hash=self._voters,
        )

    def _check_place(self, block: ParsedBlock, head: Head) -> None:
        header, limits = block.header, self.genesis.parameters
        expected = (
            ("chain_id", header.chain_id == self.genesis.chain_id),
            ("height", header.height == head.height + 1),
            ("parent", header.parent == head.digest),
            ("time_ms", header.time_ms > head.time_ms),
            ("proposer", header.proposer < len(self.validators)),
            ("validators_hash", header.validators_hash == self._voters),
            ("next_validators_hash", header.next_validators_hash == self._voters),
            ("transactions", 0 < header.transactions <= limits.block_transactions_max),
            ("body", len(block.data) <= limits.block_bytes_max),
        )
        for name, holds in expected:
            if not holds:
                raise InvalidBlock("E_BLOCK", f"{name}: does not follow the head", name)

    def _is_anchored(self, tx_id: bytes) -> bool:
        return self._store.get(b"t" + tx_id) is not None

    # --- reading -------------------------------------------------------------------------------

    def stored_block(self, height: int) -> StoredBlock | None:
        """The block at `height`, or None.

        While one is appended it is stored a moment before it is `head`, and found from then on.
        """
        return read_block(self._store, height) if 0 <= height < 2**64 else None

    def header(self, height: int) -> BlockHeader | None:
        """The header at `height`, or None."""
        stored = self.stored_block(height)
        return None if stored is None else parse_header(records.header_bytes(stored.data))

    def height_of(self, digest: bytes) -> int | None:
        """The height of the block with this digest, or None."""
        found = self._store.get(b"h" + digest)
        return None if found is None else int.from_bytes(found, "big")

    def find_transaction(self, tx_id: bytes) -> Anchor | None:
        """Where a transaction is anchored, or None."""
        return records.find_anchor(self._store, tx_id)

    def transaction(self, tx_id: bytes) -> Transaction | None:
        """An anchored transaction, or None."""
        anchor = self.find_transaction(tx_id)
        return None if anchor is None else records.read_transaction(self._store, tx_id, anchor)

    def batch(self, producer: str, batch_no: int) -> BatchRecord | None:
        """A registered batch, or None."""
        return records.find_batch(self._store, producer, batch_no)

    def state_proof(self, key: bytes) -> ProvenState:
        """What `key` (`state.batch_key`) has at the newest height, with its proof.

        All of it is of one height, from any thread and while blocks are appended: `head` may
        already be another. The proof has been checked against the header. Raises StoreCorrupted.
        """
        with closing(self._store.snapshot()) as then:
            header_bytes, certificate, root = head_record(then)
            value, proof = stored_value(then, key), prove(then, root, key)
        if root_of(key, value, proof) != root:
            message = "the state is not what its tree says: fetch the chain again"
            raise StoreCorrupted("E_CORRUPTED", message)
        return ProvenState(value, proof, header_bytes, certificate)

    def batches(self, member: str, after: int, limit: int) -> list[BatchRecord]:
        """A member's batches with a number above `after`, in order."""
        return records.list_batches(self._store, member, after, limit)

    def lookup(self, text: str) -> dict[str, object]:
        """What `id.lookup` answers. Raises InvalidIdentifier, NotRegistered."""
        return records.lookup(self._store, text)

    def batch_record(self, text: str) -> dict[str, object]:
        """What `batch.get` answers. Raises InvalidIdentifier, NotRegistered."""
        return records.batch_record(self._store, text)


_FRAMING_BYTES = 2048


def _executed(block: ParsedBlock, head: Head, state: State) -> ExecutedBlock:
    return ExecutedBlock(block, head.digest, tuple(state.store_writes()), state.tree_update())
