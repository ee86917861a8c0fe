"""What is answered to a peer that is behind, and how its answers are read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_intake import GENESIS, _signed

from ledger.chain import Chain
from ledger.codec import encode
from ledger.store import MemoryStore
from ledger.transactions import parse_transaction
from node import block_sync
from node.block_sync import BadRequest, chain_request, read_chain, serve_block, serve_chain
from node.environment import NodeEnvironment
from node.verification import Verifier

READ = NodeEnvironment(None).read_block
_NOW_MS = int(time.time() * 1000)


def chain_of(height: int) -> Chain:
    """A chain of blocks with one batch each."""
    chain = Chain.create(MemoryStore(), GENESIS, Verifier().check)
    for number in range(1, height + 1):
        candidate = parse_transaction(_signed(number).data)
        built, refused = chain.build([candidate], _NOW_MS + number, 0)
        assert built is not None, refused
        chain.append(built, b"certificate %d" % number, 0)
    return chain


CHAIN = chain_of(5)


def test_blocks_come_in_order_from_the_height_asked_for() -> None:
    blocks = read_chain(serve_chain(CHAIN, chain_request(3)), READ)
    assert [each.block.height for each in blocks] == [3, 4, 5]
    assert [each.certificate for each in blocks] == [b"certificate %d" % h for h in (3, 4, 5)]


def test_above_the_head_there_is_nothing() -> None:
    assert read_chain(serve_chain(CHAIN, chain_request(6)), READ) == ()
    assert read_chain(serve_chain(CHAIN, chain_request(2**60)), READ) == ()


def test_an_answer_is_bounded_but_never_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_sync, "SYNC_RESPONSE_BYTES_MAX", 10)
    assert len(read_chain(serve_chain(CHAIN, chain_request(1)), READ)) == 1
    monkeypatch.setattr(block_sync, "SYNC_BLOCKS_MAX", 2)
    monkeypatch.setattr(block_sync, "SYNC_RESPONSE_BYTES_MAX", 1 << 20)
    assert len(read_chain(serve_chain(CHAIN, chain_request(1)), READ)) == 2


@pytest.mark.parametrize(
    "payload", [b"", b"\xc0", encode(0), encode(-1), encode(True), b"\xff" * 17]
)
def test_a_request_for_no_height_is_refused(payload: bytes) -> None:
    with pytest.raises(BadRequest):
        serve_chain(CHAIN, payload)


def test_a_body_is_served_by_its_digest() -> None:
    stored = CHAIN.stored_block(2)
    assert stored is not None
    digest = READ(stored.data).digest
    assert serve_block(CHAIN, lambda _: None, digest) == stored.data
    for unknown in (bytes(32), digest[:-1], b""):
        with pytest.raises(BadRequest):
            serve_block(CHAIN, lambda _: None, unknown)


@given(st.binary(max_size=300))
def test_garbage_is_no_answer(data: bytes) -> None:
    try:
        assert read_chain(data, READ) == ()
    except ValueError:
        return


def test_a_changed_answer_is_refused_or_is_another_block() -> None:
    data = serve_chain(CHAIN, chain_request(5))
    [sent] = read_chain(data, READ)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            read = read_chain(changed, READ)
        except ValueError:
            continue
        assert [(each.block.digest, each.certificate) for each in read] != [
            (sent.block.digest, sent.certificate)
        ]
