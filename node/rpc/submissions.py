"""The methods around transactions: submit, encode, get."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import trio

from ledger.transactions import assemble, encode_unsigned, envelope_from_json, transaction_id
from node.intake import TransactionStatus
from node.mempool import PoolBusy
from node.rpc.context import Context, as_rpc_error
from node.rpc.protocol import INTERNAL_ERROR, REFUSED, RPCError
from node.rpc.shapes import (
    Encoded,
    EnvelopeToEncode,
    Refused,
    Submission,
    TransactionAt,
    TransactionState,
)

_SIGNING_DOMAIN = b"kilochain/tx/1\x00"


async def submit(context: Context, given: Submission) -> TransactionState:
    """Pool a transaction; sending it again is always safe. Raises what `Node.submit` raises."""
    return await _settled(context, given, await context.node.submit(_signed(given)))


async def submit_lot(
    context: Context, lot: Sequence[Submission]
) -> list[TransactionState | RPCError]:
    """`submit` for each of a lot, with one signature check for all."""
    outcomes: list[TransactionState | RPCError] = []
    signed: dict[int, bytes] = {}
    for position, given in enumerate(lot):
        try:
            signed[position] = _signed(given)
            outcomes.append(_NOTHING_YET)
        except RPCError as error:
            outcomes.append(error)
    done = await context.node.submit_many(list(signed.values()))

    async def settle(position: int, status: TransactionStatus) -> None:
        try:
            outcomes[position] = await _settled(context, lot[position], status)
        except PoolBusy as error:
            outcomes[position] = as_rpc_error(error)

    async with trio.open_nursery() as nursery:
        for position, outcome in zip(signed, done, strict=True):
            if not isinstance(outcome, TransactionStatus):
                outcomes[position] = as_rpc_error(outcome)
            elif _waits(lot[position], outcome):
                nursery.start_soon(settle, position, outcome)
            else:
                outcomes[position] = _state(outcome)
    return outcomes


_NOTHING_YET = RPCError(INTERNAL_ERROR, "the node failed to answer", code="E_INTERNAL")


def _signed(given: Submission) -> bytes:
    try:
        return base64.b64decode(given.tx, validate=True)
    except (binascii.Error, ValueError):
        message = "tx must be the signed transaction in standard base64"
        raise RPCError(REFUSED, message, code="E_SCHEMA", field="tx") from None


def _waits(given: Submission, status: TransactionStatus) -> bool:
    return given.wait == "committed" and status.status == "pooled"


async def _settled(
    context: Context, given: Submission, status: TransactionStatus
) -> TransactionState:
    if _waits(given, status):
        timeout_s = given.timeout_ms / 1000
        status = await context.node.wait_for(status.tx_id, "committed", timeout_s)
    return _state(status)


async def get(context: Context, given: TransactionAt) -> TransactionState:
    """What became of a transaction."""
    return _state(context.node.transaction_status(bytes.fromhex(given.tx_id)))


async def encode(context: Context, given: EnvelopeToEncode) -> Encoded:
    """The bytes to sign of an envelope in JSON. Raises InvalidTransaction."""
    unsigned = encode_unsigned(envelope_from_json(given.envelope))
    signed = None
    if given.signature is not None:
        signed = _base64(assemble(unsigned, bytes.fromhex(given.signature)))
    return Encoded(
        unsigned=_base64(unsigned),
        to_sign=_base64(_SIGNING_DOMAIN + unsigned),
        tx_id=transaction_id(unsigned).hex(),
        tx=signed,
    )


def _state(status: TransactionStatus) -> TransactionState:
    error = status.error
    return TransactionState(
        tx_id=status.tx_id.hex(),
        status=status.status,  # type: ignore[arg-type]
        height=status.height,
        index=status.index,
        time_ms=status.time_ms,
        error=None if error is None else Refused(error.code, error.field, error.message),
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
