"""Real networks of real processes; each ends with its test, whatever happens in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_network import SEEDS, Net

from node.testnet import control, demo


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    """Four validators of its own for one test."""
    yield from _network(tmp_path / "net")


@pytest.fixture(scope="module")
def shared_net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """Four validators with the sample batches, for the tests of a module that break nothing."""
    for network in _network(tmp_path_factory.mktemp("shared") / "net"):
        demo.register_batches(network.folder, SEEDS / "batches")
        yield network


def _network(folder: Path) -> Iterator[Net]:
    try:
        control.up(folder, SEEDS / "consortium")
        yield Net(folder)
    finally:
        if (folder / "testnet.json").exists():
            control.down(folder)
