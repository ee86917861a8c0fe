"""Random seeds: a short run of each size of network, and a thousand more side by side."""

import os

import pytest

from node.simulation import run_simulation, simulate_range

SMOKE = [(seed, validators) for validators in (4, 1, 2, 3, 5, 6, 7, 10) for seed in range(8)]
BREADTH = {4: 700, 7: 200, 10: 60, 1: 10, 2: 10, 3: 10, 5: 10, 6: 10}


@pytest.mark.parametrize(("seed", "validators"), SMOKE)
def test_a_seed_is_safe_and_alive(seed: int, validators: int) -> None:
    result = run_simulation(seed, validators=validators, blocks=10)
    assert result.violations == (), result.command


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = (run_simulation(3, blocks=5).trace_hash for _ in range(2))
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize("validators", BREADTH)
def test_a_thousand_networks_are_safe_and_alive(validators: int) -> None:
    jobs = min(4, os.cpu_count() or 1)
    failed = simulate_range(1_000, BREADTH[validators], validators=validators, jobs=jobs)
    assert [result.command for result in failed] == []


def test_processes_side_by_side_give_what_one_gives() -> None:
    seen: dict[int, list[str]] = {1: [], 2: []}
    for jobs, traces in seen.items():
        simulate_range(
            5, 6, blocks=3, jobs=jobs, on_result=lambda each, to=traces: to.append(each.trace_hash)
        )
    assert len(seen[1]) == 6
    assert seen[1] == seen[2]
