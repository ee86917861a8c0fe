"""Submissions one by one and in lots: the real ledger, pool and signature checks, no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
import trio.testing

from ledger.chain import Chain
from ledger.errors import LedgerError
from ledger.genesis import Genesis, build_from_documents, parse_genesis
from ledger.store import MemoryStore
from node.dissemination import encode_chunk
from node.intake import Intake, TransactionStatus
from node.keys import KeyFile, from_seed
from node.mempool import Mempool, PoolBusy, Room
from node.metrics import Metrics
from node.testnet.signing import Signed, sign_batch
from node.verification import Verifier

SEEDS = Path(__file__).parents[2] / "seeds"
PAYLOADS = [json.loads(path.read_text()) for path in sorted((SEEDS / "batches").glob("*.json"))]
PAYLOAD = PAYLOADS[1]
MEMBERS = json.loads((SEEDS / "consortium" / "members.json").read_text())
KEY = from_seed("member", bytes(32))


def _genesis(keys: Mapping[str, KeyFile]) -> Genesis:
    given = {code: [{"key": key.public.hex(), "status": "active"}] for code, key in keys.items()}
    members = [{**each, "keys": given.get(each["code"], [])} for each in MEMBERS]
    voter = {"name": "v0", "member": "K77G", "key": "00" * 32, "peer_id": "nobody dials it"}
    documents = {"members.json": members, "validators.json": [voter]}
    return parse_genesis(build_from_documents(documents, 1_767_225_600_000))


GENESIS = _genesis({"K77G": KEY})


@dataclass
class Sent:
    """What was handed on to the other nodes."""

    lot: list[bytes] = field(default_factory=list)

    def add(self, signed: bytes) -> None:
        self.lot.append(signed)


@pytest.fixture
def sent() -> Sent:
    return Sent()


def _intake(door: int = 1_000) -> Intake:
    return _intake_of(GENESIS, Mempool(door=Room(door, 1 << 20)))


def _intake_of(genesis: Genesis, pool: Mempool) -> Intake:
    verifier = Verifier()
    chain = Chain.create(MemoryStore(), genesis, verifier.check)
    return Intake(chain, pool, verifier, Metrics())


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
    outcomes = await _intake(door=8).submit_many(lot, sent)  # type: ignore[arg-type]
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


@pytest.mark.trio
async def test_a_member_that_fills_the_pool_by_gossip_keeps_nobody_out(sent: Sent) -> None:
    """Its own node may gossip what its door would refuse; the others' doors stay open."""
    key = from_seed("member", bytes([1]) * 32)
    genesis = _genesis({"K77G": KEY, "S3PA": key})
    pool = Mempool(shared=Room(40, 1 << 20), door=Room(20, 1 << 20))
    intake = _intake_of(genesis, pool)
    flood, quiet = (
        [_sign(genesis, member, number) for number in range(1, count + 1)]
        for member, count in ((("K77G", KEY), 200), (("S3PA", key), 30))
    )
    assert await intake.take_chunk(encode_chunk(flood)) == 40
    with pytest.raises(PoolBusy):
        await intake.submit(flood[-1], sent)  # type: ignore[arg-type]
    done = await intake.submit_many(quiet, sent)  # type: ignore[arg-type]
    assert [_said(each) for each in done] == ["pooled"] * 10 + ["E_BUSY"] * 20
    assert await intake.take_chunk(encode_chunk(quiet)) == 10
    assert len(pool) == 60


def _sign(genesis: Genesis, member: tuple[str, KeyFile], number: int) -> bytes:
    code, key = member
    payload = next(each for each in PAYLOADS if each["facility"].startswith(code))
    return sign_batch({**payload, "batch_no": number}, genesis.chain_id, code, key).data
