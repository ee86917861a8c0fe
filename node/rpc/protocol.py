"""JSON-RPC 2.0 as its specification says, over bytes; knows no method and no HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from node.rpc.limits import BATCH_CALLS_MAX, JSON_DEPTH_MAX, JSON_INTEGER_DIGITS_MAX

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000

Call = Callable[[str, "list[Any] | dict[str, Any]"], Awaitable[Any]]


class RPCError(Exception):
    """A call that failed: JSON-RPC `number`, message for a person, `data` with the stable code."""

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
    """The body that answers a request body; None when it held notifications only."""
    try:
        request = parse_json(data)
    except RPCError as error:
        return _dump(error.response(None))
    if not isinstance(request, list):
        single = await _one(request, call)
        return None if single is None else _dump(single)
    if not request or len(request) > BATCH_CALLS_MAX:
        message = f"Invalid Request: a batch holds 1 to {BATCH_CALLS_MAX} calls"
        return _dump(RPCError(INVALID_REQUEST, message, code="E_REQUEST").response(None))
    answers = [each for item in request if (each := await _one(item, call)) is not None]
    return _dump(answers) if answers else None


async def _one(request: object, call: Call) -> dict[str, Any] | None:
    call_id = request.get("id") if isinstance(request, dict) else None
    if isinstance(call_id, bool) or not isinstance(call_id, str | int | float | None):
        call_id, request = None, None
    if not _is_request(request):
        return RPCError(INVALID_REQUEST, "Invalid Request", code="E_REQUEST").response(call_id)
    assert isinstance(request, dict)
    try:
        result = await call(request["method"], request.get("params", {}))
        response = {"jsonrpc": "2.0", "result": result, "id": call_id}
    except RPCError as error:
        response = error.response(call_id)
    return response if "id" in request else None


def _is_request(request: object) -> bool:
    return (
        isinstance(request, dict)
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and isinstance(request.get("params", {}), list | dict)
    )


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object names a key twice")
    return members


def _integer(text: str) -> int:
    if len(text) > JSON_INTEGER_DIGITS_MAX:
        raise ValueError("a number is too large")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _check_depth(data: bytes) -> None:
    depth, in_text, escaped = 0, False, False
    for byte in data:
        if in_text:
            in_text = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise ValueError(f"nested deeper than {JSON_DEPTH_MAX}")
        elif byte in b"]}":
            depth -= 1
