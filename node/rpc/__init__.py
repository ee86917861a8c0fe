"""The node's JSON-RPC 2.0 door for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from trio_typing import TaskStatus

from node.rpc.door import NodeDoor
from node.rpc.server import ListenFailed, serve_door

if TYPE_CHECKING:
    from node.node import Node

__all__ = ["ListenFailed", "serve_rpc"]


async def serve_rpc(
    node: Node, listen: str, *, task_status: TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve `node` at `listen` ("host:port") until cancelled; `started` with the URLs.

    Raises ListenFailed.
    """
    rpc = node.config.rpc
    await serve_door(NodeDoor(node), listen, rpc.token, rpc.hosts, task_status=task_status)
