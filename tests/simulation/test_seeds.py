"""Random seeds: a short run of each size of network, and a long one of four replicas."""

import pytest

from node.simulation import run_simulation, simulate_range

SMOKE = [(seed, validators) for validators in (4, 1, 2, 3, 5, 6, 7, 10) for seed in range(8)]


@pytest.mark.parametrize(("seed", "validators"), SMOKE)
def test_a_seed_is_safe_and_alive(seed: int, validators: int) -> None:
    result = run_simulation(seed, validators=validators, blocks=10)
    assert result.violations == (), result.command


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = (run_simulation(3, blocks=5).trace_hash for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_three_hundred_networks_of_four_are_safe_and_alive() -> None:
    assert [result.command for result in simulate_range(1_000, 300)] == []
