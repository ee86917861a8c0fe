"""The long campaign: takes turns between its parts, never repeats a seed, keeps a ledger.

Each finished turn is a line of the ledger (JSON): commit, part, first seed, how many, seconds, what
failed and the command that repeats it. A later run goes on behind the highest seed of each part.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
FIRST_SEED = 1_000_000  # below it are those of the test suite
TWINS_ROUNDS = 4  # 29 million scenarios: no campaign comes to their end
BIN = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest", "-q")


@dataclass(frozen=True)
class Part:
    """What one turn runs. `{seed}` and `{count}` stand for the seeds of this turn.

    The count of a part without seeds says how long it is, in a unit of its own.
    """

    name: str
    count: int
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def _simulation(validators: int, count: int, *more: str) -> Part:
    options = ("--seed", "{seed}", "--count", "{count}", "--validators", str(validators), *more)
    command = (str(BIN / "kilochain"), "simulate", *options, "--jobs", str(os.cpu_count() or 1))
    return Part("-".join(["membership" if more else "simulation", str(validators)]), count, command)


PARTS = (
    _simulation(4, 400),
    _simulation(7, 200),
    _simulation(10, 100),
    *(_simulation(validators, 60, "--membership") for validators in (4, 5, 7)),
    Part(
        "twins",
        5_000,
        (
            *(str(BIN / "kilochain"), "simulate", "--seed", "{seed}", "--count", "{count}"),
            *("--twins", str(TWINS_ROUNDS), "--jobs", str(os.cpu_count() or 1)),
        ),
    ),
    Part("bank", 1, (*PYTEST, "tests/bank"), (("KILOCHAIN_BANK", "all"),)),
    Part(
        "mutations",
        1,
        (*PYTEST, "tests/simulation/test_mutations.py"),
        (("KILOCHAIN_MUTATIONS", "50000"), ("KILOCHAIN_SEED", "{seed}")),
    ),
    Part(
        "crash-boundaries",
        40,
        (*PYTEST, "tests/simulation/test_crash_boundaries.py"),
        (("KILOCHAIN_CRASH_SEEDS", "{count}"), ("KILOCHAIN_SEED", "{seed}")),
    ),
    Part(
        "bounds",
        1,
        (*PYTEST, "tests/simulation/test_bounds.py"),
        (
            ("KILOCHAIN_LONG_BLOCKS", "100000"),
            ("KILOCHAIN_SLOW_S", "300"),
            ("KILOCHAIN_SEED", "{seed}"),
        ),
    ),
    Part(
        "disk",
        2_000,
        (*PYTEST, "tests/disk"),
        (
            ("KILOCHAIN_CUTS", "{count}"),
            ("KILOCHAIN_DAMAGES", "{count}"),
            ("KILOCHAIN_SEED", "{seed}"),
        ),
    ),
    Part(
        "crash-points",
        2,
        (*PYTEST, "tests/simulation/test_crash_points.py"),
        (
            ("KILOCHAIN_CRASH_RUNS", "{count}"),
            ("KILOCHAIN_CRASH_STRIDE", "1"),
            ("KILOCHAIN_SEED", "{seed}"),
        ),
    ),
    Part(
        "processes",
        10,
        (*PYTEST, "-s", "tests/e2e/test_histories.py"),
        (("KILOCHAIN_FAULT_ROUNDS", "{count}"), ("KILOCHAIN_SEED", "{seed}")),
    ),
    Part(
        "cuts",
        10,
        (*PYTEST, "-s", "tests/e2e/test_partitions.py", "tests/e2e/test_clocks.py"),
        (("KILOCHAIN_FAULT_SECONDS", "{count}"),),
    ),
    Part(
        "flood",
        60,
        (*PYTEST, "-s", "tests/e2e/test_flood.py"),
        (("KILOCHAIN_FLOOD_BLOCKS", "{count}"),),
    ),
    Part(
        "soak",
        900,
        (*PYTEST, "-s", "tests/e2e/test_soak.py"),
        (("KILOCHAIN_SOAK_SECONDS", "{count}"),),
    ),
)


@dataclass(frozen=True)
class Turn:
    """One line of the ledger."""

    commit: str
    part: str
    seed: int
    count: int
    seconds: float
    failed: bool
    command: str


def read_ledger(path: Path) -> list[Turn]:
    """The turns so far; a torn last line counts for nothing."""
    turns = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            turns.append(Turn(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return turns


def run(part: Part, seed: int, output: Path) -> Turn:
    """Run one turn to its end; Ctrl-C ends it with all that it started."""
    values = {"seed": seed, "count": part.count}
    command = [each.format(**values) for each in part.command]
    extra = {name: value.format(**values) for name, value in part.environment}
    began = time.monotonic()
    with output.open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **extra}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)
            raise
    said = [f"{name}={value}" for name, value in extra.items()]
    shown = " ".join([*said, *(each.replace(f"{BIN}/", ".venv/bin/") for each in command)])
    seconds = round(time.monotonic() - began, 1)
    return Turn(_commit(), part.name, seed, part.count, seconds, code != 0, shown)


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


def _turns(parts: list[Part], ledger: Path, until: float) -> Iterator[Turn]:
    following = {part.name: FIRST_SEED for part in parts}
    for turn in read_ledger(ledger):
        following[turn.part] = max(following.get(turn.part, 0), turn.seed + turn.count)
    for part in itertools.cycle(parts):
        if time.monotonic() >= until:
            return
        seed = following[part.name]
        turn = run(part, seed, ledger.parent / f"{part.name}.log")
        following[part.name] = seed + part.count
        with ledger.open("a") as file:
            file.write(json.dumps(asdict(turn)) + "\n")
        yield turn


def _summary(turns: list[Turn]) -> str:
    lines = []
    for name in dict.fromkeys(turn.part for turn in turns):
        mine = [turn for turn in turns if turn.part == name]
        hours = sum(turn.seconds for turn in mine) / 3600
        failed = sum(turn.failed for turn in mine)
        seeds = sum(turn.count for turn in mine)
        lines.append(f"{name:<16} {seeds:>9} seeds  {hours:>7.2f} h  {failed:>3} turns failed")
    return "\n".join(lines)


@click.command()
@click.option("--minutes", type=click.FloatRange(0), default=60.0, show_default=True)
@click.option("--only", type=click.Choice([part.name for part in PARTS]), multiple=True)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    default=ROOT / ".campaign" / "ledger.jsonl",
    help="Where the turns are written down; default .campaign/ledger.jsonl.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each turn.")
def main(minutes: float, only: tuple[str, ...], ledger: Path, as_json: bool) -> None:
    """Look for faults for a time, and go on where the last run stopped.

    Starts no new turn after the given minutes. Ends with exit code 1 when a turn failed, and with
    the command that repeats it.

    Example: ./scripts/campaign --minutes 60 --only simulation-4
    """
    ledger.parent.mkdir(parents=True, exist_ok=True)
    parts = [part for part in PARTS if not only or part.name in only]
    failed = []
    try:
        for turn in _turns(parts, ledger, time.monotonic() + minutes * 60):
            said = "FAILED" if turn.failed else "ok"
            seeds = f"seeds {turn.seed}-{turn.seed + turn.count - 1}"
            text = f"{turn.part}: {said}, {seeds}, {turn.seconds:.0f} s"
            click.echo(json.dumps(asdict(turn)) if as_json else text)
            if turn.failed:
                failed.append(turn)
    except KeyboardInterrupt:
        click.echo("stopped; the turn that was interrupted is run again next time", err=True)
        sys.exit(130)
    finally:
        if not as_json:
            click.echo(f"\nall turns in {ledger}:\n{_summary(read_ledger(ledger))}")
    if failed:
        again = "\n  ".join(turn.command for turn in failed)
        raise click.ClickException(f"{len(failed)} turns failed; repeat them with:\n  {again}")


if __name__ == "__main__":
    main()
