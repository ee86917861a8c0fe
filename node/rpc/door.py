"""From a method's name and parameters to its result: the door between protocol and node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from ledger.errors import LedgerError
from node.mempool import PoolBusy
from node.rpc.context import Context, as_rpc_error
from node.rpc.discover import describe
from node.rpc.events import EventLog
from node.rpc.methods import METHODS, Method
from node.rpc.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    REFUSED,
    Params,
    RPCError,
)
from node.rpc.shapes import Parameters

if TYPE_CHECKING:
    from node.node import Node

_log = structlog.get_logger()
_JSON = msgspec.json.Encoder()
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_UNKNOWN = re.compile(r"unknown field `(.*)`$")
_MISSING = re.compile(r"missing required field `(.*)`$")


class NodeDoor:
    """What the server asks of a node."""

    def __init__(self, node: Node) -> None:
        allowed = [m for m in METHODS if node.config.testnet.control or not m.testnet]
        self._node = node
        self._context = Context(node)
        self.events = EventLog(self._context)
        self._methods = {method.name: method for method in allowed}
        self._document = _JSON.encode(describe(allowed))

    async def call(self, method: str, params: Params, may_write: bool) -> bytes:
        """Perform one call; the result is JSON text. Raises RPCError."""
        if method == "rpc.discover":
            return self._document
        found = self._find(method, may_write)
        given = read_parameters(found, params)
        with _errors_of(method):
            return _JSON.encode(await found.handler(self._context, given))

    def takes_lots(self, method: str) -> bool:
        """Whether `call_lot` performs calls of this method."""
        found = self._methods.get(method)
        return found is not None and found.lot_handler is not None

    async def call_lot(
        self, method: str, params: Sequence[Params], may_write: bool
    ) -> list[bytes | RPCError]:
        """Perform calls of a method that takes lots; a result or an error for each, in order."""
        outcomes: list[bytes | RPCError] = []
        given: dict[int, Parameters] = {}
        try:
            found = self._find(method, may_write)
            assert found.lot_handler is not None
            for position, each in enumerate(params):
                try:
                    given[position] = read_parameters(found, each)
                    outcomes.append(b"")
                except RPCError as error:
                    outcomes.append(error)
            with _errors_of(method):
                done = await found.lot_handler(self._context, list(given.values()))
                for position, outcome in zip(given, done, strict=True):
                    outcomes[position] = (
                        outcome if isinstance(outcome, RPCError) else _JSON.encode(outcome)
                    )
        except RPCError as error:
            return [error] * len(params)
        return outcomes

    def _find(self, method: str, may_write: bool) -> Method:
        found = self._methods.get(method)
        if found is None:
            message = f"Method not found: {method[:64]!r}; rpc.discover lists them"
            raise RPCError(METHOD_NOT_FOUND, message, code="E_METHOD")
        if found.writes and not may_write:
            message = (
                "writing from beyond this machine needs the node's token: send "
                "Authorization: Bearer <rpc.token of its config.toml>"
            )
            raise RPCError(REFUSED, message, code="E_TOKEN")
        return found

    @property
    def genesis(self) -> bytes:
        """The exact bytes of the network's genesis document."""
        return self._node.genesis.data

    def ready(self) -> tuple[bool, str]:
        """Whether the node can serve, and why not."""
        return self._node.ready()

    def render_metrics(self) -> bytes:
        """The Prometheus text."""
        return self._node.render_metrics()


@contextmanager
def _errors_of(method: str) -> Iterator[None]:
    """What a handler raises, as the error of its call."""
    try:
        yield
    except (LedgerError, PoolBusy) as error:
        raise as_rpc_error(error) from error
    except RPCError:
        raise
    except Exception as error:
        _log.error("a call failed", method=method, exc_info=error)
        message = "the node failed to answer; its log says why"
        raise RPCError(INTERNAL_ERROR, message, code="E_INTERNAL") from error


def read_parameters(method: Method, params: Params) -> Parameters:
    """Typed parameters, by name or by position. Raises RPCError (E_PARAMS, with the field)."""
    named: dict[str, Any]
    if isinstance(params, list):
        names = method.parameters.__struct_fields__
        if len(params) > len(names):
            message = f"{method.name} takes {len(names)} parameters: {', '.join(names) or 'none'}"
            raise RPCError(INVALID_PARAMS, message, code="E_PARAMS")
        named = dict(zip(names, params, strict=False))
    else:
        named = params
    try:
        return msgspec.convert(named, method.parameters)
    except msgspec.ValidationError as error:
        message, field = _explain(str(error))
        raise RPCError(INVALID_PARAMS, message, code="E_PARAMS", field=field) from None


def _explain(said: str) -> tuple[str, str | None]:
    for pattern in (_PLACE, _UNKNOWN, _MISSING):
        found = pattern.search(said)
        if found:
            field = found[1]
            break
    else:
        return f"Invalid params: {said}", None
    return f"Invalid params: {field}: {_PLACE.sub('', said)}", field or None
