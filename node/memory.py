"""A limit on this process's memory, because the library below has none of its own.

A member that has passed the handshake can make py-libp2p hold what nobody reads (stream windows,
floods of streams). Whatever the cause, a node that stops says why, loses nothing and starts again;
one that takes the machine's memory takes its neighbours along.
"""

from __future__ import annotations

import os
from pathlib import Path

import trio

from node.limits import MEMORY_BYTES_MAX, WATCH_S

_MIB = 1 << 20


class MemoryExhausted(Exception):  # noqa: N818 - the name says what happened
    """This process holds more memory than a node may."""


def resident_bytes() -> int:
    """Resident memory of this process, 0 where the system does not tell (it has no /proc)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


async def watch_memory(bytes_max: int = MEMORY_BYTES_MAX) -> None:
    """Look once a second, until cancelled. Raises MemoryExhausted."""
    while True:
        held = resident_bytes()
        if held > bytes_max:
            raise MemoryExhausted(
                f"this process holds {held // _MIB} MiB of memory, a node may hold "
                f"{bytes_max // _MIB} MiB"
            )
        await trio.sleep(WATCH_S)
