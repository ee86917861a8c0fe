"""The examples of JSON-RPC 2.0 §7, and bodies that must be refused."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from node.rpc.limits import ANSWER_BYTES_MAX, BATCH_CALLS_MAX, JSON_DEPTH_MAX
from node.rpc.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, RPCError, answer


class _Calls:
    """The methods that the specification's examples call; "sum" is performed in lots."""

    def __init__(self) -> None:
        self.lots: list[int] = []

    async def one(self, method: str, params: list[Any] | dict[str, Any]) -> bytes:
        return json.dumps(self._result(method, params)).encode()

    def takes_lots(self, method: str) -> bool:
        return method == "sum"

    async def lot(
        self, method: str, params: Sequence[list[Any] | dict[str, Any]]
    ) -> list[bytes | RPCError]:
        self.lots.append(len(params))
        outcomes: list[bytes | RPCError] = []
        for each in params:
            try:
                outcomes.append(await self.one(method, each))
            except TypeError:
                outcomes.append(RPCError(INVALID_PARAMS, "numbers are needed"))
        return outcomes

    def _result(self, method: str, params: list[Any] | dict[str, Any]) -> Any:
        if method == "subtract":
            if isinstance(params, dict):
                return params["minuend"] - params["subtrahend"]
            return params[0] - params[1]
        if method == "sum":
            return sum(params)
        if method == "get_data":
            return ["hello", 5]
        if method == "long":
            return "x" * params[0]
        if method in ("update", "notify_hello", "notify_sum"):
            return None
        number = INVALID_PARAMS if method == "bad" else METHOD_NOT_FOUND
        raise RPCError(number, "Method not found")


async def _ask(body: str | bytes, calls: _Calls | None = None) -> Any:
    data = await answer(body.encode() if isinstance(body, str) else body, calls or _Calls())
    return None if data is None else json.loads(data)


def _codes(got: Any) -> Any:
    if isinstance(got, list):
        return [_codes(each) for each in got]
    return (got["error"]["code"] if "error" in got else got["result"], got["id"])


V = '"jsonrpc": "2.0"'
BATCH = (
    f'[{{{V}, "method": "sum", "params": [1,2,4], "id": "1"}},'
    f'{{{V}, "method": "notify_hello", "params": [7]}},'
    f'{{{V}, "method": "subtract", "params": [42,23], "id": "2"}}, {{"foo": "boo"}},'
    f'{{{V}, "method": "foo.get", "params": {{"name": "myself"}}, "id": "5"}},'
    f'{{{V}, "method": "get_data", "id": "9"}}]'
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'{{{V}, "method": "subtract", "params": [42, 23], "id": 1}}', (19, 1)),
        (f'{{{V}, "method": "subtract", "params": [23, 42], "id": 2}}', (-19, 2)),
        (
            f'{{{V}, "method": "subtract", "params": {{"subtrahend":23, "minuend":42}}, "id": 3}}',
            (19, 3),
        ),
        (
            f'{{{V}, "method": "subtract", "params": {{"minuend":42, "subtrahend":23}}, "id": 4}}',
            (19, 4),
        ),
        (f'{{{V}, "method": "foobar", "id": "1"}}', (-32601, "1")),
        (f'{{{V}, "method": "foobar, "params": "bar", "baz]', (-32700, None)),
        (f'{{{V}, "method": 1, "params": "bar"}}', (-32600, None)),
        (
            f'[{{{V}, "method": "sum", "params": [1,2,4], "id": "1"}}, {{{V}, "method"]',
            (-32700, None),
        ),
        ("[]", (-32600, None)),
        ("[1]", [(-32600, None)]),
        ("[1,2,3]", [(-32600, None)] * 3),
        (
            BATCH,
            [(7, "1"), (19, "2"), (-32600, None), (-32601, "5"), (["hello", 5], "9")],
        ),
    ],
)
@pytest.mark.trio
async def test_an_example_of_the_specification(body: str, expected: object) -> None:
    assert _codes(await _ask(body)) == expected


@pytest.mark.parametrize(
    "body",
    [
        f'{{{V}, "method": "update", "params": [1,2,3,4,5]}}',
        f'{{{V}, "method": "foobar"}}',
        f'[{{{V}, "method": "notify_sum", "params": [1,2,4]}}, {{{V}, "method": "notify_hello"}}]',
    ],
)
@pytest.mark.trio
async def test_a_notification_is_not_answered(body: str) -> None:
    assert await _ask(body) is None


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": 1, "a": 2}',
        b"[NaN]",
        b"[1e999]",
        b"9" * 5000,
        b"",
    ],
)
@pytest.mark.trio
async def test_a_hostile_body_is_a_parse_error(body: bytes) -> None:
    assert _codes(await _ask(body)) == (-32700, None)


@pytest.mark.trio
async def test_a_batch_is_bounded() -> None:
    over = BATCH_CALLS_MAX + 1
    assert _codes(await _ask("[" + ",".join("1" * over) + "]")) == (-32600, None)


@pytest.mark.trio
async def test_a_method_that_takes_lots_is_performed_once_and_answered_call_by_call() -> None:
    numbers = range(BATCH_CALLS_MAX)
    body = [{"jsonrpc": "2.0", "method": "sum", "params": [n, 1], "id": n} for n in numbers]
    body[7]["params"] = ["seven"]
    del body[8]["id"]
    calls = _Calls()
    got = await _ask(json.dumps(body), calls)
    assert calls.lots == [BATCH_CALLS_MAX]
    assert [each["id"] for each in got] == [n for n in numbers if n != 8]
    assert got[7]["error"]["code"] == INVALID_PARAMS
    assert all(each["result"] == each["id"] + 1 for each in got if each["id"] != 7)


@pytest.mark.trio
async def test_the_answers_of_a_batch_are_bounded_together() -> None:
    size = ANSWER_BYTES_MAX // 4
    body = [{"jsonrpc": "2.0", "method": "long", "params": [size], "id": n} for n in range(6)]
    got = await _ask(json.dumps(body))
    assert [each["id"] for each in got] == list(range(6))
    codes = [each["error"]["data"]["code"] for each in got if "error" in each]
    assert codes == ["E_SIZE"] * 3


@pytest.mark.parametrize(("depth", "fits"), [(JSON_DEPTH_MAX - 1, True), (JSON_DEPTH_MAX, False)])
@pytest.mark.trio
async def test_nesting_is_bounded(depth: int, fits: bool) -> None:
    inside = "[" * depth + "]" * depth
    body = f'{{{V}, "method": "get_data", "params": {inside}, "id": 1}}'
    assert ("result" in await _ask(body)) is fits


@pytest.mark.trio
async def test_large_ids_stay_distinct() -> None:
    for number in (2**63, 2**63 + 1):
        got = await _ask(f'{{{V}, "method": "get_data", "id": {number}}}')
        assert got["id"] == number


IDS = (
    "0", "-1", "9007199254740993", "9007199254740992", "18446744073709551615",
    "18446744073709551616", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "99999999999999999999",
    "1.0", "1.5", "0.1", "0.10000000000000000001", "0.1000000000000000000100", "1e3", "1000", "1E3",
    "1e-400", "-0.0", "0.0", "null", '""', '"0"', '"1.0"', '"null"', '"a"', '"A"',
    '"' + "x" * 10_000 + '"', '"' + "x" * 10_001 + '"',
)  # fmt: skip


@pytest.mark.parametrize("params", ["", ', "params": {"no": "such"}'], ids=["result", "error"])
@pytest.mark.trio
async def test_no_two_ids_are_taken_for_one(params: str) -> None:
    method = "get_data" if not params else "bad"
    calls = [f'{{{V}, "method": "{method}", "id": {each}{params}}}' for each in IDS]
    alone = [await answer(call.encode(), _Calls()) for call in calls]
    ends = [each.rpartition(b',"id":')[2].decode() for each in alone if each is not None]
    assert ends == [f"{each}}}" for each in IDS]
    together = await answer(("[" + ",".join(calls) + "]").encode(), _Calls())
    assert together == b"[" + b",".join(each for each in alone if each is not None) + b"]"


@pytest.mark.parametrize(
    "call_id", ["true", "[1]", "{}", '{"a": 1}', "[]"], ids=["bool", "list", "object", "1", "0"]
)
@pytest.mark.trio
async def test_what_is_no_id_is_refused_without_one(call_id: str) -> None:
    assert _codes(await _ask(f'{{{V}, "method": "get_data", "id": {call_id}}}')) == (-32600, None)


@pytest.mark.parametrize(
    "call_id", ["9" * 21, "1e999", "0." + "1" * 63, "01", "+1", "0x1", "NaN", "-Infinity"]
)
@pytest.mark.trio
async def test_a_number_that_cannot_come_back_is_a_parse_error(call_id: str) -> None:
    assert _codes(await _ask(f'{{{V}, "method": "get_data", "id": {call_id}}}')) == (-32700, None)


@pytest.mark.parametrize(
    "body",
    [
        f'{{{V}, "method": "get_data", "id": 1, "id": 1}}',
        f'{{{V}, "method": "get_data", "method": "sum", "id": 1}}',
        f'{{{V}, "method": "subtract", "id": 1, "params": {{"minuend": 1, "minuend": 2}}}}',
        f'{{{V}, "method": "get_data", "id": 1, "i\\u0064": 2}}',
        f'[{{{V}, "method": "get_data", "id": 1}}, {{{V}, "id": 2, "method": "sum", "id": 3}}]',
    ],
    ids=["same value", "method", "inside", "escaped", "in a batch"],
)
@pytest.mark.trio
async def test_a_key_that_stands_twice_is_a_parse_error(body: str) -> None:
    assert _codes(await _ask(body)) == (-32700, None)


@pytest.mark.trio
async def test_an_id_of_half_a_surrogate_pair_is_answered() -> None:
    got = await _ask(f'{{{V}, "method": "get_data", "id": "\\ud800"}}')
    assert got["result"] == ["hello", 5]
