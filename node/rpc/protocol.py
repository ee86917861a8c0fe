"""JSON-RPC 2.0 as its specification says, over bytes; knows no method and no HTTP."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import trio

from node.rpc.limits import (
    ANSWER_BYTES_MAX,
    BATCH_CALLS_MAX,
    JSON_DEPTH_MAX,
    JSON_NUMBER_DIGITS_MAX,
)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000

Params = list[Any] | dict[str, Any]
Call = Callable[[str, Params], Awaitable[object]]

# Strings are skipped whole, so that brackets inside them do not count as nesting.
_NESTING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


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
        _check_depth(data)
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError) as error:
        message = f"Parse error: {error}"
        raise RPCError(PARSE_ERROR, message, code="E_PARSE") from error


async def answer(data: bytes, call: Call) -> bytes | None:
    """The body that answers a request body; None when it held notifications only.

    The calls of a batch run at the same time; the answers keep the order of the calls.
    """
    try:
        request = parse_json(data)
    except RPCError as error:
        return _dump(error.response(None))
    if not isinstance(request, list):
        return await _one(request, call)
    if not request or len(request) > BATCH_CALLS_MAX:
        message = f"Invalid Request: a batch holds 1 to {BATCH_CALLS_MAX} calls"
        return _dump(RPCError(INVALID_REQUEST, message, code="E_REQUEST").response(None))
    answers = await _batch(request, call)
    return b"[" + b",".join(answers) + b"]" if answers else None


async def _batch(requests: list[object], call: Call) -> list[bytes]:
    answers: list[bytes | None] = [None] * len(requests)
    room = ANSWER_BYTES_MAX

    async def run(position: int, request: object) -> None:
        nonlocal room
        done = await _one(request, call)
        if done is not None and len(done) > room:
            assert isinstance(request, dict)
            message = "the answers of this batch are too long together; ask for less at once"
            done = _dump(RPCError(REFUSED, message, code="E_SIZE").response(request["id"]))
        room -= len(done or b"")
        answers[position] = done

    async with trio.open_nursery() as nursery:
        for position, request in enumerate(requests):
            nursery.start_soon(run, position, request)
    return [each for each in answers if each is not None]


async def _one(request: object, call: Call) -> bytes | None:
    call_id = request.get("id") if isinstance(request, dict) else None
    if isinstance(call_id, bool) or not isinstance(call_id, str | int | float | None):
        call_id, request = None, None
    if not _is_request(request):
        return _dump(
            RPCError(INVALID_REQUEST, _why_invalid(request), code="E_REQUEST").response(call_id)
        )
    assert isinstance(request, dict)
    try:
        result = await call(request["method"], request.get("params", {}))
        response: dict[str, Any] = {"jsonrpc": "2.0", "result": result, "id": call_id}
    except RPCError as error:
        response = error.response(call_id)
    return _dump(response) if "id" in request else None


def _is_request(request: object) -> bool:
    return (
        isinstance(request, dict)
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and isinstance(request.get("params", {}), list | dict)
    )


def _why_invalid(request: object) -> str:
    if not isinstance(request, dict):
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
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _check_depth(data: bytes) -> None:
    depth = 0
    for token in _NESTING.finditer(data):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise ValueError(f"nested deeper than {JSON_DEPTH_MAX}")
        elif first in b"]}":
            depth -= 1
