"""`kilochain bench`: what a network of four real processes commits on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from node.bench import RATE_MAX, SECONDS_MAX, render
from node.bench import bench as measure
from node.bench_state import KEYS_MAX, KEYS_MIN, MINUTES_MAX
from node.bench_state import bench_state as measure_state
from node.bench_state import render as render_state
from node.testnet.errors import TestnetError


@click.group(invoke_without_command=True)
@click.option("--seconds", type=click.IntRange(1, SECONDS_MAX), default=10, show_default=True)
@click.option(
    "--rate",
    type=click.IntRange(1, RATE_MAX),
    default=200,
    show_default=True,
    help="Transactions per second of the latency measurement.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def bench(context: click.Context, seconds: int, rate: int, as_json: bool) -> None:
    """Measure committed transactions per second, and their latency, on a fresh network.

    Example: kilochain bench --seconds 20
    """
    if context.invoked_subcommand is not None:
        return
    try:
        result = measure(seconds, rate, lambda text: click.echo(text, err=True))
    except TestnetError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(asdict(result)) if as_json else render(result))


@bench.command("state")
@click.option(
    "--keys",
    type=click.IntRange(KEYS_MIN, KEYS_MAX),
    default=100_000,
    show_default=True,
    help="How far the state grows.",
)
@click.option(
    "--minutes",
    type=click.IntRange(1, MINUTES_MAX),
    default=15,
    show_default=True,
    help="After this long it stops growing.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def bench_state(keys: int, minutes: int, as_json: bool) -> None:
    """Measure what the state tree costs for each transaction, as the state grows.

    Blocks of 1,000 batches on LevelDB, each one synced, in a temporary folder.

    Example: kilochain bench state --keys 1000000
    """
    costs = measure_state(keys, minutes, lambda text: click.echo(text, err=True))
    click.echo(json.dumps([asdict(cost) for cost in costs]) if as_json else render_state(costs))
