"""`kilochain bench`: what a network of four real processes commits on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from node.bench import RATE_MAX, SECONDS_MAX, render
from node.bench import bench as measure
from node.testnet.errors import TestnetError


@click.command()
@click.option("--seconds", type=click.IntRange(1, SECONDS_MAX), default=10, show_default=True)
@click.option(
    "--rate",
    type=click.IntRange(1, RATE_MAX),
    default=200,
    show_default=True,
    help="Transactions per second of the latency measurement.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def bench(seconds: int, rate: int, as_json: bool) -> None:
    """Measure committed transactions per second, and their latency, on a fresh network.

    Example: kilochain bench --seconds 20
    """
    try:
        result = measure(seconds, rate, lambda text: click.echo(text, err=True))
    except TestnetError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(asdict(result)) if as_json else render(result))
