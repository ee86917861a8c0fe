"""JSON-RPC 2.0 as its specification says, over bytes; knows no method and no HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol, TypeGuard

import trio

from node.rpc.limits import (
    ANSWER_BYTES_MAX,
    BATCH_CALLS_MAX,
    BATCH_TASKS_MAX,
    JSON_DEPTH_MAX,
    JSON_FRACTION_CHARACTERS_MAX,
    JSON_NUMBER_DIGITS_MAX,
)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000

Params = list[Any] | dict[str, Any]


class _Fraction(float):
    """A number with a point or an exponent, and how it was written: two texts, two ids."""

    text: str


class Calls(Protocol):
    """Who performs the calls; a result is JSON text."""

    async def one(self, method: str, params: Params) -> bytes:
        """Perform one call. Raises RPCError."""

    def takes_lots(self, method: str) -> bool:
        """Whether calls of this method in one batch are performed together."""

    async def lot(self, method: str, params: Sequence[Params]) -> list[bytes | RPCError]:
        """Perform calls of one method that takes lots; a result or an error for each."""


class RPCError(Exception):
    """A call that failed: JSON-RPC `number`, message for a person, `data` with the stable code.

    `data` may hold `code` (E_…), `field`, `retry_after_ms`; what is None is left out.
    """

    def __init__(self, number: int, message: str, **data: object) -> None:
        super().__init__(message)
        self.number = number
        self.data = {key: value for key, value in data.items() if value is not None}

    def response(self, call_id: object) -> dict[str, Any]:
        """The response object that carries this error."""
        error: dict[str, Any] = {"code": self.number, "message": str(self)}
        if self.data:
            error["data"] = self.data
        return {"jsonrpc": "2.0", "error": error, "id": call_id}


def parse_json(data: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate key, bounded depth and numbers. Raises RPCError."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_constant,
        )
        _check_depth(value, JSON_DEPTH_MAX)
    except (ValueError, RecursionError) as error:
        message = f"Parse error: {error}"
        raise RPCError(PARSE_ERROR, message, code="E_PARSE") from error
    return value


async def answer(data: bytes, calls: Calls) -> bytes | None:
    """The body that answers a request body; None when it held notifications only.

    The calls of a batch are performed side by side; the answers keep the order of the calls.
    """
    try:
        request = parse_json(data)
    except RPCError as error:
        return _failed(error, None)
    if not isinstance(request, list):
        return await _one(request, calls)
    if not request or len(request) > BATCH_CALLS_MAX:
        message = f"Invalid Request: a batch holds 1 to {BATCH_CALLS_MAX} calls"
        return _failed(RPCError(INVALID_REQUEST, message, code="E_REQUEST"), None)
    answers = await _Batch(request, calls).run()
    return b"[" + b",".join(answers) + b"]" if answers else None


class _Batch:
    """The calls of one array: those whose method takes lots together, the others as tasks."""

    def __init__(self, requests: Sequence[object], calls: Calls) -> None:
        self._requests = requests
        self._calls = calls
        self._answers: list[bytes | None] = [None] * len(requests)
        self._room = ANSWER_BYTES_MAX
        self._turns = trio.CapacityLimiter(BATCH_TASKS_MAX)

    async def run(self) -> list[bytes]:
        lots: dict[str, list[int]] = {}
        async with trio.open_nursery() as nursery:
            for position, request in enumerate(self._requests):
                if _is_request(request) and self._calls.takes_lots(request["method"]):
                    lots.setdefault(request["method"], []).append(position)
                else:
                    nursery.start_soon(self._run_one, position, request)
            for method, positions in lots.items():
                nursery.start_soon(self._run_lot, method, positions)
        return [each for each in self._answers if each is not None]

    async def _run_one(self, position: int, request: object) -> None:
        async with self._turns:
            if self._room > 0 or not _is_request(request):
                self._keep(position, await _one(request, self._calls))
            else:
                self._keep(position, _answer_to(request, _too_long()))

    async def _run_lot(self, method: str, positions: Sequence[int]) -> None:
        requests: list[Any] = [self._requests[position] for position in positions]
        done = await self._calls.lot(method, [each.get("params", {}) for each in requests])
        for position, request, outcome in zip(positions, requests, done, strict=True):
            self._keep(position, _answer_to(request, outcome))

    def _keep(self, position: int, done: bytes | None) -> None:
        if done is not None and len(done) > self._room:
            self._room = 0
            done = _answer_to(self._requests[position], _too_long())
        self._room -= len(done or b"")
        self._answers[position] = done


def _too_long() -> RPCError:
    message = "the answers of this batch are too long together; ask for less at once"
    return RPCError(REFUSED, message, code="E_SIZE")


async def _one(request: object, calls: Calls) -> bytes | None:
    if not _is_request(request):
        error = RPCError(INVALID_REQUEST, _why_invalid(request), code="E_REQUEST")
        call_id = request.get("id") if isinstance(request, dict) else None
        return _failed(error, call_id if _is_id(call_id) else None)
    try:
        outcome: bytes | RPCError = await calls.one(request["method"], request.get("params", {}))
    except RPCError as error:
        outcome = error
    return _answer_to(request, outcome)


def _answer_to(request: Any, outcome: bytes | RPCError) -> bytes | None:
    """The response to a valid request; None to a notification."""
    if "id" not in request:
        return None
    if isinstance(outcome, RPCError):
        return _failed(outcome, request["id"])
    return b'{"jsonrpc":"2.0","result":%b,"id":%b}' % (outcome, _id(request["id"]))


def _failed(error: RPCError, call_id: object) -> bytes:
    failure = _dump(error.response(None)["error"])
    return b'{"jsonrpc":"2.0","error":%b,"id":%b}' % (failure, _id(call_id))


def _id(call_id: object) -> bytes:
    return call_id.text.encode("ascii") if isinstance(call_id, _Fraction) else _dump(call_id)


def _is_request(request: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(request, dict)
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and isinstance(request.get("params", {}), list | dict)
        and _is_id(request.get("id"))
    )


def _is_id(call_id: object) -> bool:
    return isinstance(call_id, str | int | float | None) and not isinstance(call_id, bool)


def _why_invalid(request: object) -> str:
    if not isinstance(request, dict) or not _is_id(request.get("id")):
        return "Invalid Request: a call is an object, and its id a text, a number or null"
    return 'Invalid Request: "jsonrpc" is "2.0", "method" a text, "params" an array or object'


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object names a key twice")
    return members


def _integer(text: str) -> int:
    if len(text) > JSON_NUMBER_DIGITS_MAX:
        raise ValueError("a number has too many digits")
    return int(text)


def _finite(text: str) -> float:
    if len(text) > JSON_FRACTION_CHARACTERS_MAX:
        raise ValueError("a number has too many digits")
    number = _Fraction(text)
    number.text = text
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _check_depth(value: object, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise ValueError(f"nested deeper than {JSON_DEPTH_MAX}")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _check_depth(item, left - 1)
