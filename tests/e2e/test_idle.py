"""A network with nothing to do does nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from whole_network import Net

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
WATCH_S = 20
CORE_PERCENT_MAX = 10.0  # about 2.5 on a quiet machine; the rest is for busy ones


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_an_idle_network_makes_no_blocks_and_hardly_uses_the_processor(net: Net) -> None:
    net.commit("v0")
    net.wait_agreement(net.validators)
    time.sleep(5)  # what the start left to do
    pids = [entry.pid for entry in net.layout.nodes if entry.validator]
    head = net.chain("v0")["head"]
    before = sum(_cpu_seconds(pid) for pid in pids if pid)
    time.sleep(WATCH_S)
    used = sum(_cpu_seconds(pid) for pid in pids if pid) - before
    assert net.chain("v0")["head"] == head
    print(f"four idle nodes use {100 * used / WATCH_S:.1f} % of one core")
    assert 100 * used / WATCH_S < CORE_PERCENT_MAX
