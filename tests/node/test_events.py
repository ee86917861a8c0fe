"""Which events a subscriber gets, and from which cursor on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from test_block_sync import chain_of

from node.rpc import events as stream
from node.rpc.events import EventLog, Subscription, parse_subscription
from node.rpc.protocol import RPCError

T = TypeVar("T")
CHAIN = chain_of(5)
ALL = frozenset(stream.KINDS)
CURSORS = [(0, 0), *((height, index) for height in range(1, 6) for index in (0, 1))]


class _Context:
    """The node's chain, read in place."""

    def __init__(self) -> None:
        self.node: Any = SimpleNamespace(chain=CHAIN, next_head=trio.sleep_forever)

    async def read(self, function: Callable[[], T]) -> T:
        return function()


def messages(wanted: Subscription) -> list[dict[str, Any]]:
    """What a subscriber gets until the head."""
    found: list[dict[str, Any]] = []

    async def follow() -> None:
        log = EventLog(_Context())  # type: ignore[arg-type]
        with trio.move_on_after(1):
            async with aclosing(log.follow(wanted)) as blocks:
                async for each in blocks:
                    found.extend(json.loads(data) for data in each)
                    if found and found[-1]["cursor"] == [5, 1]:
                        return

    trio.run(follow, clock=trio.testing.MockClock(autojump_threshold=0))
    return found


@given(at=st.integers(-1, len(CURSORS) - 1))
def test_from_any_cursor_the_rest_comes_once_and_in_order(at: int) -> None:
    after = (-1, 0) if at < 0 else CURSORS[at]
    got = [tuple(each["cursor"]) for each in messages(Subscription(after, ALL, None))]
    assert got == CURSORS[at + 1 :]


def test_a_kind_that_is_not_wanted_leaves_a_mark_at_the_head() -> None:
    got = messages(Subscription((-1, 0), frozenset(["transaction"]), None))
    assert [each["type"] for each in got] == ["transaction"] * 5 + ["cursor"]
    assert got[-1]["cursor"] == [5, 1]


def test_of_another_member_there_is_only_how_far_it_went() -> None:
    got = messages(Subscription((-1, 0), ALL, "ZZZZ"))
    assert [(each["type"], each["cursor"]) for each in got] == [("cursor", [5, 1])]


def test_a_long_quiet_run_says_now_and_then_how_far_it_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "EVENT_MARK_BLOCKS", 2)
    got = messages(Subscription((0, 0), ALL, "ZZZZ"))
    assert [each["cursor"] for each in got] == [[2, 1], [4, 1], [5, 1]]


def test_a_cursor_beyond_the_head_waits_and_repeats_nothing() -> None:
    assert messages(Subscription((7, 3), ALL, None)) == []


def test_the_cache_keeps_few_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "EVENT_BLOCKS_CACHED_MAX", 2)

    async def read() -> int:
        log = EventLog(_Context())  # type: ignore[arg-type]
        for height in range(6):
            assert (await log.block_events(height))[-1].cursor[0] == height
        return len(log._cache)

    assert trio.run(read) == 2


@pytest.mark.parametrize(
    ("text", "after"),
    [(None, (9, 9)), ("now", (9, 9)), ("start", (-1, 0)), ("0.0", (0, 0)), ("12.345", (12, 345))],
)
def test_a_cursor_is_read_as_it_is_written(text: str | None, after: tuple[int, int]) -> None:
    given = {} if text is None else {"after": text}
    assert parse_subscription(given, (9, 9)) == Subscription(after, ALL, None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"after": "-1.0"}, "after"),
        ({"after": "1"}, "after"),
        ({"after": "1.2.3"}, "after"),
        ({"after": "9" * 16 + ".0"}, "after"),
        ({"kinds": ""}, "kinds"),
        ({"kinds": "block,"}, "kinds"),
        ({"kinds": "vote"}, "kinds"),
        ({"member": "k77g"}, "member"),
        ({"since": "1.0"}, "since"),
    ],
)
def test_what_does_not_read_is_refused_by_name(given: dict[str, str], field: str) -> None:
    with pytest.raises(RPCError) as found:
        parse_subscription(given, (0, 0))
    assert found.value.data["field"] == field
