"""Random seeds: a short run of each size of network, and a thousand more side by side."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli.simulate import simulate
from node.simulation import run_simulation, simulate_range

SMOKE = [(seed, validators) for validators in (4, 1, 2, 3, 5, 6, 7, 10) for seed in range(8)]
BREADTH = {4: 700, 7: 200, 10: 60, 1: 10, 2: 10, 3: 10, 5: 10, 6: 10}


# In parts, so that no test takes minutes on a busy machine.
PARTS = [
    (n, first, min(175, 1_000 + count - first))
    for n, count in BREADTH.items()
    for first in range(1_000, 1_000 + count, 175)
]
BESIDE = 5  # Twins scenarios and memberships that are run twice more, each
# Every fiftieth of the seeds above, run twice more.
SAMPLE = {n: list(range(1_000, 1_000 + count, 50)) for n, count in BREADTH.items()}


@pytest.mark.parametrize(("seed", "validators"), SMOKE)
def test_a_seed_is_safe_and_alive(seed: int, validators: int) -> None:
    result = run_simulation(seed, validators=validators, blocks=10)
    assert result.violations == (), result.command


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = (run_simulation(3, blocks=5).trace_hash for _ in range(2))
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize(("validators", "first", "count"), PARTS)
def test_a_thousand_networks_are_safe_and_alive(validators: int, first: int, count: int) -> None:
    jobs = min(4, os.cpu_count() or 1)
    failed = simulate_range(first, count, validators=validators, jobs=jobs)
    assert [result.command for result in failed] == []


def traces(hash_seed: str) -> list[str]:
    """The sample's traces, made by another process under another hash seed."""
    code = (
        "from node.simulation import run_simulation\n"
        "from node.simulation.twins import run_twins\n"
        f"for n, seeds in {SAMPLE!r}.items():\n"
        "    for seed in seeds:\n"
        "        print(n, seed, run_simulation(seed, validators=n).trace_hash)\n"
        f"for seed in range({BESIDE}):\n"
        "    print(seed, run_simulation(seed, membership=True).trace_hash)\n"
        "    print(seed, run_twins(seed, rounds=3).trace_hash)"
    )
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False, text=True
    )
    # A child that died is another finding than a trace that differs: say which it was.
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout.splitlines()


@pytest.mark.slow
def test_two_per_cent_of_the_seeds_give_the_same_trace_under_two_hash_seeds() -> None:
    """Also some Twins and changing memberships: nothing walks through a set or asks a clock."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(traces, ("0", "4711"))
    assert len(first) == sum(len(seeds) for seeds in SAMPLE.values()) + 2 * BESIDE
    assert len(first) * 50 >= sum(BREADTH.values())
    assert first == second


def test_regression_seeds_stay_green() -> None:
    for line in (Path(__file__).parent / "regressions.txt").read_text().splitlines():
        command, _, why = line.partition("#")
        if command.strip():
            assert why.strip(), "each line says why"
            done = CliRunner().invoke(simulate, command.split())
            assert done.exit_code == 0, f"{command}: {done.output}"


def test_processes_side_by_side_give_what_one_gives() -> None:
    seen: dict[int, list[str]] = {1: [], 2: []}
    for jobs, traces in seen.items():
        simulate_range(
            5, 6, blocks=3, jobs=jobs, on_result=lambda each, to=traces: to.append(each.trace_hash)
        )
    assert len(seen[1]) == 6
    assert seen[1] == seen[2]
