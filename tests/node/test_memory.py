"""A node that holds too much memory stops, and says so."""

from __future__ import annotations

import pytest
import trio

from node.memory import MemoryExhausted, resident_bytes, watch_memory

GROWTH = 64 << 20  # bytes


def test_resident_memory_grows_with_what_is_held() -> None:
    before = resident_bytes()
    held = bytearray(b"x") * GROWTH
    assert resident_bytes() > before + GROWTH // 2
    assert len(held) == GROWTH


@pytest.mark.trio
async def test_a_process_over_its_limit_ends() -> None:
    with trio.fail_after(20), pytest.raises(MemoryExhausted, match="MiB"):
        await watch_memory(bytes_max=1)


@pytest.mark.trio
async def test_a_process_below_its_limit_goes_on(autojump_clock: trio.testing.MockClock) -> None:
    with trio.move_on_after(60) as scope:
        await watch_memory()
    assert scope.cancelled_caught
