"""`kilochain start`: the node as a process."""

from __future__ import annotations

from pathlib import Path

import click
import trio
from trio_typing import TaskStatus

from node.cli.output import home_option
from node.cli.passphrase import passphrase_file_option, unlock
from node.config import Config, identity_paths, load_config
from node.node import Identity, Node, run_node
from node.rpc import serve_rpc


@click.command()
@home_option
@passphrase_file_option
def start(home: Path, passphrase_file: Path | None) -> None:
    """Run the node of a home until SIGINT or SIGTERM.

    Example: kilochain start --home ~/.kilochain
    """
    config = load_config(home)
    unlocked = unlock(*identity_paths(config), passphrase_file=passphrase_file)
    identity = Identity(unlocked[0], unlocked[1] if len(unlocked) > 1 else None)
    trio.run(_serve, config, identity)


async def _serve(config: Config, identity: Identity) -> None:
    async def door(node: Node, *, task_status: TaskStatus[list[str]]) -> None:
        await serve_rpc(node, config.rpc.listen, task_status=task_status)

    await run_node(config, identity, door)
