"""What a method gets to work with, and how errors of the rooms below become errors of calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

import trio

from ledger.errors import LedgerError
from node.mempool import PoolBusy
from node.rpc.limits import THREADS_MAX
from node.rpc.protocol import REFUSED, RPCError

if TYPE_CHECKING:
    from node.node import Node

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """The node behind the RPC, and the threads that read its store."""

    node: Node
    threads: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(THREADS_MAX))

    async def read(self, function: Callable[[], T]) -> T:
        """Run a read of the store in a thread, so that a slow disk never delays a vote."""
        return await trio.to_thread.run_sync(function, limiter=self.threads)


@cache
def software_version() -> str:
    """The version of the installed distribution."""
    return version("kilochain")


def as_rpc_error(error: LedgerError | PoolBusy) -> RPCError:
    """The error of a call for a refusal by the ledger or the pool."""
    return RPCError(
        REFUSED,
        str(error),
        code=error.code,
        field=error.field,
        retry_after_ms=getattr(error, "retry_after_ms", None),
    )


def not_found(message: str, field_name: str) -> RPCError:
    """The error of a call for something that this node does not have."""
    return RPCError(REFUSED, message, code="E_NOT_FOUND", field=field_name)
