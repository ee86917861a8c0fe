"""Ten thousand messages with one wrong field: refused without a trace, or harmless."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest
from mutations import Life, Mutator, branch, follow, installed_wrongly, judged, record, walk

from consensus import ProtocolViolation
from consensus.interface import FrameReceived

FIRST = int(os.environ.get("KILOCHAIN_SEED", "0"))
COUNT = int(os.environ.get("KILOCHAIN_MUTATIONS", "10400"))
LIVES = max(8, COUNT // 2_000)


def torment(life: Life, count: int, chance: random.Random) -> Counter[str]:
    """Mutants in states that are spread over a whole life. Raises at the first that does harm."""
    mutator, seen = Mutator(life, chance), Counter[str]()
    per_state = -(-count // len(life.recorder.events)) + 1
    for at, replica in walk(life):
        before = replica._state
        for _ in range(per_state):
            peer, name, frame = mutator.draw()
            branched, state = branch(replica)
            try:
                output = branched.step(FrameReceived(peer, frame), before.now)
            except ProtocolViolation:
                state.out, state.environment = before.out, before.environment
                assert state == before, f"a refused {name} has changed the state, event {at}"
                seen["refused"] += 1
                continue
            fault = judged(life, output) or installed_wrongly(before, state)
            fault = fault or follow(life, branched, at)
            assert fault is None, f"{name} at event {at}: {fault}"
            state.out, state.environment = before.out, before.environment
            seen["ignored" if state == before else "taken"] += 1
    return seen


def test_mutants_are_refused_without_a_trace_or_do_no_harm() -> None:
    total = Counter[str]()
    for life in range(LIVES):
        seed = FIRST * LIVES + life
        try:
            total += torment(record(seed), COUNT // LIVES, random.Random(seed))
        except BaseException as error:
            error.add_note(f"KILOCHAIN_SEED={FIRST} pytest {__file__}, life {seed}")
            raise
    print(dict(total))
    assert total.total() >= COUNT
    # All three happen often: otherwise the mutants are too wild or too tame.
    assert min(total["refused"], total["taken"], total["ignored"]) >= COUNT // 50


@pytest.mark.parametrize("seed", range(4))
def test_a_branch_is_the_same_replica_and_shares_nothing(seed: int) -> None:
    """What the walk compares is the whole state: a branch that goes on leaves no trace."""
    life = record(seed)
    events = life.recorder.events
    for at, replica in walk(life):
        if at % 20 or at + 1 >= len(events) or events[at + 1][0] is None:
            continue
        told = repr(replica._state.votes), repr(replica._state.timer)
        branched, state = branch(replica)
        state.environment = replica._state.environment
        assert state == replica._state
        try:
            branched.step(*events[at + 1])  # type: ignore[arg-type]
        except ProtocolViolation:
            continue
        assert told == (repr(replica._state.votes), repr(replica._state.timer))
