"""Networks of one real node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from one_node import OneNode, make


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneNode]:
    """A node that runs while the tests that ask it do."""
    made = make(tmp_path_factory.mktemp("node"))
    with made.running():
        yield made
