"""The explorer's small parts: labels, near misses, preferences, numbers, files."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidIdentifier
from ledger.identifiers import ALPHABET, format_id, parse_id
from ledger.limits import BATCH_NO_MAX, UNITS_MAX
from node.explorer.assets import load_assets, make_asset
from node.explorer.headers import page_headers
from node.explorer.label import parse_label
from node.explorer.negotiation import choose_language, choose_media
from node.explorer.suggestions import neighbours
from node.explorer.texts import formula, mass, percent

FORMS = ("text/html", "application/json", "application/linkset+json")
CODES = st.text(ALPHABET, min_size=4, max_size=4)
IDS = st.builds(format_id, CODES, st.integers(1, BATCH_NO_MAX), st.integers(1, UNITS_MAX))


@given(IDS, st.integers(2, 1_000))
def test_a_package_is_read_back_from_its_own_address(text: str, count: int) -> None:
    here = parse_id(text)
    label = f"{text}+{count}"
    if here.serial + count - 1 > UNITS_MAX:
        with pytest.raises(InvalidIdentifier):
            parse_label(label)
        return
    found = parse_label(label)
    assert (found.identifier, found.count) == (here, count)
    assert found.path == f"/K/{label}"
    assert parse_label(f"HTTPS://KG.EXAMPLE.ORG{found.path}") == found
    assert parse_id(found.last).serial == here.serial + count - 1


@given(CODES, st.integers(1, BATCH_NO_MAX), st.integers(1, 1_000))
def test_a_batch_is_no_beginning_of_a_package(code: str, batch_no: int, count: int) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_label(f"{format_id(code, batch_no, 0)}+{count}")


@given(st.text(max_size=200))
def test_any_text_is_a_label_or_is_refused_as_one(text: str) -> None:
    try:
        found = parse_label(text)
    except InvalidIdentifier:
        return
    assert parse_label(found.path.removeprefix("/K/")) == found


@given(IDS, st.integers(3, 17), st.sampled_from(ALPHABET))
def test_a_wrong_symbol_leads_back_to_the_id(text: str, place: int, symbol: str) -> None:
    wrong = text[:place] + symbol + text[place + 1 :]
    found = [each.text for each in neighbours(wrong)]
    assert text in found
    assert len(found) < 20


@given(IDS, st.integers(3, 16))
def test_two_symbols_that_changed_places_lead_back_to_the_id(text: str, place: int) -> None:
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert text in [each.text for each in neighbours(swapped)]


def test_what_is_far_from_an_id_has_no_neighbours() -> None:
    assert neighbours("") == neighbours("RE1-K77G") == neighbours("Ё" * 18) == []


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        ("application/*", "application/json"),
        ("application/linkset+json, */*;q=0.1", "application/linkset+json"),
        ("text/html;q=0, */*", "application/json"),
        ("text/*;q=0.3, application/json;q=0.4", "application/json"),
        ("text/html;q=nonsense, application/json;q=0.9", "text/html"),
        ("audio/ogg", "text/html"),
        (",;q=1,,;;", "text/html"),
    ],
)
def test_the_preferred_form_is_chosen(header: str | None, chosen: str) -> None:
    assert choose_media(header, FORMS) == chosen


@given(st.text(max_size=3_000))
def test_any_header_chooses_something(header: str) -> None:
    assert choose_media(header, FORMS) in FORMS
    assert choose_language(header, ("en", "zh")) in ("en", "zh")


@pytest.mark.parametrize(
    ("grams", "said"),
    [
        (1, "1 g"),
        (999, "999 g"),
        (1_000, "1 kg"),
        (1_250, "1.25 kg"),
        (1_500_400, "1,500.4 kg"),
        (10_000_000, "10 t"),
        (18_400_250, "18.40025 t"),
        (1_000_000_000, "1,000 t"),
    ],
)
def test_a_mass_is_said_exactly_in_its_unit(grams: int, said: str) -> None:
    assert mass(grams) == said


@given(st.integers(0, 1_000_000))
def test_a_percentage_is_exact(ppm: int) -> None:
    said = percent(ppm)
    whole, _, rest = said.partition(".")
    assert int(whole) * 10_000 + int(f"{rest:0<4}") == ppm


def test_a_formula_has_its_numbers_below_the_line_and_other_text_does_not() -> None:
    assert formula("Nd2O3") == [("Nd", False), ("2", True), ("O", False), ("3", True)]
    assert formula("Tb4O7")[-1] == ("7", True)
    for text in ("<b>2</b>", "C2 H", "2H", ""):
        assert formula(text) == [(text, False)]


def test_a_file_that_compression_does_not_shorten_travels_as_it_is() -> None:
    assert make_asset(b"x" * 100, "text/plain").compressed is None
    long = b"let a = 1;\n" * 100
    packed = make_asset(long, "text/plain").compressed
    assert packed is not None
    assert gzip.decompress(packed) == long


def test_a_build_is_named_by_its_files_alone() -> None:
    assert load_assets().build == load_assets().build
    assert len(load_assets().build) == 16


def test_the_scripts_of_a_page_are_found_through_all_their_imports() -> None:
    assets = load_assets()
    found = assets.modules("pages/record.js")
    assert found[0] == "pages/record.js"
    assert {"chart.js", "verdict.js", "verify.js", "verify/crypto.js", "dom.js"} <= set(found)
    assert set(found) <= set(assets.files)
    assert assets.modules("pages/none.js") == []


@pytest.mark.parametrize("host", ["evil.example; script-src *", "a b", "[::1]:8645", ""])
def test_no_host_header_can_widen_the_policy(host: str) -> None:
    policy = page_headers(host)["content-security-policy"]
    assert policy.endswith("connect-src 'self'")
