"""The strict decoder against the encodings that MessagePack allows for one value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest

from ledger import codec

SUITE: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "data" / "msgpack_test_suite.json").read_text()
)
BYTES_MAX = 4096
# Of each group: values, encodings, encodings that the strict decoder accepts.
CLASSIFIED = {
    "10.nil.yaml": (1, 1, 1),
    "11.bool.yaml": (2, 2, 2),
    "12.binary.yaml": (3, 9, 3),
    "20.number-positive.yaml": (11, 73, 11),
    "21.number-negative.yaml": (8, 33, 8),
    "22.number-float.yaml": (2, 4, 0),
    "23.number-bignum.yaml": (9, 19, 9),
    "30.string-ascii.yaml": (4, 13, 4),
    "31.string-utf8.yaml": (5, 10, 5),
    "32.string-emoji.yaml": (2, 4, 2),
    "40.array.yaml": (5, 14, 5),
    "41.map.yaml": (3, 9, 3),
    "42.nested.yaml": (4, 12, 4),
    "50.timestamp.yaml": (19, 19, 0),
    "60.ext.yaml": (7, 11, 0),
}
FLOATS = (0xCA, 0xCB)
KINDS_WE_LACK = ("22.number-float.yaml", "50.timestamp.yaml", "60.ext.yaml")


def encodings(case: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(each.replace("-", "")) for each in case["msgpack"]]


def is_accepted(data: bytes) -> bool:
    try:
        codec.decode(data, bytes_max=BYTES_MAX)
    except codec.CodecError:
        return False
    return True


def meant(case: dict[str, Any]) -> object:
    """The value that a case names."""
    if "bignum" in case:
        return int(case["bignum"])
    if "binary" in case:
        return bytes.fromhex(case["binary"].replace("-", ""))
    (name,) = set(case) - {"msgpack"}
    return case[name]


def test_the_classification_of_every_encoding_is_frozen() -> None:
    found = {}
    for group, cases in SUITE.items():
        every = [data for case in cases for data in encodings(case)]
        found[group] = (len(cases), len(every), sum(map(is_accepted, every)))
    assert found == CLASSIFIED
    assert [sum(column) for column in zip(*CLASSIFIED.values(), strict=True)] == [85, 233, 57]


@pytest.mark.parametrize("group", SUITE)
def test_a_value_has_one_encoding_or_none(group: str) -> None:
    for case in SUITE[group]:
        accepted = [data for data in encodings(case) if is_accepted(data)]
        if group in KINDS_WE_LACK:
            assert accepted == []
            continue
        (data,) = accepted
        whole = [other for other in encodings(case) if other[0] not in FLOATS]
        assert len(data) == min(map(len, whole))
        value = codec.decode(data, bytes_max=BYTES_MAX)
        assert type(value) is type(meant(case))
        assert value == meant(case)
        assert codec.encode(value) == data == codec.encode(meant(case))


@pytest.mark.parametrize("group", SUITE)
def test_the_rule_holds_inside_an_array_and_a_map(group: str) -> None:
    for case in SUITE[group]:
        for data in encodings(case):
            for wrapped in (b"\x91" + data, b"\x81\xa1a" + data):
                assert is_accepted(wrapped) == is_accepted(data)


def test_the_library_alone_would_accept_what_the_strict_decoder_refuses() -> None:
    # Not a promise of ours: it shows that the refusals above are the strict decoder's own work.
    refused = [
        data
        for cases in SUITE.values()
        for case in cases
        for data in encodings(case)
        if not is_accepted(data)
    ]
    assert len(refused) == 233 - 57
    for data in refused:
        msgpack.unpackb(data, timestamp=1, strict_map_key=False)
