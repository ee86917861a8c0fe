"""A chain that stands below its journal has lost blocks; one that lost none never seems to."""

from __future__ import annotations

import pytest

from consensus import Replica, journal_reach
from consensus.errors import InvariantBroken
from consensus.interface import Environment, Start
from consensus.messages import COMMIT, Vote
from consensus.wire import encode_vote
from ledger.codec import encode
from node.simulation import run_simulation

CHAIN = "test-0123456789abcdef"


class Restarting(Replica):
    """A replica that looks, whenever it starts, whether its chain seems to have lost blocks."""

    starts = 0

    def __init__(self, start: Start, environment: Environment) -> None:
        Restarting.starts += len(start.journal) > 0
        seen = journal_reach(start.journal)
        if start.observe is None:
            assert seen <= start.head.height, f"{seen} seen, {start.head.height} there"
        super().__init__(start, environment)


@pytest.mark.parametrize("seed", range(30))
def test_whoever_crashes_without_losing_blocks_may_vote_at_once(seed: int) -> None:
    result = run_simulation(seed, validators=4 + seed % 4, blocks=10, factory=Restarting)
    assert result.violations == (), result.command


def test_the_crashes_left_journals_to_look_at() -> None:
    before = Restarting.starts
    run_simulation(1, validators=4, blocks=10, factory=Restarting)
    assert Restarting.starts > before


def _vote(height: int) -> bytes:
    vote = Vote(COMMIT, 0, height, bytes(32), bytes(32), bytes(64))
    return encode(["vote", encode_vote(CHAIN, vote)])


def test_a_vote_shows_that_the_block_below_it_was_there() -> None:
    assert journal_reach([]) == 0
    assert journal_reach([_vote(8), _vote(3)]) == 7


def test_a_view_shows_the_block_below_its_epoch_and_not_its_base() -> None:
    view = encode(["view", 6, None, 2, "active", 9, None, None, None, None])
    assert journal_reach([view]) == 5


def test_a_record_that_cannot_be_read_is_our_own_fault() -> None:
    with pytest.raises(InvariantBroken, match="cannot be read"):
        journal_reach([b"\xc1"])
