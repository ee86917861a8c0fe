"""Values for the examples of `rpc.discover` and docs/rpc.md; all invented."""

from __future__ import annotations

from node.rpc.passport_shapes import (
    PassportBlock,
    PassportRecord,
    PassportRegistration,
    PassportRow,
    PassportState,
)
from node.rpc.shapes import (
    Anchored,
    AssayRow,
    BatchRow,
    BlockSummary,
    CertificateRow,
    FacilityRow,
    HeaderRow,
    KeyRow,
    Lookup,
    MemberRow,
    OriginRow,
    Part,
    TransactionRow,
    TransactionState,
    VoteRow,
)

TX_ID = "5f" * 32
DIGEST = "c0" * 32
ROOT = "1d" * 32
KEY = "a7" * 32
SIGNATURE = "e5" * 64
PEER_ID = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo"
CHAIN_ID = "sample-0011223344556677"
KILOGRAM = "RE1K77G0001G0001GK"
BATCH = "RE1K77G0001G0000GP"
TIME_MS = 1_790_000_000_000

PAYLOAD: dict[str, object] = {
    "batch_no": 48,
    "facility": "K77G-SX1",
    "product": "nd2o3",
    "stage": "separated",
    "net_mass_g": 500_000,
    "units": 500,
    "produced_on": "2026-10-02",
    "basis": "ignited",
    "total_ppm": 995_000,
    "ree": {"Nd": 995_000, "Pr": 5_000},
    "impurities": {"Fe2O3": 300},
    "origin": [{"country": "AU", "share_ppm": 1_000_000}],
    "coc": "MB",
    "assay": {"lab": "QAB1", "method": "ICP-OES", "cert": "A-1", "sha256": "9b" * 32},
}
ENVELOPE: dict[str, object] = {
    "v": 1,
    "chain_id": CHAIN_ID,
    "kind": "batch.register",
    "member": "K77G",
    "key": KEY,
    "valid_until_ms": TIME_MS,
    "salt": "3c" * 16,
    "payload": PAYLOAD,
}

ANCHORED = Anchored(TX_ID, 7, 0, TIME_MS)
COMMITTED = TransactionState(TX_ID, "committed", 7, 0, TIME_MS, None)
ORIGIN = [OriginRow("AU", 1_000_000)]
LOOKUP = Lookup(
    id=KILOGRAM,
    kind="kilogram",
    batch=BATCH,
    mass_g=1_000,
    composition=[Part("Nd", "Nd2O3", 990_025, 848_804), Part("Pr", "Pr6O11", 4_975, 4_118)],
    origin=ORIGIN,
    product="nd2o3",
    facility="K77G-SX1",
    produced_on="2026-10-02",
    coc="MB",
    committed_not_validated=[],
    registered_by="K77G",
    registered_by_name="Example Separation (invented)",
    anchored=ANCHORED,
    status="registered",
)
BATCH_ROW = BatchRow(
    id=BATCH,
    batch_no=48,
    facility="K77G-SX1",
    product="nd2o3",
    stage="separated",
    net_mass_g=500_000,
    units=500,
    produced_on="2026-10-02",
    basis="ignited",
    total_ppm=995_000,
    ree={"Nd": 995_000, "Pr": 5_000},
    impurities={"Fe2O3": 300},
    origin=ORIGIN,
    coc="MB",
    assay=AssayRow("QAB1", "ICP-OES", "A-1", "9b" * 32),
    registered_by="K77G",
    anchored=ANCHORED,
)
HEADER = HeaderRow(
    version=1,
    chain_id=CHAIN_ID,
    height=7,
    parent="b2" * 32,
    time_ms=TIME_MS,
    proposer=0,
    transactions=1,
    transactions_root="d4" * 32,
    state_root=ROOT,
    validators_hash="f1" * 32,
    next_validators_hash="f1" * 32,
)
TRANSACTION = TransactionRow(TX_ID, "batch.register", "K77G", BATCH, "nd2o3", 500, 500_000)
SUMMARY = BlockSummary(7, DIGEST, TIME_MS, 0, 1)
MEMBER = MemberRow(
    code="K77G",
    name="Example Separation (invented)",
    country="AU",
    roles=["producer"],
    status="active",
    keys=[KeyRow(KEY, "active", None)],
    facilities=[FacilityRow("K77G-SX1", "Separation plant 1", "AU")],
)
_BLOCK = PassportBlock("i6hjaGFpbl9pZLg…", CertificateRow(0, [VoteRow(0, SIGNATURE)]))
PASSPORT = PassportRow(
    passport=1,
    chain_id=CHAIN_ID,
    genesis=DIGEST,
    id=KILOGRAM,
    claim="registered",
    validator_changes=[],
    record=PassportRecord(BATCH, 1_000, PAYLOAD, "K77G", TIME_MS, 500),
    registration=PassportRegistration("ksUB44ioY2hh…", 0, [], _BLOCK),
    state=PassportState(_BLOCK, "k8QgX19fX19fX19f…", [ROOT, ""], None),
)
