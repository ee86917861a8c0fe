"""Histories of clients, and whether one order of all transactions explains them.

The chain is a total order, so strict serialisability needs no search (cost n log n):

1. what was answered as committed stands once on the chain, at the place that was answered;
2. what was answered as committed before another transaction was submitted stands before it;
3. a node that has answered a transaction as committed never again answers otherwise;
4. the heights that one node answers never go back.

A node that lags may not know yet what another has answered; that is promised nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Place = tuple[int, int]  # height, index


@dataclass(frozen=True, slots=True)
class Operation:
    """One call and its answer; times in seconds of one monotonic clock.

    `answer`: the place where a "status" says that `tx_id` is committed (None: not committed), or
    (height, 0) of a "head"; None of a "submit".
    """

    kind: Literal["submit", "status", "head"]
    node: str
    invoked: float
    returned: float
    tx_id: str = ""
    answer: Place | None = None


def violations(history: Iterable[Operation], chain: Sequence[Sequence[str]]) -> list[str]:
    """What no order explains, in sentences. `chain`: transaction IDs of each height from 1 on."""
    operations = sorted(history, key=lambda each: each.invoked)
    places: dict[str, Place] = {}
    found = []
    for height, block in enumerate(chain, 1):
        for index, tx_id in enumerate(block):
            if tx_id in places:
                found.append(f"{tx_id} stands twice on the chain")
            places[tx_id] = (height, index)
    return [*found, *_answers(operations, places), *_order(operations, places), *_nodes(operations)]


def _answers(operations: list[Operation], places: dict[str, Place]) -> list[str]:
    wrong = [
        each
        for each in operations
        if each.kind == "status" and each.answer is not None
        if places.get(each.tx_id) != each.answer
    ]
    return [f"{each.tx_id} was answered at {each.answer}, which is not so" for each in wrong]


def _order(operations: list[Operation], places: dict[str, Place]) -> list[str]:
    known = sorted(
        (each for each in operations if each.kind == "status" and each.answer is not None),
        key=lambda each: each.returned,
    )
    found, at, newest = [], 0, (0, 0)
    for each in operations:
        if each.kind != "submit" or each.tx_id not in places:
            continue
        while at < len(known) and known[at].returned < each.invoked:
            newest = max(newest, known[at].answer or newest)
            at += 1
        if places[each.tx_id] <= newest:
            found.append(f"{each.tx_id} stands before what was answered before it was submitted")
    return found


def _nodes(operations: list[Operation]) -> list[str]:
    """What one node answers, between calls that do not overlap."""
    found: list[str] = []
    for node in dict.fromkeys(each.node for each in operations):
        said: dict[str, float] = {}
        heads: list[tuple[float, int]] = []
        for each in sorted(operations, key=lambda each: each.returned):
            if each.node != node:
                continue
            if each.kind == "status" and each.answer is not None:
                said.setdefault(each.tx_id, each.returned)
            elif each.kind == "status" and each.invoked > said.get(each.tx_id, each.invoked):
                found.append(f"{node} forgot {each.tx_id}")
            elif each.kind == "head" and each.answer is not None:
                seen = [height for returned, height in heads if returned < each.invoked]
                if seen and seen[-1] > each.answer[0]:
                    found.append(f"{node} went back from height {seen[-1]} to {each.answer[0]}")
                heads.append((each.returned, each.answer[0]))
    return found
