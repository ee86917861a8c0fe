"""The shared vectors: every good passport holds, every other one stops at its step."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import make_vectors
import pytest
from passport_world import VECTORS, compact

from ledger.passport import encode_passport, parse_passport
from ledger.passport_verifier import STEPS, verify_passport
from node.keys import verify

FILE: dict[str, Any] = json.loads(VECTORS.read_text())
GOOD = {each["name"]: each for each in FILE["good"]}


def genesis(name: str) -> bytes:
    return str(FILE["genesis"][name]).encode()


def failed(data: bytes, document: bytes) -> str | None:
    verdict = verify_passport(data, document, verify)
    assert verdict.valid is (verdict.failed is None)
    assert verdict.valid or not (verdict.proven or verdict.not_proven)
    return None if verdict.failed is None else verdict.failed.name


def apply(document: Any, edit: dict[str, Any]) -> Any:
    """One edit of a copy."""
    document = copy.deepcopy(document)
    if not edit["path"]:
        return edit["set"]
    *way, last = edit["path"]
    inner = document
    for step in way:
        inner = inner[step]
    if "set" in edit:
        inner[last] = edit["set"]
    elif "insert" in edit:
        inner.insert(last, edit["insert"])
    else:
        del inner[last]
    return document


def change(data: bytes, edit: dict[str, Any]) -> bytes:
    """One edit of the file's bytes."""
    (name, value), *none = edit.items()
    assert not none
    if name == "replace":
        old, new = (each.encode() for each in value)
        assert old in data
        return data.replace(old, new, 1)
    if name == "prepend_hex":
        return bytes.fromhex(value) + data
    if name == "append_hex":
        return data + bytes.fromhex(value)
    return data[:value] if name == "cut_to" else data.ljust(value)


def mutated(each: dict[str, Any]) -> bytes:
    document = GOOD[each["of"]]["passport"]
    for edit in each.get("edits", ()):
        document = apply(document, edit)
    data = compact(document).encode()
    for edit in each.get("text", ()):
        data = change(data, edit)
    return data


def test_the_file_is_what_its_script_writes() -> None:
    assert VECTORS.read_text() == make_vectors.text()


def test_there_are_enough_and_each_has_its_name() -> None:
    names = [each["name"] for part in ("good", "mutated", "forged") for each in FILE[part]]
    assert len(names) == len({*names})
    assert len(GOOD) >= 20
    assert len(FILE["mutated"]) + len(FILE["forged"]) >= 200
    stops = {each["step"] for part in ("mutated", "forged") for each in FILE[part]}
    assert stops == {*STEPS, None}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_passport_holds_and_is_written_in_the_same_bytes_again(name: str) -> None:
    document = GOOD[name]["passport"]
    data = compact(document).encode()
    assert failed(data, genesis(GOOD[name]["genesis"])) is None
    assert encode_passport(parse_passport(data)) == data
    assert (document["claim"] == "registered") is ("absent" not in name and "beyond" not in name)


@pytest.mark.parametrize("each", FILE["mutated"], ids=lambda each: each["name"])
def test_a_mutated_passport_stops_at_its_step(each: dict[str, Any]) -> None:
    document = each.get("genesis", GOOD[each["of"]]["genesis"])
    assert failed(mutated(each), genesis(document)) == each["step"]


@pytest.mark.parametrize("each", FILE["forged"], ids=lambda each: each["name"])
def test_a_forged_passport_stops_at_its_step(each: dict[str, Any]) -> None:
    data = compact(each["passport"]).encode()
    assert failed(data, genesis(each["genesis"])) == each["step"]


def test_every_digest_of_the_file_is_of_full_length() -> None:
    for each in FILE["good"]:
        header = each["passport"].get("registration", each["passport"].get("state"))["block"]
        assert len(base64.b64decode(header["header"])) > 300
