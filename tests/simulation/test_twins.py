"""Twins: each number is a scenario, all of them differ, and honest replicas never disagree."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from node.cli.simulate import simulate
from node.simulation import simulate_range
from node.simulation.twins import PARTITIONS, REPLICAS, run_twins, scenario, scenarios

ROUNDS = 2
PARTS = 4  # so that no test takes minutes on a busy machine
COUNT = 5_000


def test_partitions_and_scenarios_are_all_there_are() -> None:
    assert len(PARTITIONS) == len(set(PARTITIONS)) == 52, "the fifth Bell number"
    assert scenarios(2) == REPLICAS * 52**2
    numbered = {scenario(number, 2) for number in range(scenarios(2))}
    assert len(numbered) == scenarios(2)


@pytest.mark.parametrize("rounds", [1, 2, 3, 4, 5, 6])
def test_the_first_thousand_are_a_fair_sample(rounds: int) -> None:
    count = min(1_000, scenarios(rounds))
    sample = [scenario(number, rounds) for number in range(count)]
    assert len(set(sample)) == count
    for replica in range(REPLICAS):
        assert sum(twin == replica for twin, _ in sample) >= count // REPLICAS - 10
    for place in range(rounds):
        assert len({groups[place] for _, groups in sample}) == 52


def test_a_scenario_is_its_number() -> None:
    first, again = run_twins(77), run_twins(77, explain=lambda line: None)
    assert first == again
    words = first.command.split()
    done = CliRunner().invoke(simulate, words[2:])
    assert done.exit_code == 0, done.output
    assert first.trace_hash[:16] in done.output
    with pytest.raises(ValueError, match="10816 scenarios"):
        run_twins(scenarios(2))


def test_some_scenarios_of_each_length_are_safe_and_alive() -> None:
    for rounds, count in ((1, 20), (2, 20), (3, 40), (4, 20)):
        failed = simulate_range(0, count, twins=rounds)
        assert [result.command for result in failed] == []


def test_twins_do_split_the_others_over_two_blocks() -> None:
    """Both bodies propose: the scenarios are not idle."""
    proposed = 0
    for number in range(30):
        said: list[str] = []
        run_twins(number, explain=said.append)
        proposed += any("has evidence against" in line for line in said)
    assert proposed >= 3


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_thousands_of_scenarios_are_safe_and_alive(part: int) -> None:
    seen: list[int] = []
    count = COUNT // PARTS
    failed = simulate_range(
        part * count,
        count,
        twins=ROUNDS,
        jobs=min(4, os.cpu_count() or 1),
        on_result=lambda result: seen.append(len(result.heights)),
    )
    assert [result.command for result in failed] == []
    assert seen == [REPLICAS - 1] * count
