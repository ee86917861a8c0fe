"""Which labels a batch has, and what stands on each."""

from __future__ import annotations

import pytest
from batches import BATCH, REGISTERED, other, wanted
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidIdentifier
from ledger.products import PRODUCTS
from node.labels.content import PRODUCT_NAMES, Pack, batch_of, labels_of, mass_text, parse_wanted
from node.labels.errors import LabelError
from node.labels.limits import LABELS_MAX

PAYLOAD = {
    "batch_no": 48,
    "units": 103,
    "net_mass_g": 102_400,
    "product": "nd2o3",
    "produced_on": "2026-11-01",
}


@given(mass_g=st.integers(1, 5_000_000), size=st.integers(1, 600))
def test_packages_cover_each_kilogram_once_and_the_whole_mass(mass_g: int, size: int) -> None:
    batch = other(net_mass_g=mass_g, units=-(-mass_g // 1000))
    if -(-batch.units // size) > LABELS_MAX:
        return
    labels = labels_of(batch, wanted(), size, None)
    serials = [
        s for each in labels for s in range(each.pack.first, each.pack.first + each.pack.count)
    ]
    assert serials == list(range(1, batch.units + 1))
    assert sum(each.pack.mass_g for each in labels) == mass_g
    assert all(each.pack.count == size for each in labels[:-1])
    assert [(each.number, each.of) for each in labels] == [
        (i + 1, len(labels)) for i in range(len(labels))
    ]


def test_the_last_package_holds_what_remains() -> None:
    labels = labels_of(BATCH, wanted(), None, None)
    assert [each.pack.count for each in labels] == [25, 25, 25, 25, 3]
    assert labels[-1].pack == Pack(101, 3, 2_400)
    assert labels[-1].code_text("Id.Example.com") == f"HTTPS://ID.EXAMPLE.COM/K/{id_of(101)}+3"
    assert labels[-1].code_text(None) == f"{id_of(101)}+3"


def id_of(serial: int) -> str:
    return wanted(serial).identifier.text


def test_registered_packages_are_followed_unless_a_size_is_asked_for() -> None:
    batch = other(packs=REGISTERED)
    labels = labels_of(batch, wanted(), None, None)
    assert [each.pack for each in labels] == [REGISTERED[1], REGISTERED[0]]
    assert len(labels_of(batch, wanted(), 50, None)) == 3


def test_a_kilogram_has_a_label_of_its_own_and_a_package_too() -> None:
    [one] = labels_of(BATCH, wanted(103), None, None)
    assert (one.pack, one.of, one.suffix) == (Pack(103, 1, 400), 0, "")
    [pack] = labels_of(BATCH, wanted(26, "+25"), None, None)
    assert (pack.pack, pack.suffix) == (Pack(26, 25, 25_000), "+25")
    assert labels_of(BATCH, wanted(26), 25, None) == [pack]
    address = f"https://id.example.com/k/{id_of(26)}+25"
    assert labels_of(BATCH, parse_wanted(address), None, None) == [pack]


def test_a_selection_keeps_the_numbers_of_the_whole() -> None:
    labels = labels_of(BATCH, wanted(), 10, (3, 4))
    assert [(each.number, each.of, each.pack.first) for each in labels] == [
        (3, 11, 21),
        (4, 11, 31),
    ]
    assert len(labels_of(BATCH, wanted(), 10, (11, 99))) == 1


def test_more_than_the_limit_are_refused_with_what_to_do() -> None:
    batch = other(units=LABELS_MAX + 1, net_mass_g=(LABELS_MAX + 1) * 1000)
    with pytest.raises(LabelError, match=r"--pack.*--labels 1-10000"):
        labels_of(batch, wanted(), 1, None)
    assert len(labels_of(batch, wanted(), 1, (2, LABELS_MAX + 1))) == LABELS_MAX


def test_what_the_batch_does_not_have_is_refused() -> None:
    with pytest.raises(LabelError, match="none with the number 104"):
        labels_of(BATCH, wanted(104), None, None)
    with pytest.raises(LabelError, match=r"only 3 kilograms: give \+3 or less"):
        labels_of(BATCH, wanted(101, "+4"), None, None)
    with pytest.raises(LabelError, match="5 labels, none with the number 6"):
        labels_of(BATCH, wanted(), None, (6, 7))


@pytest.mark.parametrize("text", ["", "RE1", "x" * 300, "RE1K77G0001G0000GP+2", "+3"])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_wanted(text)


@pytest.mark.parametrize("count", ["+0", "+-1", "+x", "+", "+99999999", "+1+1"])
def test_a_count_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(InvalidIdentifier):
        wanted(1, count)


@pytest.mark.parametrize(
    "change",
    [
        {"units": 0},
        {"units": "103"},
        {"units": True},
        {"units": 2**40},
        {"batch_no": 0},
        {"net_mass_g": -1},
        {"packs": [{"first": 1}]},
        {"packs": 7},
    ],
)
def test_a_record_that_is_no_batch_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(LabelError, match="not the record of a batch"):
        batch_of("K77G", {**PAYLOAD, **change}, "")


def test_a_record_becomes_a_batch() -> None:
    packs = [{"first": 1, "count": 103, "mass_g": 102_400, "type": "drum", "sscc": "1" * 18}]
    found = batch_of("K77G", {**PAYLOAD, "packs": packs}, "Somebody")
    assert found == other(producer_name="Somebody", packs=(Pack(1, 103, 102_400, "1" * 18),))


@pytest.mark.parametrize(
    ("mass_g", "text"),
    [(1, "0.001 kg"), (400, "0.4 kg"), (1000, "1 kg"), (24_500, "24.5 kg"), (100_000, "100 kg")],
)
def test_a_mass_is_written_exactly_and_short(mass_g: int, text: str) -> None:
    assert mass_text(mass_g) == text


def test_every_product_of_the_catalogue_has_a_name() -> None:
    assert set(PRODUCT_NAMES) == set(PRODUCTS)
