"""One network for the tests that ask a real node."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from explorer_net import Site, run_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A node with hostile members and batches."""
    yield from run_site(tmp_path_factory.mktemp("explorer"))


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    """A client of that node that asks for HTML as a browser does."""
    headers = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "en"}
    with httpx.Client(base_url=site.url, headers=headers, trust_env=False) as client:
        yield client
