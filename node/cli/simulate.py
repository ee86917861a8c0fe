"""`kilochain simulate`: whole networks of replicas on a virtual clock, from a seed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from node.simulation import SimulationResult, simulate_range
from node.simulation.limits import TWINS_ROUNDS_MAX
from node.simulation.twins import scenarios

VALIDATORS_MAX = 31
BLOCKS_MAX = 10_000
SEEDS_MAX = 1_000_000  # of one call
JOBS_MAX = 64


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--count",
    type=click.IntRange(1, SEEDS_MAX),
    default=1,
    show_default=True,
    help="How many seeds, from --seed on.",
)
@click.option("--validators", type=click.IntRange(1, VALIDATORS_MAX), default=4, show_default=True)
@click.option(
    "--blocks",
    type=click.IntRange(1, BLOCKS_MAX),
    default=20,
    show_default=True,
    help="Transactions submitted while faults happen.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, JOBS_MAX),
    default=1,
    show_default=True,
    help="Processes that run seeds side by side.",
)
@click.option(
    "--twins",
    metavar="ROUNDS",
    type=click.IntRange(1, TWINS_ROUNDS_MAX),
    help="Twins scenarios of so many rounds, each by its number, instead of drawn faults.",
)
@click.option("--membership", is_flag=True, help="The validator set changes all the time.")
@click.option("--explain", is_flag=True, help="One line on stderr for each thing that happens.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each seed.")
def simulate(explain: bool, as_json: bool, **range_of: Any) -> None:
    """Run the real replica through faults and lies, and check that it stays safe and comes back.

    Each seed draws its own faults: lost, doubled, late and reordered messages, one-way and other
    partitions, clogged links, crashes that tear what was not synced, disks that refuse a write or
    flip a bit, pauses, clocks an hour off, and up to f replicas that lie. Then the network heals,
    f replicas may stay dead, and everything must commit. The ledger is the node's own. The same
    seed gives the same trace hash everywhere. A broken promise ends with exit code 1 and the
    command that repeats it.

    Example: kilochain simulate --seed 1 --count 300 --jobs 2
    """
    _refuse_nonsense(explain, **range_of)
    first, count = range_of.pop("seed"), range_of.pop("count")
    failed = simulate_range(
        first,
        count,
        explain=_explain if explain else None,
        on_result=_print_json if as_json else _print,
        **range_of,
    )
    if failed:
        again = "\n  ".join(result.command for result in failed)
        raise click.ClickException(f"{len(failed)} of {count} seeds broke a promise:\n  {again}")
    if not as_json and count > 1:
        click.echo(f"{count} seeds: safe, and live after healing.")


def _refuse_nonsense(
    explain: bool,
    *,
    seed: int,
    count: int,
    jobs: int,
    twins: int | None,
    membership: bool,
    **_: int,
) -> None:
    if twins is not None and membership:
        raise click.UsageError("--twins has one validator set: leave out --membership")
    if twins is not None and seed + count > scenarios(twins):
        raise click.UsageError(f"there are {scenarios(twins)} scenarios of {twins} rounds")
    if explain and jobs > 1:
        raise click.UsageError("--explain tells one run at a time: leave out --jobs")


def _explain(line: str) -> None:
    click.echo(line, err=True)


def _print_json(result: SimulationResult) -> None:
    click.echo(json.dumps(asdict(result)))


def _print(result: SimulationResult) -> None:
    liar = f", lying: {result.byzantine}" if result.byzantine else ""
    said = "ok" if result.ok else "BROKEN"
    click.echo(
        f"seed {result.seed}: {said}, heights {'/'.join(map(str, result.heights))}, "
        f"{result.virtual_ms / 1000:.1f} s of virtual time{liar}, trace {result.trace_hash[:16]}"
    )
    for violation in result.violations:
        click.echo(f"  {violation}")
