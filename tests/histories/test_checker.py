"""The checker finds each kind of history that no order explains, and passes those that one does."""

from __future__ import annotations

import pytest
from history import NEVER, Operation, violations

CHAIN = [["a", "b"], ["c"]]
GOOD = [
    Operation("submit", "v0", 0, 1, "a"),
    Operation("submit", "v1", 0, NEVER, "b"),
    Operation("submit", "v2", 1, 2, "b"),
    Operation("read", "v0", 1, 2, "a"),
    Operation("block", "v0", 1, 2, height=1),
    Operation("read", "v0", 3, 4, "a", (1, 0)),
    Operation("block", "v0", 3, 4, height=1, block=("a", "b")),
    Operation("read", "v1", 3, 4, "a"),
    Operation("head", "v0", 4, 5, answer=(1, 0)),
    Operation("submit", "v0", 5, 6, "c"),
    Operation("submit", "v3", 6.5, 7, "a", (1, 0)),
    Operation("read", "v1", 7, 8, "c", (2, 0)),
    Operation("head", "v0", 8, 9, answer=(2, 0)),
    Operation("read", "v2", 9, 10, "c"),
    Operation("read", "v2", 9, 10, "never committed"),
]


def test_a_history_that_the_chain_explains_passes() -> None:
    assert violations(GOOD, CHAIN) == []


@pytest.mark.parametrize(
    ("more", "chain", "found"),
    [
        pytest.param([], [["a", "b"], ["c", "a"]], "twice", id="duplicate"),
        pytest.param([], [["a"], ["b", "c"]], "another block", id="split block"),
        pytest.param([], [["b", "a"], ["c"]], "not so", id="reordered in a block"),
        pytest.param([], [["a", "b"]], "not so", id="lost write"),
        pytest.param([], [["a", "b"]], "not on the chain", id="lost block"),
        pytest.param([], [["c"], ["a", "b"]], "not so", id="reordered blocks"),
        pytest.param(
            [Operation("read", "v0", 9, 10, "dropped", (3, 0))], CHAIN, "not so", id="aborted read"
        ),
        pytest.param([Operation("read", "v0", 9, 10, "b", (2, 0))], CHAIN, "not so", id="place"),
        pytest.param(
            [Operation("submit", "v0", 9, 10, "b", (2, 0))], CHAIN, "not so", id="retried place"
        ),
        pytest.param(
            [Operation("block", "v0", 9, 10, height=1, block=("a",))],
            CHAIN,
            "another block",
            id="intermediate read",
        ),
        pytest.param(
            [Operation("block", "v0", 9, 10, height=3, block=("d",))],
            CHAIN,
            "another block",
            id="block of a fork",
        ),
        pytest.param(
            [Operation("submit", "v2", 9.5, 10, "d")],
            [["a", "b"], ["c", "d"]],
            "stands before",
            id="real time after a head",
        ),
        pytest.param(
            [Operation("submit", "v2", 4.5, 5, "d")],
            [["a", "d", "b"], ["c"]],
            "stands before",
            id="real time after a read",
        ),
        pytest.param(
            [Operation("head", "v3", 1, 2, answer=(2, 0))], CHAIN, "not yet", id="future read"
        ),
        pytest.param([Operation("read", "v0", 9, 10, "a")], CHAIN, "went back", id="stale read"),
        pytest.param([Operation("read", "v1", 9, 10, "b")], CHAIN, "went back", id="other stale"),
        pytest.param(
            [Operation("head", "v0", 10, 11, answer=(1, 0))], CHAIN, "went back", id="stale head"
        ),
        pytest.param(
            [Operation("block", "v0", 9.5, 11, height=2)], CHAIN, "went back", id="stale block"
        ),
    ],
)
def test_what_no_order_explains_is_found(
    more: list[Operation], chain: list[list[str]], found: str
) -> None:
    assert any(found in each for each in violations([*GOOD, *more], chain))


@pytest.mark.parametrize(
    "more",
    [
        [
            Operation("head", "v3", 6, 15, answer=(2, 0)),
            Operation("head", "v3", 7, 16, answer=(1, 0)),
        ],
        [Operation("head", "v3", 20, 21, answer=(1, 0))],
        [Operation("read", "v3", 20, 21, "c"), Operation("block", "v3", 20, 21, height=2)],
        [Operation("submit", "v3", 20, NEVER, "c"), Operation("submit", "v3", 30, 31, "lost")],
    ],
    ids=["overlap", "head that lags", "reads that lag", "no answer"],
)
def test_what_some_order_explains_passes(more: list[Operation]) -> None:
    assert violations([*GOOD, *more], CHAIN) == []
