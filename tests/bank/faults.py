"""The planted faults, read from the tables beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLES = ("consensus", "ledger", "node", "passports", "explorer")


@dataclass(frozen=True, slots=True)
class Fault:
    """`old`, which stands once in `file`, becomes `new`; tests in `found_by` must fail.

    `rule`: what is broken; § numbers are those of docs/protocol.md.
    """

    name: str
    rule: str
    file: str
    old: str
    new: str
    found_by: tuple[str, ...]


def _read(table: str) -> list[Fault]:
    document = tomllib.loads((Path(__file__).parent / f"{table}.toml").read_text())
    shared = {"found_by": document.get("found_by")}
    return [
        Fault(**{**shared, **fault, "found_by": tuple(fault.get("found_by", shared["found_by"]))})
        for fault in document["fault"]
    ]


FAULTS = tuple(fault for table in TABLES for fault in _read(table))
