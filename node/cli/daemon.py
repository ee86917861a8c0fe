"""`kilochain start`: the node as a process."""

from __future__ import annotations

from pathlib import Path

import click
import trio
from trio_typing import TaskStatus

from node.config import Config, load_config
from node.node import Node, run_node
from node.rpc import serve_rpc


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="KILOCHAIN_HOME",
    default=Path.home() / ".kilochain",
    help="The node's folder; default $KILOCHAIN_HOME, else ~/.kilochain.",
)
def start(home: Path) -> None:
    """Run the node of a home until SIGINT or SIGTERM.

    Example: kilochain start --home ~/.kilochain
    """
    trio.run(_serve, load_config(home))


async def _serve(config: Config) -> None:
    async def door(node: Node, *, task_status: TaskStatus[list[str]]) -> None:
        await serve_rpc(node, config.rpc.listen, task_status=task_status)

    await run_node(config, door)
