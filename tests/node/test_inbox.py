"""The order in which the replica hears of things."""

from __future__ import annotations

import trio

from consensus.interface import FrameReceived, Heartbeat, PeerConnected, PoolChanged
from node.inbox import Inbox


def test_answers_come_before_what_peers_sent() -> None:
    async def main() -> None:
        inbox = Inbox()
        inbox.offer(PeerConnected("a"))
        inbox.answer(PoolChanged(1, 0))
        far = trio.current_time() + 60
        assert await inbox.take(far) == PoolChanged(1, 0)
        assert await inbox.take(far) == PeerConnected("a")

    trio.run(main)


def test_a_full_inbox_refuses_events_but_never_answers() -> None:
    async def main() -> None:
        inbox = Inbox(events_max=1)
        assert inbox.offer(Heartbeat())
        assert not inbox.offer(Heartbeat())
        inbox.answer(PoolChanged(0, None))
        assert await inbox.take(trio.current_time() + 60) == PoolChanged(0, None)

    trio.run(main)


def test_a_deadline_that_has_come_is_told_before_the_next_frame() -> None:
    async def main() -> None:
        inbox = Inbox()
        inbox.offer(Heartbeat())
        assert await inbox.take(trio.current_time()) is None

    trio.run(main)


def test_a_peer_that_floods_keeps_nobody_waiting_and_its_excess_is_dropped() -> None:
    async def main() -> None:
        inbox = Inbox(events_per_peer_max=100)
        taken = [inbox.offer(FrameReceived("loud", bytes([turn]))) for turn in range(200)]
        assert taken.count(True) == 100
        assert inbox.offer(FrameReceived("quiet", b"vote"))
        far = trio.current_time() + 60
        first_two = [await inbox.take(far), await inbox.take(far)]
        assert FrameReceived("quiet", b"vote") in first_two
        rest = [await inbox.take(far) for _ in range(99)]
        assert rest == [FrameReceived("loud", bytes([turn])) for turn in range(1, 100)]

    trio.run(main)


def test_few_large_frames_fill_a_peers_line_as_well() -> None:
    inbox = Inbox(bytes_per_peer_max=10)
    assert inbox.offer(FrameReceived("loud", b"x" * 8))
    assert not inbox.offer(FrameReceived("loud", b"x" * 8))
    assert inbox.offer(FrameReceived("quiet", b"x" * 8))
