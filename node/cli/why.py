"""The verb `why`: what the next block waits for."""

from __future__ import annotations

from typing import Any

import click

from node.cli.output import emit, json_option, printable, rpc_option, show_table
from node.cli.query import ask


@click.command()
@rpc_option
@json_option
def why(url: str, as_json: bool) -> None:
    """What the next block waits for: missing votes, lost links, a view change; and what helps.

    Example: kilochain why --rpc http://127.0.0.1:8645
    """
    emit(ask(url, "chain.why"), as_json, _show)


def _show(said: dict[str, Any]) -> None:
    click.echo(f"Block {said['height']}, view {said['view']} ({said['mode']}) waits for")
    for each in said["waits_for"]:
        click.echo(printable(f"  - {each}"))
    for each in said["then"]:
        click.echo(printable(f"  Next: {each}"))
    if said["timer_ms"] is not None:
        click.echo(f"  This node asks for another view in {said['timer_ms'] / 1000:.1f} s.")
    columns = ("validator", "link", "height", "prepared", "committed", "wants view")
    rows = [
        (
            each["name"],
            "up" if each["connected"] else "down",
            each["height"],
            "yes" if each["prepared"] else "no",
            "yes" if each["committed"] else "no",
            each["view_change"],
        )
        for each in said["validators"]
    ]
    show_table(columns, rows)
