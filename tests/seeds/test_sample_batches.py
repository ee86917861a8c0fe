"""The arithmetic of the seed documents, worked out here without the ledger's own code."""

import json
from pathlib import Path
from typing import Any

import pytest

SEEDS = Path(__file__).parents[2] / "seeds"
BATCHES = sorted((SEEDS / "batches").glob("*.json"))
BAD = sorted((SEEDS / "bad").glob("*.json"))
CROCKFORD = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
PPM = 1_000_000
SUM_TOLERANCE_PPM = 500


def read(path: Path) -> Any:
    return json.loads(path.read_text())


MEMBERS = read(SEEDS / "consortium" / "members.json")


def test_the_consortium_has_the_roles_of_a_supply_chain_and_is_marked_as_invented() -> None:
    members = MEMBERS
    codes = [member["code"] for member in members]
    assert len(codes) == len(set(codes)) >= 8
    assert all(len(code) == 4 and set(code) <= CROCKFORD for code in codes)
    assert all("Invented" in member["name"] for member in members)
    assert {r for m in members for r in m["roles"]} == {"producer", "refiner", "lab", "regulator"}


def test_there_are_at_least_24_batches_and_one_of_a_million_kilograms() -> None:
    assert len(BATCHES) >= 24
    assert 1_000_000 in [read(path)["units"] for path in BATCHES]


def test_no_two_batches_of_a_producer_share_a_number() -> None:
    keys = [(read(p)["facility"][:4], read(p)["batch_no"]) for p in BATCHES]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("path", BATCHES, ids=lambda p: p.stem)
def test_a_batch_adds_up(path: Path) -> None:
    batch = read(path)
    assert batch["units"] == -(-batch["net_mass_g"] // 1000)
    assert abs(sum(batch["ree"].values()) - PPM) <= SUM_TOLERANCE_PPM
    assert sum(origin["share_ppm"] for origin in batch["origin"]) == PPM
    closure = batch["total_ppm"] + sum(batch["impurities"].values()) + batch.get("loi_ppm", 0)
    assert closure <= PPM
    assert batch["coc"] != "IP" or len(batch["origin"]) == 1


@pytest.mark.parametrize("path", BATCHES, ids=lambda p: p.stem)
def test_a_batch_comes_from_a_facility_of_the_consortium(path: Path) -> None:
    facilities = {f["id"] for member in MEMBERS for f in member["facilities"]}
    assert read(path)["facility"] in facilities


@pytest.mark.parametrize("path", BATCHES, ids=lambda p: p.stem)
def test_packs_cover_each_kilogram_once(path: Path) -> None:
    batch = read(path)
    packs = batch.get("packs")
    if packs is None:
        return
    following = 1
    for pack in packs:
        assert pack["first"] == following
        following += pack["count"]
    assert following == batch["units"] + 1
    assert sum(pack["mass_g"] for pack in packs) == batch["net_mass_g"]


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_a_bad_batch_names_the_error_and_the_field_it_must_get(path: Path) -> None:
    bad = read(path)
    assert {"error", "field", "batch"} <= set(bad)
    assert bad["error"].startswith("E_")
