"""What an append writes, what the state root depends on, and two limits of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from support import TIME_MS, check_signatures, genesis, member, public_key, transaction

from ledger.blocks import parse_block
from ledger.chain import Chain
from ledger.errors import InvalidBlock, InvalidTransaction
from ledger.state import State
from ledger.state_proof import EMPTY
from ledger.state_tree import StateTree
from ledger.store import MemoryStore, Write

GENESIS = genesis()


class Counting(MemoryStore):
    """Counts the batches."""

    batches = 0

    def write(self, writes: Sequence[Write]) -> None:
        self.batches += 1
        super().write(writes)


def test_block_state_and_head_are_one_batch() -> None:
    store = Counting()
    chain = Chain.create(store, GENESIS, check_signatures)
    built, _ = chain.build([transaction(GENESIS)], TIME_MS, 0)
    assert built is not None
    before = store.batches
    chain.append(built, b"certificate", 1)
    assert store.batches == before + 1


def test_the_state_root_does_not_depend_on_the_order_of_writing() -> None:
    there, back = (
        State(store, StateTree(store), EMPTY) for store in (MemoryStore(), MemoryStore())
    )
    for state, keys in ((there, (b"a", b"b")), (back, (b"b", b"a"))):
        for key in keys:
            state.put(key, b"value of " + key)
    assert there.root() == back.root()


def test_a_suspended_key_signs_nothing() -> None:
    keys = [{"key": public_key("K77G").hex(), "status": "suspended"}]
    given = genesis(members=[member("K77G", "producer", keys=keys), member("QAB1", "lab")])
    chain = Chain.create(MemoryStore(), given, check_signatures)
    with pytest.raises(InvalidTransaction) as refused:
        chain.admit(transaction(given), TIME_MS)
    assert refused.value.code == "E_KEY"


def test_a_block_of_more_transactions_than_allowed_is_refused() -> None:
    chain = Chain.create(MemoryStore(), GENESIS, check_signatures)
    built, _ = chain.build([transaction(GENESIS, batch_no=n) for n in (1, 2)], TIME_MS, 0)
    assert built is not None
    small = replace(GENESIS, parameters=replace(GENESIS.parameters, block_transactions_max=1))
    strict = Chain.create(MemoryStore(), small, check_signatures)
    with pytest.raises(InvalidBlock) as refused:
        strict.execute(parse_block(built.block.data))
    assert refused.value.field == "transactions"


def test_a_block_in_a_longer_encoding_is_refused() -> None:
    chain = Chain.create(MemoryStore(), GENESIS, check_signatures)
    built, _ = chain.build([transaction(GENESIS)], TIME_MS, 0)
    assert built is not None
    data = built.block.data
    assert data[0] == 0x92
    with pytest.raises(InvalidBlock) as refused:
        parse_block(b"\xdc\x00\x02" + data[1:])
    assert refused.value.field == "body"
