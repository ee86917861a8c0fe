"""One recorded network for all tests of this folder: it takes a while to make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from homes import recorded_network
from recorded_run import RecordedRun

BLOCKS = 50


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRun]:
    """A network that has ended. `whole` is v0's home as it was then; tests may start the nodes."""
    folder = tmp_path_factory.mktemp("recorded")
    with recorded_network(folder / "net", BLOCKS) as network:
        yield RecordedRun(network, folder / "spare")
