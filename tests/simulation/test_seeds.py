"""Random seeds: a short run of each kind, and every seed that once failed."""

import pytest

from node.simulation import run_simulation

SMOKE = [(seed, validators) for validators in (4, 1, 2, 3, 5, 7) for seed in range(4)]


@pytest.mark.parametrize(("seed", "validators"), SMOKE)
def test_a_seed_is_safe_and_alive(seed: int, validators: int) -> None:
    result = run_simulation(seed, validators=validators, blocks=10)
    assert result.violations == (), result.command


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = (run_simulation(3, blocks=5).trace_hash for _ in range(2))
    assert first == second
