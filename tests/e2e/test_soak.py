"""A network under steady load: what each node holds does not grow with what it has done."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from whole_network import Net, wait_until

from node.testnet import calls

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SECONDS = float(os.environ.get("KILOCHAIN_SOAK_SECONDS", "18"))
PAUSE_S = 0.5  # between two arrays and two samples
LOT = 100  # batches in one array, each array to the next node
GROWTH_MAX = 1.5  # of the last third over the middle one; a leak of a whole run shows in the ratio
DISK_PER_TRANSACTION_MAX = 32 * 1024  # bytes on one node, its journal and indexes included


@dataclass(frozen=True)
class Sample:
    """One node at one moment. `disk`: bytes under its data folder."""

    resident: int
    descriptors: int
    disk: int
    committed: int


def _sample(net: Net, name: str, committed: int) -> Sample:
    entry = net.layout.node(name)
    process = Path(f"/proc/{entry.pid}")
    pages = int((process / "statm").read_text().split()[1])
    return Sample(
        pages * os.sysconf("SC_PAGE_SIZE"),
        len(list((process / "fd").iterdir())),
        sum(_size(path) for path in (Path(entry.home) / "data").rglob("*")),
        committed,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # the store removes files while it is looked at
        return 0


def _growth(samples: list[Sample], of: Callable[[Sample], int]) -> float:
    """The median of the last third over that of the middle third."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    return statistics.median(map(of, last)) / statistics.median(map(of, middle))


def test_a_steady_load_grows_nothing_but_the_chain(net: Net) -> None:
    samples: dict[str, list[Sample]] = {name: [] for name in net.validators}
    accepted, ends = 0, time.monotonic() + SECONDS
    while time.monotonic() < ends:
        due = time.monotonic() + PAUSE_S
        url = net.url(net.validators[accepted // LOT % len(net.validators)])
        lot = [{"tx": each.base64} for each in net.fresh(LOT)]
        accepted += sum("result" in each for each in calls.call_many(url, "tx.submit", lot))
        for name, taken in samples.items():
            taken.append(_sample(net, name, accepted))
        time.sleep(max(0.0, due - time.monotonic()))
    for name in net.validators:
        wait_until(lambda name=name: net.chain(name)["pending"] == 0, f"{name}'s pool is empty")
    net.wait_agreement(net.validators)
    for name, taken in samples.items():
        resident = _growth(taken, lambda sample: sample.resident)
        descriptors = _growth(taken, lambda sample: sample.descriptors)
        last = taken[-1]
        disk = last.disk / last.committed
        print(
            f"{name}: {last.committed} transactions, {len(taken)} samples; memory "
            f"{last.resident / 1e6:.0f} MB, x {resident:.3f}; {last.descriptors} descriptors, "
            f"x {descriptors:.3f}; disk {disk / 1e3:.1f} kB a transaction"
        )
        assert last.committed == len(net.transactions(name))
        assert resident <= GROWTH_MAX
        assert descriptors <= GROWTH_MAX
        assert disk <= DISK_PER_TRANSACTION_MAX
