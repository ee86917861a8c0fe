"""Batches for the tests of labels."""

from __future__ import annotations

import dataclasses
from typing import Any

from ledger.identifiers import format_id
from node.labels.content import Batch, Pack, Style, Wanted, parse_wanted

BATCH = Batch(
    producer="K77G",
    batch_no=48,
    units=103,
    net_mass_g=102_400,
    product="nd2o3",
    produced_on="2026-11-01",
    producer_name="Bärenberg & Söhne <Separation>",
)
REGISTERED = (Pack(61, 43, 42_390), Pack(1, 60, 60_010, "106141411234567897"))
PAPER = Style("a4", "qr", "id.example.com", cut_marks=True)


def other(**changes: Any) -> Batch:
    """The batch with changes."""
    return dataclasses.replace(BATCH, **changes)


def wanted(serial: int = 0, suffix: str = "") -> Wanted:
    """An ID of the batch, with a count after it."""
    return parse_wanted(format_id(BATCH.producer, BATCH.batch_no, serial) + suffix)
