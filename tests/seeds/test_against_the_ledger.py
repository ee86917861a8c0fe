"""Every seed meets the real ledger: good ones are anchored, bad ones get exactly their error."""

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sample_network import (
    BAD,
    BATCHES,
    BLOCK_TIME_MS,
    Case,
    commit,
    new_chain,
    read,
    sample_genesis,
    sign,
)

from ledger.chain import Chain
from ledger.errors import InvalidTransaction, LedgerError
from ledger.identifiers import format_id
from ledger.transactions import parse_transaction, payload_from_json

LEDGER = Path(__file__).parents[2] / "ledger"
RULES = ("rules/batch_register.py", "transition.py", "transactions.py")
CASE_FIELDS = {field.name for field in fields(Case)}


def case_of(document: dict[str, Any]) -> Case:
    return Case(**{name: value for name, value in document.items() if name in CASE_FIELDS})


def test_all_sample_batches_are_anchored_together() -> None:
    genesis = sample_genesis()
    chain = new_chain(genesis)
    executed = commit(chain, [sign(genesis, Case(read(path))) for path in BATCHES])
    assert executed.block.header.transactions == len(BATCHES)
    for path in BATCHES:
        batch = read(path)
        member, units = batch["facility"][:4], batch["units"]
        record = chain.lookup(format_id(member, batch["batch_no"], units))
        assert record["mass_g"] == batch["net_mass_g"] - 1000 * (units - 1)
        assert record["origin"] == batch["origin"]
        assert (
            chain.lookup(format_id(member, batch["batch_no"], 0))["mass_g"] == batch["net_mass_g"]
        )


@pytest.mark.parametrize("path", BATCHES, ids=lambda p: p.stem)
def test_a_sample_batch_reads_as_a_payload(path: Path) -> None:
    payload = payload_from_json(read(path))
    assert payload.units == read(path)["units"]


def offer(chain: Chain, signed: bytes) -> None:
    """What meets a transaction: the decoder, the door of the pool, and the block's execution."""
    chain.admit(parse_transaction(signed), BLOCK_TIME_MS)
    commit(chain, [signed])


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_a_bad_batch_gets_exactly_its_error(path: Path) -> None:
    document = read(path)
    genesis = sample_genesis()
    chain = new_chain(genesis)
    case = case_of(document)
    signed = sign(genesis, case)
    if document.get("registered_before") == "transaction":
        commit(chain, [signed])
    elif document.get("registered_before") == "batch":
        commit(chain, [sign(genesis, Case(case.batch, valid_for_ms=case.valid_for_ms - 1))])
    with pytest.raises(LedgerError) as refusal:
        offer(chain, signed)
    assert (refusal.value.code, refusal.value.field) == (document["error"], document["field"])
    assert str(refusal.value)


def refusals_in(source: str) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == InvalidTransaction.__name__
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and re.fullmatch(r"E_[A-Z_]+", str(call.args[0].value))
    }


def test_every_code_that_a_rule_can_refuse_with_has_a_bad_batch() -> None:
    raised: set[str] = set()
    for name in RULES:
        raised |= refusals_in((LEDGER / name).read_text())
    assert raised
    assert raised <= {read(path)["error"] for path in BAD}
