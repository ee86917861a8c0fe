"""What the RPC refuses gets in no other way: not in a peer's chunk, not in a primary's proposal."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_network import (
    BAD,
    BATCHES,
    BLOCK_TIME_MS,
    VALID_FOR_MS,
    Case,
    commit,
    new_chain,
    read,
    sample_genesis,
    sign,
)
from test_against_the_ledger import case_of

from ledger import merkle
from ledger.blocks import BlockHeader, encode_body, encode_header, parse_block, parse_header
from ledger.chain import Chain
from ledger.errors import InvalidBlock
from ledger.genesis import Genesis
from node.dissemination import MalformedChunk, encode_chunk
from node.intake import Intake
from node.mempool import Mempool
from node.metrics import Metrics
from node.verification import Verifier


def prepare(chain: Chain, genesis: Genesis, document: dict[str, Any], case: Case) -> bytes:
    """The signed bytes of a bad case, on a chain that holds what has to be there before."""
    signed = sign(genesis, case)
    if document.get("registered_before") == "transaction":
        commit(chain, [signed])
    elif document.get("registered_before") == "batch":
        commit(chain, [sign(genesis, replace(case, valid_for_ms=case.valid_for_ms - 1))])
    return signed


def intake_of(chain: Chain) -> tuple[Intake, Mempool, Metrics]:
    pool, metrics = Mempool(), Metrics()
    return Intake(chain, pool, Verifier(), metrics), pool, metrics


async def offered(intake: Intake, signed: bytes) -> str | None:
    """What is said of a chunk that nothing is taken from; None when it may be forwarded."""
    try:
        taken = await intake.take_chunk(encode_chunk([signed]))
    except MalformedChunk as error:
        return str(error)
    assert taken == 0
    return None


def from_now(case: Case) -> Case:
    """The same case for a pool, which looks at the clock and not at a block's time."""
    passed_ms = int(time.time() * 1000) - BLOCK_TIME_MS
    if case.valid_for_ms > VALID_FOR_MS:
        passed_ms += VALID_FOR_MS  # too long by a millisecond must still be too long when checked
    return replace(case, valid_for_ms=case.valid_for_ms + passed_ms)


@pytest.mark.trio
async def test_a_good_chunk_is_pooled() -> None:
    genesis = sample_genesis()
    intake, pool, _ = intake_of(new_chain(genesis))
    signed = [sign(genesis, from_now(Case(read(path)))) for path in BATCHES]
    assert await intake.take_chunk(encode_chunk(signed)) == len(BATCHES) == len(pool)
    assert await intake.take_chunk(encode_chunk(signed)) == 0


@pytest.mark.trio
@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
async def test_a_bad_batch_in_a_chunk_is_not_pooled(path: Path) -> None:
    document, genesis = read(path), sample_genesis()
    chain = new_chain(genesis)
    case = case_of(document)
    if document.get("registered_before") is None:
        case = from_now(case)
    signed = prepare(chain, genesis, document, case)
    intake, pool, metrics = intake_of(chain)
    code = document["error"]
    said = await offered(intake, signed)
    if said is None:
        seen = {
            name: metrics.registry.get_sample_value("kilochain_refusals_total", {"code": name})
            for name in (code, "E_EXPIRED")
        }
        assert seen[code] == 1 or (document.get("registered_before") and seen["E_EXPIRED"] == 1)
    else:
        assert said.startswith(code)
    assert len(pool) == 0


def proposal(chain: Chain, genesis: Genesis, signed: bytes) -> bytes:
    """A block of one transaction as a lying primary makes it: all roots right but the state's."""
    head = parse_header(chain.head.header_bytes)
    header = BlockHeader(
        version=1,
        chain_id=genesis.chain_id,
        height=chain.head.height + 1,
        parent=chain.head.digest,
        time_ms=BLOCK_TIME_MS + chain.head.height,
        proposer=0,
        transactions=1,
        transactions_root=merkle.root([signed]),
        state_root=bytes(32),
        validators_hash=head.next_validators_hash,
        next_validators_hash=head.next_validators_hash,
    )
    return encode_body(encode_header(header), [signed])


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_a_bad_batch_makes_a_proposal_invalid(path: Path) -> None:
    document, genesis = read(path), sample_genesis()
    chain = new_chain(genesis)
    signed = prepare(chain, genesis, document, case_of(document))
    before = chain.head
    with pytest.raises(InvalidBlock) as refusal:
        chain.execute(parse_block(proposal(chain, genesis, signed)))
    assert (refusal.value.code, refusal.value.field) == (document["error"], document["field"])
    assert chain.head == before


def test_a_proposal_with_a_wrong_state_root_is_refused() -> None:
    genesis = sample_genesis()
    chain = new_chain(genesis)
    signed = sign(genesis, Case(read(BATCHES[0])))
    with pytest.raises(InvalidBlock) as refusal:
        chain.execute(parse_block(proposal(chain, genesis, signed)))
    assert refusal.value.field == "state_root"
