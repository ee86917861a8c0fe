"""The checker finds each kind of history that no order explains, and passes those that one does."""

from __future__ import annotations

import pytest
from history import Operation, violations

CHAIN = [["a", "b"], ["c"]]
GOOD = [
    Operation("submit", "v0", 0, 1, "a"),
    Operation("submit", "v1", 0, 1, "b"),
    Operation("status", "v0", 1, 2, "a"),
    Operation("status", "v0", 3, 4, "a", (1, 0)),
    Operation("status", "v1", 3, 4, "a"),
    Operation("head", "v0", 4, 5, answer=(1, 0)),
    Operation("submit", "v0", 5, 6, "c"),
    Operation("status", "v1", 7, 8, "c", (2, 0)),
    Operation("head", "v0", 8, 9, answer=(2, 0)),
]


def test_a_history_that_the_chain_explains_passes() -> None:
    assert violations(GOOD, CHAIN) == []


@pytest.mark.parametrize(
    ("more", "chain", "found"),
    [
        ([], [["a", "b"], ["c", "a"]], "twice"),
        ([Operation("status", "v0", 9, 10, "lost", (3, 0))], CHAIN, "not so"),
        ([Operation("status", "v0", 9, 10, "b", (2, 0))], CHAIN, "not so"),
        ([Operation("submit", "v2", 9, 10, "b")], CHAIN, "stands before"),
        ([Operation("status", "v0", 9, 10, "a")], CHAIN, "forgot"),
        ([Operation("head", "v0", 10, 11, answer=(1, 0))], CHAIN, "went back"),
    ],
)
def test_what_no_order_explains_is_found(
    more: list[Operation], chain: list[list[str]], found: str
) -> None:
    assert any(found in each for each in violations([*GOOD, *more], chain))


def test_calls_that_overlap_may_answer_either_way() -> None:
    overlap = [
        Operation("head", "v3", 0, 5, answer=(2, 0)),
        Operation("head", "v3", 1, 6, answer=(1, 0)),
    ]
    assert violations([*GOOD, *overlap], CHAIN) == []
