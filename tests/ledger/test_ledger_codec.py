"""Canonical bytes: one encoding for each value, and nothing else is read."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import CodecError, decode, digest, encode, signing_bytes

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "msgpack.json").read_text())

TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0x2FF), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXT, inner, max_size=20),
    max_leaves=30,
)


def plain(value: Any) -> Any:
    """A vector's value; {"hex": …} stands for bytes."""
    if isinstance(value, dict) and set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    return value


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda v: v["bytes"][:16])
def test_a_good_vector_encodes_to_its_bytes_and_back(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    assert encode(plain(vector["value"])) == data
    assert decode(data, bytes_max=1000) == plain(vector["value"])


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda v: v["why"])
def test_a_bad_vector_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        decode(bytes.fromhex(vector["bytes"]), bytes_max=1000)


def normal(value: Any) -> bool:
    """Whether every string in `value` is in form NFC."""
    if isinstance(value, str):
        return unicodedata.is_normalized("NFC", value)
    if isinstance(value, list):
        return all(map(normal, value))
    if isinstance(value, dict):
        return all(map(normal, [*value, *value.values()]))
    return True


@given(VALUES)
def test_a_value_survives_unless_a_string_is_not_normal(value: Any) -> None:
    if normal(value):
        assert decode(encode(value), bytes_max=1 << 20) == value
    else:
        with pytest.raises(CodecError, match="NFC"):
            encode(value)


@given(st.binary(max_size=200))
def test_whatever_is_read_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        value = decode(data, bytes_max=200)
    except CodecError:
        return
    assert encode(value) == data


@pytest.mark.parametrize("value", [1.0, {1: 2}, {b"a": 1}, 2**64, -(2**63) - 1, "\ud800", {1}])
def test_a_value_outside_the_subset_is_not_encoded(value: Any) -> None:
    with pytest.raises(CodecError):
        encode(value)


def test_depth_and_size_are_limited() -> None:
    deep: list[Any] = []
    for _ in range(15):
        deep = [deep]
    assert decode(encode(deep), bytes_max=100) == deep
    with pytest.raises(CodecError, match="nested"):
        encode([deep])
    for depth in (17, 500, 100_000):
        with pytest.raises(CodecError):
            decode(b"\x91" * depth + b"\xc0", bytes_max=1 << 20)
    with pytest.raises(CodecError, match="at most 3"):
        decode(encode("abc"), bytes_max=3)
    with pytest.raises(CodecError):
        decode(encode([1, 2, 3]), bytes_max=100, items_max=2)


def test_a_digest_is_bound_to_its_domain() -> None:
    assert signing_bytes("a", b"b") == b"a\x00b"
    assert digest("a", b"") != digest("b", b"")
    assert len(digest("a", b"")) == 32
