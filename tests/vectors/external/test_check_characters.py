"""Check characters of IDs against an independent ISO 7064 implementation."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from ledger.errors import InvalidIdentifier
from ledger.identifiers import ALPHABET, format_id, parse_id

TABLE = json.loads((Path(__file__).parent / "data" / "iso7064.json").read_text())
MODULUS = 1021


def number(symbols: str) -> int:
    value = 0
    for symbol in symbols:
        value = value * 32 + ALPHABET.index(symbol)
    return value


def test_the_table_is_whole() -> None:
    assert TABLE["alphabet"] == ALPHABET
    assert len(TABLE["checks"]) == 520
    assert len(TABLE["refused"]) == 203
    ends = Counter(number(check) for _, check in TABLE["checks"])
    assert all(ends[value] for value in (0, 1, 2, 3, 1019, 1020))


def test_every_check_is_the_oracle_s() -> None:
    for stem, check in TABLE["checks"]:
        formed = format_id(stem[3:7], number(stem[7:12]), number(stem[12:16]))
        assert formed == stem + check
        assert parse_id(formed).text == formed


@pytest.mark.parametrize(("text", "why"), TABLE["refused"])
def test_what_the_oracle_refuses_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        parse_id(text)
    assert caught.value.code == "E_CHECK", why


def test_one_stem_has_one_check() -> None:
    # Two symbols hold 1,024 values and the modulus is 1,021: three values have a double.
    for stem, _ in TABLE["checks"][-20:]:
        fitting = 0
        for value in range(32 * 32):
            try:
                parse_id(stem + ALPHABET[value // 32] + ALPHABET[value % 32])
            except InvalidIdentifier:
                continue
            fitting += 1
        assert fitting == 1
