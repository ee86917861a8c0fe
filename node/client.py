"""The client SDK: calls of a node's RPC, and batch registrations built, signed and submitted.

`Client` is synchronous, `AsyncClient` runs on trio; both drive the same exchange, which knows when
sending again is safe: reads always, and `tx.submit` because a transaction is known by its ID.
"""

from __future__ import annotations

import base64
import itertools
import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import httpx

if TYPE_CHECKING:
    from node.keys import KeyFile

DEFAULT_URL = "http://127.0.0.1:8645"
ATTEMPTS_MAX = 4  # of one call whose connection breaks
BACKOFF_S = 0.1  # doubled after each failure
BUSY_S_MAX = 30.0  # how long a busy node is asked again
CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 20.0
WAIT_CALL_MS_MAX = 15_000  # of waiting for a commit in one call
LOT_CALLS_MAX = 250  # in one JSON-RPC batch
LOT_BYTES_MAX = 500_000
VALIDITY_MS = 10 * 60 * 1000  # of a transaction that is signed now
_counter = itertools.count(1)


class ClientError(Exception):
    """Base of the client's errors."""


class NodeUnreachable(ClientError):  # noqa: N818 - the name says what happened
    """No node answers at the URL. What was sent may or may not have arrived."""


class CallRefused(ClientError):  # noqa: N818 - the name says what happened
    """The node answered with an error. `code`: E_…; `field`: the one at fault, or None."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message", "refused without a reason")))
        data = error.get("data")
        data = data if isinstance(data, dict) else {}
        self.number = error.get("code")
        self.code = str(data.get("code", "E_UNKNOWN"))
        self.field: str | None = data.get("field")
        self.retry_after_ms: int | None = data.get("retry_after_ms")


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to submit; `tx_id` in hex."""

    data: bytes
    tx_id: str

    @property
    def base64(self) -> str:
        """The form that `tx.submit` takes."""
        return base64.b64encode(self.data).decode("ascii")


def sign_registration(
    payload: Mapping[str, Any],
    key: KeyFile,
    *,
    chain_id: str,
    member: str,
    valid_for_ms: int = VALIDITY_MS,
) -> SignedTransaction:
    """Build and sign a `batch.register`; needs no node. `payload`: DOMAIN §6 in JSON, hex digests.

    Raises InvalidTransaction (E_SCHEMA, with the field).
    """
    from ledger.transactions import Envelope, assemble, encode_unsigned, payload_from_json
    from ledger.transactions import transaction_id as id_of

    envelope = Envelope(
        chain_id=chain_id,
        key=key.public,
        kind="batch.register",
        member=member,
        payload=payload_from_json(dict(payload)),
        salt=os.urandom(16),
        v=1,
        valid_until_ms=int(time.time() * 1000) + valid_for_ms,
    )
    unsigned = encode_unsigned(envelope)
    signature = key.sign(_SIGNING_DOMAIN + unsigned)
    return SignedTransaction(assemble(unsigned, signature), id_of(unsigned).hex())


_SIGNING_DOMAIN = b"kilochain/tx/1\x00"


def member_of(members: Sequence[Mapping[str, Any]], key: bytes) -> str | None:
    """The code of the member, of those that `member.list` gives, that a public key belongs to."""
    for member in members:
        if any(each["key"] == key.hex() for each in member["keys"]):
            return str(member["code"])
    return None


@dataclass(frozen=True, slots=True)
class _Send:
    body: Any
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Pause:
    seconds: float


_Reply = httpx.Response | httpx.TransportError | None
_Exchange = Generator[_Send | _Pause, _Reply, Any]


def _exchange(body: Any, timeout_s: float, url: str) -> _Exchange:
    """Send until there is an answer that is not "busy". Raises NodeUnreachable, CallRefused."""
    failures, give_up_at = 0, time.monotonic() + BUSY_S_MAX
    while True:
        reply = yield _Send(body, timeout_s)
        if isinstance(reply, httpx.Response):
            answer = _read(reply, url)
            retry_s = _busy_s(answer)
            if retry_s is None or time.monotonic() + retry_s > give_up_at:
                return answer
            yield _Pause(retry_s)
            continue
        failures += 1
        # A refused connection is an answer, and a node that was silent for so long stays so.
        final = isinstance(reply, httpx.ConnectError | httpx.TimeoutException)
        if final or failures == ATTEMPTS_MAX:
            raise NodeUnreachable(f"no node answers at {url} ({_reason(reply)})")
        yield _Pause(BACKOFF_S * 2**failures)


def _read(reply: httpx.Response, url: str) -> Any:
    try:
        answer = reply.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict | list):
        raise NodeUnreachable(f"what answers at {url} is no node (HTTP {reply.status_code})")
    return answer


def _busy_s(answer: Any) -> float | None:
    if not isinstance(answer, dict) or "error" not in answer:
        return None
    refused = CallRefused(answer["error"])
    return refused.retry_after_ms / 1000 if refused.retry_after_ms is not None else None


def _reason(error: httpx.TransportError | None) -> str:
    return str(error) or type(error).__name__


def _request(method: str, parameters: Mapping[str, object]) -> dict[str, Any]:
    number = next(_counter)
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(parameters)}


def _result(answer: Any) -> Any:
    if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
        raise NodeUnreachable("what answers there does not speak JSON-RPC 2.0")
    if "error" in answer:
        raise CallRefused(answer["error"])
    return answer["result"]


def _lots(transactions: Sequence[SignedTransaction]) -> list[list[dict[str, Any]]]:
    """Submissions as JSON-RPC batches that stay inside the node's limits."""
    lots: list[list[dict[str, Any]]] = []
    room = 0
    for each in transactions:
        text = each.base64
        if not lots or len(lots[-1]) == LOT_CALLS_MAX or room < len(text) + 200:
            lots.append([])
            room = LOT_BYTES_MAX
        room -= len(text) + 200
        lots[-1].append(_request("tx.submit", {"tx": text}))
    return lots


def _outcomes(lot: Sequence[Mapping[str, Any]], answers: Any) -> list[dict[str, Any] | CallRefused]:
    by_id = {each["id"]: each for each in answers} if isinstance(answers, list) else {}
    outcomes: list[dict[str, Any] | CallRefused] = []
    for request in lot:
        try:
            outcomes.append(_result(by_id.get(request["id"], answers)))
        except CallRefused as error:
            outcomes.append(error)
    return outcomes


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def _timeout(read_s: float) -> httpx.Timeout:
    return httpx.Timeout(read_s, connect=CONNECT_TIMEOUT_S)


class Client:
    """A node at `url`. `token`: its rpc.token, to write from beyond its machine.

    `read_timeout_s`: how long one answer may take, waiting for a commit apart.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        token: str | None = None,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.url = url
        self._timeout_s = read_timeout_s
        self._http = httpx.Client(headers=_headers(token), trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, **parameters: object) -> Any:
        """One call. Raises CallRefused, NodeUnreachable."""
        return _result(self._drive(_request(method, parameters)))

    def submit(
        self, transaction: SignedTransaction, *, wait_s: float | None = None
    ) -> dict[str, Any]:
        """Submit; with `wait_s`, return once it has left the pool or the time is over.

        Gives what `tx.get` gives. Raises CallRefused, NodeUnreachable.
        """
        if wait_s is None:
            return cast(dict[str, Any], self.call("tx.submit", tx=transaction.base64))
        waiting = _Waiting(transaction, wait_s)
        while True:
            state = _result(self._drive(waiting.request(), WAIT_CALL_MS_MAX / 1000))
            if waiting.over(state):
                return cast(dict[str, Any], state)

    def submit_many(
        self, transactions: Sequence[SignedTransaction]
    ) -> list[dict[str, Any] | CallRefused]:
        """Submit in JSON-RPC batches; each one's state or refusal, in order."""
        return [
            outcome for lot in _lots(transactions) for outcome in _outcomes(lot, self._drive(lot))
        ]

    def register(
        self, payload: Mapping[str, Any], key: KeyFile, *, wait_s: float | None = None
    ) -> dict[str, Any]:
        """Register a batch for the member whose key it is. Raises as `submit`, ClientError."""
        chain_id = self.call("chain.status")["chain_id"]
        member = member_of(self.call("member.list"), key.public)
        if member is None:
            raise ClientError(f"the key {key.public.hex()} belongs to no member of {chain_id}")
        signed = sign_registration(payload, key, chain_id=chain_id, member=member)
        return self.submit(signed, wait_s=wait_s)

    def _drive(self, body: Any, wait_s: float = 0.0) -> Any:
        steps = _exchange(body, self._timeout_s + wait_s, self.url)
        reply: _Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as done:
                return done.value
            if isinstance(step, _Pause):
                reply = None
                time.sleep(step.seconds)
                continue
            try:
                reply = self._http.post(self.url, json=step.body, timeout=_timeout(step.timeout_s))
            except httpx.TransportError as error:
                reply = error


class AsyncClient:
    """The same on trio; `async with AsyncClient(url) as client`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        token: str | None = None,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.url = url
        self._timeout_s = read_timeout_s
        self._http = httpx.AsyncClient(headers=_headers(token), trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def call(self, method: str, **parameters: object) -> Any:
        """One call. Raises CallRefused, NodeUnreachable."""
        return _result(await self._drive(_request(method, parameters)))

    async def submit(
        self, transaction: SignedTransaction, *, wait_s: float | None = None
    ) -> dict[str, Any]:
        """As `Client.submit`."""
        if wait_s is None:
            return cast(dict[str, Any], await self.call("tx.submit", tx=transaction.base64))
        waiting = _Waiting(transaction, wait_s)
        while True:
            state = _result(await self._drive(waiting.request(), WAIT_CALL_MS_MAX / 1000))
            if waiting.over(state):
                return cast(dict[str, Any], state)

    async def submit_many(
        self, transactions: Sequence[SignedTransaction]
    ) -> list[dict[str, Any] | CallRefused]:
        """As `Client.submit_many`."""
        outcomes: list[dict[str, Any] | CallRefused] = []
        for lot in _lots(transactions):
            outcomes += _outcomes(lot, await self._drive(lot))
        return outcomes

    async def _drive(self, body: Any, wait_s: float = 0.0) -> Any:
        steps = _exchange(body, self._timeout_s + wait_s, self.url)
        reply: _Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as done:
                return done.value
            if isinstance(step, _Pause):
                import trio

                reply = None
                await trio.sleep(step.seconds)
                continue
            try:
                timeout = _timeout(step.timeout_s)
                reply = await self._http.post(self.url, json=step.body, timeout=timeout)
            except httpx.TransportError as error:
                reply = error


class _Waiting:
    """The calls that wait for one commit, each short enough for a proxy or a restart between."""

    def __init__(self, transaction: SignedTransaction, wait_s: float) -> None:
        self._tx = transaction.base64
        self._deadline = time.monotonic() + wait_s

    def request(self) -> dict[str, Any]:
        left_ms = max(0, int((self._deadline - time.monotonic()) * 1000))
        timeout_ms = min(left_ms, WAIT_CALL_MS_MAX)
        parameters = {"tx": self._tx, "wait": "committed", "timeout_ms": timeout_ms}
        return _request("tx.submit", parameters)

    def over(self, state: Mapping[str, Any]) -> bool:
        return state["status"] != "pooled" or time.monotonic() >= self._deadline
