"""The rules of batch.register: each limit from both sides, each refusal with code and field."""

from __future__ import annotations

from typing import Any

import pytest
from support import payload

from ledger.elements import OXIDE_FACTORS, to_element_ppm, to_oxide_ppm
from ledger.errors import InvalidTransaction
from ledger.products import PRODUCTS
from ledger.rules.batch_register import check_date, check_payload
from ledger.transactions import payload_from_json


def check(**changes: Any) -> int:
    return check_payload(payload_from_json(payload(**changes)))


def origins(*shares: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"country": country, "share_ppm": share} for country, share in shares]


def pack(first: int, count: int, mass: int) -> dict[str, Any]:
    return {"first": first, "count": count, "mass_g": mass, "type": "drum"}


GOOD = [
    {},
    {"net_mass_g": 1, "units": 1},
    {"net_mass_g": 1000, "units": 1},
    {"net_mass_g": 1001, "units": 2},
    {"net_mass_g": 1_048_575_000, "units": 1_048_575},
    {"ree": {"Nd": 999_500}},
    {"ree": {"Nd": 1_000_000, "Pr": 500}},
    {"impurities": {"Fe2O3": 5_000}, "loi_ppm": 5_000},
    {"origin": origins(("AU", 1), ("VN", 999_999)), "coc": "MB"},
    {"packs": [pack(3, 1, 500), pack(1, 2, 2000)]},
    {"hidden": {"loi_ppm": "00" * 32}},
]


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_keeps_the_rules_passes(changes: dict[str, Any]) -> None:
    check(**changes)


BAD = [
    ("E_MASS", "net_mass_g", {"net_mass_g": 0, "units": 0}),
    ("E_MASS", "net_mass_g", {"net_mass_g": 1_048_575_001, "units": 1_048_576}),
    ("E_UNITS", "units", {"units": 2}),
    ("E_UNITS", "units", {"units": 4}),
    ("E_ASSAY_SUM", "total_ppm", {"total_ppm": 1_000_001}),
    ("E_ASSAY_SUM", "ree", {"ree": {"Nd": 999_499}}),
    ("E_ASSAY_SUM", "ree", {"ree": {"Nd": 1_000_000, "Pr": 501}}),
    ("E_ASSAY_SUM", "ree", {"ree": {}}),
    ("E_ELEMENT", "ree", {"ree": {"Nd": 995_000, "Pm": 5_000}}),
    ("E_ELEMENT", "ree", {"ree": {"Nd": 995_000, "Fe": 5_000}}),
    ("E_GRADE", "product", {"product": "gold"}),
    ("E_GRADE", "stage", {"stage": "metal"}),
    ("E_GRADE", "total_ppm", {"total_ppm": 989_999}),
    ("E_GRADE", "ree", {"ree": {"Nd": 989_999, "Pr": 10_001}}),
    ("E_CLOSURE", "impurities", {"impurities": {"Fe2O3": 5_000}, "loi_ppm": 5_001}),
    ("E_ORIGIN", "origin", {"origin": []}),
    ("E_ORIGIN", "origin", {"origin": origins(("XX", 1_000_000))}),
    ("E_ORIGIN", "origin", {"origin": origins(("AU", 999_999))}),
    ("E_ORIGIN", "origin", {"origin": origins(("AU", 1_000_000), ("VN", 0))}),
    ("E_COC", "coc", {"origin": origins(("AU", 500_000), ("VN", 500_000))}),
    ("E_DATE", "produced_on", {"produced_on": "2026-02-29"}),
    ("E_DATE", "produced_on", {"produced_on": "20260201"}),
    ("E_DATE", "produced_on", {"produced_on": "2026-W01-1"}),
    ("E_DATE", "produced_on", {"produced_on": "2026-02-0\u0661"}),
    ("E_PACKS", "packs", {"packs": []}),
    ("E_PACKS", "packs", {"packs": [pack(1, 2, 2500)]}),
    ("E_PACKS", "packs", {"packs": [pack(1, 4, 2500)]}),
    ("E_PACKS", "packs", {"packs": [pack(2, 2, 2500)]}),
    ("E_PACKS", "packs", {"packs": [pack(1, 2, 1500), pack(2, 2, 1000)]}),
    ("E_PACKS", "packs", {"packs": [pack(1, 3, 2499)]}),
    ("E_SCHEMA", "hidden", {"hidden": {"net_mass_g": "00" * 32}}),
    ("E_SCHEMA", "hidden", {"hidden": {"loi_ppm": "00" * 32}, "loi_ppm": 1}),
]


@pytest.mark.parametrize(("code", "field", "changes"), BAD, ids=str)
def test_what_breaks_a_rule_is_refused(code: str, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidTransaction) as caught:
        check(**changes)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert len(str(caught.value)) > 20


def test_a_batch_may_be_made_one_day_after_the_blocks_date_and_no_later() -> None:
    day_ms = 86_400_000
    found = payload_from_json(payload(produced_on="1970-01-03"))
    day = check_payload(found)
    check_date(found, day, day_ms)
    with pytest.raises(InvalidTransaction) as caught:
        check_date(found, day, day_ms - 1)
    assert caught.value.code == "E_DATE"


# Standard atomic weights (IUPAC 2021, abridged), times 10⁴.
WEIGHTS = {
    "La": (1389055, 2, 3), "Ce": (1401160, 1, 2), "Pr": (1409077, 6, 11), "Nd": (1442420, 2, 3),
    "Sm": (1503600, 2, 3), "Eu": (1519640, 2, 3), "Gd": (1572500, 2, 3), "Tb": (1589254, 4, 7),
    "Dy": (1625000, 2, 3), "Ho": (1649303, 2, 3), "Er": (1672590, 2, 3), "Tm": (1689342, 2, 3),
    "Yb": (1730450, 2, 3), "Lu": (1749668, 2, 3), "Y": (889058, 2, 3), "Sc": (449559, 2, 3),
}  # fmt: skip


def test_the_oxide_factors_agree_with_atomic_weights() -> None:
    assert set(WEIGHTS) == set(OXIDE_FACTORS)
    for element, (weight, atoms, oxygens) in WEIGHTS.items():
        metal = weight * atoms
        expected = (2_000_000 * (metal + 159990 * oxygens) + metal) // (2 * metal)
        assert OXIDE_FACTORS[element][1] == expected, element


def test_conversion_there_and_back_is_off_by_one_at_most() -> None:
    for element in OXIDE_FACTORS:
        for ppm in (0, 1, 999, 500_000, 999_999):
            assert abs(to_element_ppm(element, to_oxide_ppm(element, ppm)) - ppm) <= 1


def test_each_product_of_the_catalogue_can_be_made() -> None:
    for name, product in PRODUCTS.items():
        assert product.total[0] <= product.total[1] <= 1_000_000, name
        for elements, low, high in product.windows:
            assert low <= high, name
            assert set(elements) <= set(OXIDE_FACTORS), name
