"""The wall clock, which only these ask: fresh blocks, the check of a block's time, expiry."""

from __future__ import annotations

import time


class _Clock:
    """How wrong this process's wall clock is on purpose, in ms."""

    shift_ms = 0


def wall_ms() -> int:
    """Unix time in ms, as wrong as this machine's clock, or as a testnet sets it."""
    return int(time.time() * 1000) + _Clock.shift_ms


def set_wrong(shift_ms: int) -> None:
    """From now on be wrong by so many ms, in this process (testnets only)."""
    _Clock.shift_ms = shift_ms
