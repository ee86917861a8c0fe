"""Submissions one by one and in lots: the real ledger, pool and signature checks, no network."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
import trio.testing

from ledger.chain import Chain
from ledger.errors import LedgerError
from ledger.genesis import Genesis, build_from_documents, parse_genesis
from ledger.store import MemoryStore
from node.intake import Intake, TransactionStatus
from node.keys import from_seed
from node.mempool import Mempool, PoolBusy
from node.metrics import Metrics
from node.testnet.signing import Signed, sign_batch
from node.verification import Verifier

SEEDS = Path(__file__).parents[2] / "seeds"
PAYLOAD = json.loads((SEEDS / "batches" / "02-K77G-ree-concentrate.json").read_text())
MEMBERS = json.loads((SEEDS / "consortium" / "members.json").read_text())
KEY = from_seed("member", bytes(32))


def _genesis() -> Genesis:
    keys = [{"key": KEY.public.hex(), "status": "active"}]
    members = [{**each, "keys": keys if each["code"] == "K77G" else []} for each in MEMBERS]
    voter = {"name": "v0", "member": "K77G", "key": "00" * 32, "peer_id": "nobody dials it"}
    documents = {"members.json": members, "validators.json": [voter]}
    return parse_genesis(build_from_documents(documents, 1_767_225_600_000))


GENESIS = _genesis()


@dataclass
class Sent:
    """What was handed on to the other nodes."""

    lot: list[bytes] = field(default_factory=list)

    def add(self, signed: bytes) -> None:
        self.lot.append(signed)


@pytest.fixture
def sent() -> Sent:
    return Sent()


def _intake(count_max: int = 1_000) -> Intake:
    verifier = Verifier()
    chain = Chain.create(MemoryStore(), GENESIS, verifier.check)
    return Intake(chain, Mempool(count_max), verifier, Metrics())


def _signed(number: int, **changes: object) -> Signed:
    return sign_batch({**PAYLOAD, "batch_no": number, **changes}, GENESIS.chain_id, "K77G", KEY)


def _spoilt(number: int) -> bytes:
    data = _signed(number).data
    return data[:-1] + bytes([data[-1] ^ 1])


def _said(outcome: TransactionStatus | LedgerError | PoolBusy) -> str:
    return outcome.status if isinstance(outcome, TransactionStatus) else outcome.code


@pytest.mark.trio
async def test_each_of_a_lot_gets_what_it_would_get_alone(sent: Sent) -> None:
    good = _signed(1).data
    lot = [good, _spoilt(2), b"", _signed(3, units=1).data, good, _signed(4).data]
    together = await _intake().submit_many(lot, sent)  # type: ignore[arg-type]
    alone: list[str] = []
    intake, apart = _intake(), Sent()
    for each in lot:
        try:
            alone.append((await intake.submit(each, apart)).status)  # type: ignore[arg-type]
        except LedgerError as error:
            alone.append(error.code)
    assert [_said(each) for each in together] == alone
    assert alone == ["pooled", "E_SIG", "E_SCHEMA", "E_UNITS", "pooled", "pooled"]
    assert sent.lot == apart.lot == [good, lot[5]]


@pytest.mark.trio
async def test_a_lot_beyond_the_pools_room_is_refused_from_there_on(sent: Sent) -> None:
    lot = [_signed(number).data for number in range(1, 21)]
    outcomes = await _intake(count_max=16).submit_many(lot, sent)  # type: ignore[arg-type]
    assert [_said(each) for each in outcomes] == ["pooled"] * 8 + ["E_BUSY"] * 12
    assert sent.lot == lot[:8]


@pytest.mark.trio
async def test_submissions_at_the_same_time_get_each_its_own_verdict(sent: Sent) -> None:
    intake = _intake()
    verdicts: dict[int, str] = {}

    async def submit(number: int) -> None:
        data = _spoilt(number) if number % 3 == 0 else _signed(number).data
        try:
            verdicts[number] = (await intake.submit(data, sent)).status  # type: ignore[arg-type]
        except LedgerError as error:
            verdicts[number] = error.code

    async with trio.open_nursery() as nursery:
        for number in range(1, 61):
            nursery.start_soon(submit, number)
    assert verdicts == {n: "E_SIG" if n % 3 == 0 else "pooled" for n in range(1, 61)}


@pytest.mark.trio
async def test_a_submitter_that_goes_away_spoils_nothing_for_the_others(sent: Sent) -> None:
    intake = _intake()
    outcomes: list[str] = []

    async def submit(first: int, scope: trio.CancelScope) -> None:
        lot = [_signed(number).data for number in range(first, first + 40)]
        with scope:
            done = await intake.submit_many(lot, sent)  # type: ignore[arg-type]
            outcomes.extend(_said(each) for each in done)

    scopes = [trio.CancelScope() for _ in range(4)]
    async with trio.open_nursery() as nursery:
        for index, scope in enumerate(scopes):
            nursery.start_soon(submit, 100 * index + 1, scope)
        await trio.testing.wait_all_tasks_blocked()
        scopes[0].cancel()
        scopes[2].cancel()
    assert set(outcomes) == {"pooled"}
    assert len(outcomes) >= 80
