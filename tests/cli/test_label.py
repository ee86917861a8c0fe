"""`kilochain label`: from a node and from a passport, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from one_node import BATCH, MEMBER, OneNode, run, said

from ledger.identifiers import format_id, parse_id

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "passports.json").read_text()
)
GOOD = {each["name"]: each for each in VECTORS["good"]}
SAMPLE = json.loads(BATCH.read_text())
SAMPLE_ID = format_id(MEMBER, SAMPLE["batch_no"], 0)


def passport(name: str, folder: Path) -> tuple[Path, Path]:
    """A good passport of the vectors and its genesis, as files."""
    path, genesis = folder / "passport.json", folder / "genesis.json"
    path.write_text(json.dumps(GOOD[name]["passport"]))
    genesis.write_text(VECTORS["genesis"][GOOD[name]["genesis"]])
    return path, genesis


@pytest.mark.e2e
def test_a_batch_of_the_node_gets_a_label_for_each_package(node: OneNode, tmp_path: Path) -> None:
    run("batch", "register", BATCH, "--key", node.key, "--wait", "--rpc", node.url)
    output = tmp_path / "labels.pdf"
    asked = ("label", SAMPLE_ID, "-o", output, "--pack", "500", "--rpc", node.url)
    found = said(*asked, "--domain", "id.example.com")
    assert output.read_bytes().startswith(b"%PDF-")
    assert found["labels"] == -(-SAMPLE["units"] // 500)
    assert (found["kilograms"], found["mass_g"]) == (SAMPLE["units"], SAMPLE["net_mass_g"])
    first = format_id(MEMBER, SAMPLE["batch_no"], 1)
    assert found["first_code"] == f"HTTPS://ID.EXAMPLE.COM/K/{first}+500"
    assert found["files"] == [str(output)]
    shown = run(*asked).stdout
    assert parse_id(SAMPLE_ID).display in shown
    assert "--domain HOST" in shown


@pytest.mark.e2e
def test_an_id_that_nobody_registered_has_no_label(node: OneNode, tmp_path: Path) -> None:
    missing = format_id(MEMBER, 4_000_000, 1)
    found = run("label", missing, "-o", tmp_path / "no.pdf", "--rpc", node.url)
    assert found.exit_code == 3
    assert not list(tmp_path.iterdir())


def test_a_verified_passport_is_enough_without_a_node(tmp_path: Path) -> None:
    path, genesis = passport("batch", tmp_path)
    output = tmp_path / "labels.svg"
    asked = ("label", "--passport", path, "-o", output, "--pack", "2", "--format", "roll")
    found = said(*asked, "--genesis", genesis)
    assert [Path(name).name for name in found["files"]] == ["labels-1.svg", "labels-2.svg"]
    members = {m["code"]: m["name"] for m in json.loads(genesis.read_text())["members"]}
    name = members[GOOD["batch"]["passport"]["record"]["registered_by"]]
    assert name.split()[0] in (tmp_path / "labels-1.svg").read_text()
    assert "nobody verified" in run(*asked).stderr


def test_a_passport_under_another_genesis_makes_no_label(tmp_path: Path) -> None:
    path, genesis = passport("batch", tmp_path)
    genesis.write_text(VECTORS["genesis"]["n7"])
    output = tmp_path / "labels.pdf"
    found = run("label", "--passport", path, "--genesis", genesis, "-o", output)
    assert found.exit_code == 5
    assert "step genesis" in found.stderr
    assert not output.exists()


def test_a_passport_of_an_absence_makes_no_label(tmp_path: Path) -> None:
    path, genesis = passport("absent_batch", tmp_path)
    output = tmp_path / "labels.pdf"
    found = run("label", "--passport", path, "--genesis", genesis, "-o", output)
    assert found.exit_code == 3
    assert "not registered" in found.stderr


def test_an_id_of_another_batch_than_the_passports_is_refused(tmp_path: Path) -> None:
    path, _ = passport("batch", tmp_path)
    other = format_id(MEMBER, 4_000_000, 1)
    found = run("label", other, "--passport", path, "-o", tmp_path / "labels.pdf")
    assert found.exit_code == 1
    assert "is of the batch" in found.stderr


@pytest.mark.parametrize("text", ["", "{}", "[]", "{" * 50, "\ud83d".encode("utf-8", "replace")])
def test_what_is_no_passport_is_refused(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "passport.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert run("label", "--passport", path, "-o", tmp_path / "labels.pdf").exit_code == 1
    gone = run("label", "--passport", tmp_path / "gone.json", "-o", tmp_path / "labels.pdf")
    assert gone.exit_code == 1
    assert "gone.json" in gone.stderr


def test_letters_that_a_picture_lacks_are_named(tmp_path: Path) -> None:
    path, _ = passport("batch", tmp_path)
    document = json.loads(path.read_text())
    document["record"]["payload"]["product"] = "稀土"
    path.write_text(json.dumps(document))
    found = run("label", "--passport", path, "-o", tmp_path / "label.png")
    assert found.exit_code == 0
    assert "no letters for 土 稀" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-o", "x.pdf"], "name an ID"),
        ([SAMPLE_ID], "--output"),
        ([SAMPLE_ID, "-o", "x.gif"], "end in .pdf, .svg, .png"),
        ([SAMPLE_ID, "-o", "x.pdf", "--domain", "https://x"], "without https://"),
        ([SAMPLE_ID, "-o", "x.pdf", "--domain", "x" * 41], "at most 40"),
        ([SAMPLE_ID, "-o", "x.pdf", "--labels", "5-1"], "1-10000"),
        ([SAMPLE_ID, "-o", "x.pdf", "--labels", "0-1"], "1-10000"),
        ([SAMPLE_ID, "-o", "x.pdf", "--pack", "0"], "--pack"),
        ([SAMPLE_ID, "-o", "x.pdf", "--code", "aztec"], "datamatrix"),
        ([SAMPLE_ID, "-o", "x.pdf", "--genesis", "g.json"], "--passport"),
    ],
)
def test_wrong_usage_says_what_is_wanted(arguments: list[str], why: str) -> None:
    found = run("label", *arguments)
    assert found.exit_code == 2
    assert why in found.stderr


def test_a_mistyped_id_is_refused_before_a_node_is_asked() -> None:
    found = run("label", SAMPLE_ID[:-1] + "0", "-o", "x.pdf", "--rpc", "http://127.0.0.1:1")
    assert found.exit_code == 1
    assert "E_CHECK" in found.stderr
