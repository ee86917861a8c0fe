"""IDs: the published vectors, what a person may type, and what is told apart."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidIdentifier
from ledger.identifiers import ALPHABET, format_id, parse_id

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ids.json").read_text())["ids"]


def test_every_vector_reads_and_is_formed_alike() -> None:
    for text in VECTORS:
        found = parse_id(text)
        assert format_id(found.producer, found.batch_no, found.serial) == text


@pytest.mark.parametrize(
    ("serial", "text"),
    [(0, "RE1K77G0001G0000GP"), (1, "RE1K77G0001G0001GK"), (1000, "RE1K77G0001G00Z8JN")],
)
def test_the_documented_examples(serial: int, text: str) -> None:
    assert format_id("K77G", 48, serial) == text
    assert parse_id(text).kind == ("kilogram" if serial else "batch")


def test_people_may_type_it_their_way() -> None:
    assert parse_id(" re1-k77g-oooig-ooo1-gk").text == "RE1K77G0001G0001GK"
    assert parse_id("RE1K77G0001G0001GK").display == "RE1-K77G-0001G-0001-GK"


@pytest.mark.parametrize("text", ["", "RE1", "RE1K77G0001G0001GU", "RE2K77G0001G0001GK", "é" * 18])
def test_another_form_is_no_id(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        parse_id(text)
    assert caught.value.code == "E_ID"


def test_each_single_substitution_and_each_swap_is_found() -> None:
    good = "RE1K77G0001G0001GK"
    for place in range(3, 18):
        for symbol in ALPHABET:
            wrong = good[:place] + symbol + good[place + 1 :]
            if wrong != good:
                _assert_check_fails(wrong)
    for a, b in combinations(range(3, 18), 2):
        swapped = list(good)
        swapped[a], swapped[b] = swapped[b], swapped[a]
        if "".join(swapped) != good:
            _assert_check_fails("".join(swapped))


def _assert_check_fails(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        parse_id(text)
    assert caught.value.code == "E_CHECK"


@given(
    st.text(ALPHABET, min_size=4, max_size=4),
    st.integers(0, 33_554_431),
    st.integers(0, 1_048_575),
)
def test_forming_and_reading_are_inverse(producer: str, batch_no: int, serial: int) -> None:
    text = format_id(producer, batch_no, serial)
    found = parse_id(text)
    assert (found.producer, found.batch_no, found.serial) == (producer, batch_no, serial)
    number = 0
    for symbol in text:
        number = number * 32 + ALPHABET.index(symbol)
    assert number % 1021 == 1
