"""Thousands of spoilt bodies: each answer is an error in form, and none is an internal one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from node.rpc.methods import METHODS
from node.rpc.protocol import RPCError, answer

BODIES = 6_000
INTERNAL = -32603
NAMES = [method.name for method in METHODS]
STRANGE: tuple[Any, ...] = (
    None, True, -1, 2**63, 2**64, 10**30, 1.5, "", "\ud800", "0" * 1_000, [], {}, [[]], {"a": {}},
)  # fmt: skip


class Refuses:
    """Every known method refuses; what the dispatcher does itself is under test."""

    async def one(self, method: str, params: list[Any] | dict[str, Any]) -> bytes:
        raise RPCError(-32000, "refused")

    def takes_lots(self, method: str) -> bool:
        return method == "tx.submit"

    async def lot(
        self, method: str, params: Sequence[list[Any] | dict[str, Any]]
    ) -> list[bytes | RPCError]:
        return [RPCError(-32000, "refused") for _ in params]


def call(chance: random.Random) -> dict[str, Any]:
    fields = {"jsonrpc": "2.0", "method": chance.choice(NAMES), "params": {}, "id": 1}
    name = chance.choice([*fields, "other"])
    fields[name] = chance.choice(STRANGE)
    if chance.random() < 0.3:
        del fields[chance.choice(list(fields))]
    return fields


def cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body))]


def flipped(chance: random.Random, body: bytes) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def deep(chance: random.Random, body: bytes) -> bytes:
    return chance.choice((b"[", b'{"a":')) * chance.randint(50, 100_000)


def huge(chance: random.Random, body: bytes) -> bytes:
    number = chance.choice((b"1e400", b"-1e400", b"NaN", b"Infinity", b"9" * 5_000))
    return b'{"jsonrpc":"2.0","method":"status","id":' + number + b"}"


def doubled(chance: random.Random, body: bytes) -> bytes:
    return b'{"id":1,"id":2,' + body[1:]


def many(chance: random.Random, body: bytes) -> bytes:
    return b"[" + b",".join([body] * chance.randint(0, 300)) + b"]"


SPOILERS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    cut, flipped, flipped, deep, huge, doubled, many, lambda _, body: b"\xef\xbb\xbf" + body,
    lambda chance, body: chance.randbytes(chance.randrange(200)), lambda _, body: body,
)  # fmt: skip


def in_form(reply: Any) -> bool:
    if not isinstance(reply, dict) or reply.get("jsonrpc") != "2.0" or "id" not in reply:
        return False
    error = reply.get("error")
    return isinstance(error, dict) and isinstance(error["code"], int) and error["code"] != INTERNAL


@pytest.mark.trio
async def test_spoilt_bodies_are_answered_in_form() -> None:
    chance = random.Random(20)
    for number in range(BODIES):
        body = chance.choice(SPOILERS)(chance, json.dumps(call(chance)).encode())
        data = await answer(body, Refuses())
        if data is None:  # a notification is not answered
            continue
        reply = json.loads(data)
        replies = reply if isinstance(reply, list) else [reply]
        assert replies, number
        assert all(in_form(each) for each in replies), (number, body[:200], data[:200])
