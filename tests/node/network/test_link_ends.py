"""However a session ends, the link dials again and nothing reaches the node."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import trio

from node.network import limits
from node.network.links import Links


class Ends(Links):
    """Sessions that end in one way each; no connections."""

    def __init__(self, sessions: list[str]) -> None:
        self._left = list(sessions)
        self.all_ended = trio.Event()

    async def _connect(self, link: Any) -> None:
        if not self._left:
            self.all_ended.set()
            await trio.sleep_forever()

    async def _session(self, link: Any) -> None:
        how = self._left.pop(0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._one, link, how)
            nursery.start_soon(trio.sleep_forever)

    async def _one(self, link: Any, how: str) -> None:
        if "cancelled" in how:
            link.scope.cancel()
        if "fails" in how:
            raise ConnectionResetError("the peer died")
        await trio.sleep_forever()

    async def _ended(self, link: Any) -> None:
        """Nothing to close."""

    async def _work(self, link: Any) -> None:
        """Nothing to do."""


@pytest.mark.trio
async def test_a_session_that_fails_while_it_is_cancelled_is_a_redial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "BACKOFF_MIN_S", 0.0)
    links = Ends(["fails", "cancelled", "cancelled and fails", "fails"])
    link = SimpleNamespace(peer="peer", scope=None, up=False)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(links._keep, link)
            await links.all_ended.wait()
            nursery.cancel_scope.cancel()
