"""Histories of clients, and whether one order of all transactions explains them.

The chain is a total order, so strict serialisability needs no search (cost n log n). A read has to
equal the state after some block, and of which blocks is known:

1. what was answered as committed stands once on the chain, at the place that was answered, and a
   block that was answered holds the transactions that it held for everybody;
2. what was answered before a transaction was first submitted stands before it on the chain;
3. no answer tells of a transaction that nobody had submitted yet;
4. one node never goes back: after an answer from height h it never again answers from below h,
   whichever method asks.

A node that lags may not know yet what another has answered; that is promised nowhere.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Place = tuple[int, int]  # height, index
Chain = Sequence[Sequence[str]]  # transaction IDs of each height from 1 on
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call and its answer; times in seconds of one monotonic clock.

    "submit": of `tx_id`; `returned` is NEVER if no answer came. "read": where `tx_id` stands, by
    its ID or by what it registered. "head": the newest height, as (height, 0). "block": the
    transaction IDs of the block at `height`. `answer` is None where there was none (yet).
    """

    kind: Literal["submit", "read", "head", "block"]
    node: str
    invoked: float
    returned: float
    tx_id: str = ""
    answer: Place | None = None
    height: int = 0
    block: tuple[str, ...] = ()

    @property
    def tells(self) -> int | None:
        """The height that the answer shows to be committed, all of it."""
        if self.kind == "block" and self.block:
            return self.height
        return None if self.answer is None else self.answer[0]

    def denies(self, places: dict[str, Place]) -> int | None:
        """The height that the node did not know when it answered; None if it denied nothing."""
        if self.kind == "head" and self.answer is not None:
            return self.answer[0] + 1
        if self.kind == "block" and not self.block:
            return self.height
        if self.kind == "read" and self.answer is None and self.tx_id in places:
            return places[self.tx_id][0]
        return None


def violations(history: Iterable[Operation], chain: Chain) -> list[str]:
    """What no order explains, in sentences."""
    operations = sorted(history, key=lambda each: each.invoked)
    places: dict[str, Place] = {}
    found = []
    for height, block in enumerate(chain, 1):
        for index, tx_id in enumerate(block):
            if tx_id in places:
                found.append(f"{tx_id} stands twice on the chain")
            places[tx_id] = (height, index)
    submitted: dict[str, float] = {}
    for each in operations:
        if each.kind == "submit":
            submitted.setdefault(each.tx_id, each.invoked)
    return [
        *found,
        *_answers(operations, places, chain),
        *_order(operations, places, submitted),
        *_future(operations, chain, submitted),
        *_nodes(operations, places),
    ]


def _answers(operations: list[Operation], places: dict[str, Place], chain: Chain) -> list[str]:
    found = []
    for each in operations:
        if each.kind in ("submit", "read") and each.answer is not None:
            if places.get(each.tx_id) != each.answer:
                found.append(f"{each.tx_id} was answered at {each.answer}, which is not so")
        elif each.kind == "head" and each.answer is not None and each.answer[0] > len(chain):
            found.append(f"height {each.answer[0]} was answered, which is not on the chain")
        elif each.kind == "block" and each.block:
            stands = chain[each.height - 1] if each.height <= len(chain) else ()
            if each.block != tuple(stands):
                found.append(f"{each.node} answered another block {each.height}")
    return found


def _order(
    operations: list[Operation], places: dict[str, Place], submitted: dict[str, float]
) -> list[str]:
    """Real time: what was known before a submission stands before it."""
    times, newest = _told(operations)
    found = []
    for tx_id, invoked in submitted.items():
        before = bisect.bisect_left(times, invoked)
        if tx_id in places and before and places[tx_id][0] <= newest[before - 1]:
            found.append(f"{tx_id} stands before what was answered before it was submitted")
    return found


def _future(operations: list[Operation], chain: Chain, submitted: dict[str, float]) -> list[str]:
    """Reads of what had not been submitted when they returned."""
    latest: list[float] = [0.0]  # when the last of the transactions up to a height was submitted
    for block in chain:
        latest.append(max([latest[-1], *(submitted.get(tx_id, 0.0) for tx_id in block)]))
    found = []
    for each in operations:
        told = each.tells
        if told is not None and told <= len(chain) and latest[told] > each.returned:
            found.append(f"{each.node} answered from height {told}, not yet submitted by then")
    return found


def _nodes(operations: list[Operation], places: dict[str, Place]) -> list[str]:
    """What one node answers, between calls that do not overlap."""
    found: list[str] = []
    for node in dict.fromkeys(each.node for each in operations):
        mine = [each for each in operations if each.node == node]
        times, newest = _told(mine)
        for each in mine:
            denied = each.denies(places)
            before = bisect.bisect_left(times, each.invoked)
            if denied is not None and before and denied <= newest[before - 1]:
                what = each.tx_id or f"height {denied}"
                found.append(f"{node} went back: it had answered from {newest[before - 1]}, {what}")
    return found


def _told(operations: list[Operation]) -> tuple[list[float], list[int]]:
    """When answers returned, in order, and the newest height that they and earlier ones showed."""
    told = sorted((each.returned, height) for each in operations if (height := each.tells))
    heights = itertools.accumulate((height for _, height in told), max)
    return [returned for returned, _ in told], list(heights)
