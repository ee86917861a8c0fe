"""docs/rpc.md says what the table of methods says, and its examples are calls."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from node.rpc.discover import describe
from node.rpc.door import read_parameters
from node.rpc.methods import METHODS, Method

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "rpc.md").read_text()
HEADING = re.compile(r"^### `([\w.]+)`$", re.MULTILINE)
BODY = re.compile(r"-d '(\{.*\})'$", re.MULTILINE)
# Between nodes, at a start, of a file that is verified, and in the client.
ELSEWHERE = ("E_BLOCK", "E_FORMAT", "E_GENESIS", "E_PASSPORT", "E_UNKNOWN")
BY_NAME = {method.name: method for method in METHODS}


def _sections() -> dict[str, str]:
    parts = HEADING.split(TEXT)
    return {name: re.split(r"^## ", text, flags=re.MULTILINE)[0] for name, text in _pairs(parts)}


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(parts[1::2], parts[2::2], strict=True))


SECTIONS = _sections()


def _fields(kind: Any) -> list[str]:
    kind = get_args(kind)[0] if get_args(kind) else kind
    return [each.name for each in msgspec.structs.fields(kind)]


def test_every_method_has_its_section_and_no_other_is_there() -> None:
    assert sorted(SECTIONS) == sorted([*BY_NAME, "rpc.discover"])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_section_names_every_parameter_and_every_field_of_the_result(method: Method) -> None:
    text = SECTIONS[method.name]
    text += "".join(SECTIONS[other] for other in re.findall(r"what `([\w.]+)` gives", text))
    wanted = [*_fields(method.parameters), *_fields(method.result)]
    assert [name for name in wanted if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_has_a_call_that_the_method_understands(name: str) -> None:
    found = [json.loads(body) for body in BODY.findall(SECTIONS[name])]
    assert len(found) == 1
    assert (found[0]["jsonrpc"], found[0]["method"]) == ("2.0", name)
    if name in BY_NAME:
        read_parameters(BY_NAME[name], found[0].get("params", {}))


def _codes() -> set[str]:
    """Every E_… that stands alone as a text in the node, or in the ledger."""
    found: set[str] = set()
    for path in [*(ROOT / "node").rglob("*.py"), *(ROOT / "ledger").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"^E_[A-Z_]+$", node.value))
    return found


def test_every_code_that_a_call_can_answer_is_explained() -> None:
    explained = set(re.findall(r"^\|(?: -\d+ \|)? `(E_[A-Z_]+)` \|", TEXT, re.MULTILINE))
    assert explained == _codes() - set(ELSEWHERE)


def test_the_openrpc_document_holds_every_method_with_an_example_of_its_shapes() -> None:
    document = json.loads(msgspec.json.encode(describe(METHODS)))
    named = {each["name"]: each for each in document["methods"]}
    assert set(named) == set(SECTIONS)
    for method in METHODS:
        example = named[method.name]["examples"][0]
        given = {each["name"]: each["value"] for each in example["params"]}
        read_parameters(method, given)
        msgspec.convert(example["result"]["value"], method.result)
