"""Chunks of transactions: their form, their limits, and what is no chunk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import encode
from node.dissemination import (
    Disseminator,
    MalformedChunk,
    decode_chunk,
    encode_chunk,
)
from node.limits import (
    CHUNK_BYTES_ACCEPTED_MAX,
    CHUNK_BYTES_MAX,
    CHUNK_TRANSACTIONS_MAX,
    WAITING_BYTES_MAX,
)

ONE = b"t" * 500


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_a_chunk_reads_back(transactions: list[bytes]) -> None:
    assert decode_chunk(encode_chunk(transactions)) == transactions


def test_a_chunk_sent_again_is_another_message() -> None:
    assert encode_chunk([ONE]) != encode_chunk([ONE])


@given(st.binary(max_size=200))
def test_garbage_is_no_chunk(data: bytes) -> None:
    try:
        decode_chunk(data)
    except MalformedChunk:
        return
    assert encode([data[2:10], decode_chunk(data)]) == data


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        [bytes(8)],
        [bytes(8), []],
        [bytes(7), [ONE]],
        ["nonce", [ONE]],
        [bytes(8), ["text"]],
        [bytes(8), [ONE], ONE],
        [bytes(8), {"a": ONE}],
        [bytes(8), [b""] * (CHUNK_TRANSACTIONS_MAX + 1)],
        [bytes(8), [bytes(CHUNK_BYTES_ACCEPTED_MAX)]],
    ],
)
def test_other_values_are_no_chunk(value: object) -> None:
    with pytest.raises(MalformedChunk):
        decode_chunk(encode(value))


def published(add: Callable[[Disseminator], None], wanted: Callable[[bytes], bool]) -> list[bytes]:
    """The chunks that leave when `add` has added to a disseminator."""
    sent: list[bytes] = []

    async def publish(data: bytes) -> None:
        sent.append(data)
        await trio.sleep(1)

    async def main() -> None:
        disseminator = Disseminator(publish, wanted)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(disseminator.run)
            add(disseminator)
            await trio.sleep(1_000)
            nursery.cancel_scope.cancel()
        assert disseminator.waiting_bytes == 0

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return sent


def test_a_lot_leaves_in_order_within_both_limits() -> None:
    lot = [ONE] * (3 * CHUNK_BYTES_MAX // len(ONE)) + [b"s"] * (CHUNK_TRANSACTIONS_MAX + 5)
    chunks = published(lambda to: [to.add(each) for each in lot] and None, lambda signed: True)
    groups = [decode_chunk(chunk) for chunk in chunks]
    assert [each for group in groups for each in group] == lot
    for group in groups:
        assert 0 < len(group) <= CHUNK_TRANSACTIONS_MAX
        assert sum(map(len, group)) <= CHUNK_BYTES_MAX


def test_what_was_committed_before_its_turn_is_not_sent() -> None:
    lot = [b"%07d" % number for number in range(20_000)]
    chunks = published(
        lambda to: [to.add(each) for each in lot] and None, lambda signed: signed[-1:] == b"7"
    )
    left = [each for chunk in chunks for each in decode_chunk(chunk)]
    assert left == [each for each in lot if each.endswith(b"7")]


def test_what_waits_for_the_network_is_bounded() -> None:
    async def publish(data: bytes) -> None:
        await trio.sleep_forever()

    disseminator, one = Disseminator(publish), bytes(CHUNK_BYTES_MAX)
    for _ in range(3 * WAITING_BYTES_MAX // len(one)):
        disseminator.add(one)
        assert disseminator.waiting_bytes <= WAITING_BYTES_MAX


def test_what_comes_together_leaves_together_and_a_failed_send_ends_nothing() -> None:
    sent: list[list[bytes]] = []

    async def publish(data: bytes) -> None:
        sent.append(decode_chunk(data))
        if len(sent) == 1:
            raise OSError("the network is down")

    async def main() -> None:
        disseminator = Disseminator(publish)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(disseminator.run)
            for each in (b"1", b"2"):
                disseminator.add(each)
            await trio.sleep(1)
            disseminator.add(b"3")
            await trio.sleep(1)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert sent == [[b"1", b"2"], [b"3"]]
