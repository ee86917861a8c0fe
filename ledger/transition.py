"""What one transaction needs and does: rules that look at members, state and block time."""

from __future__ import annotations

from collections.abc import Callable

from ledger.codec import encode
from ledger.errors import InvalidTransaction
from ledger.genesis import Genesis, Member, MemberKey
from ledger.rules.batch_register import check_date, check_payload
from ledger.state import State, batch_key
from ledger.transactions import Transaction

_SIGNER_ROLES = ("producer", "refiner")


class Rules:
    """The rules under one genesis. Members are looked up by code."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._members = {member.code: member for member in genesis.members}

    def check(
        self,
        transaction: Transaction,
        state: State,
        time_ms: int,
        anchored: Callable[[bytes], bool],
    ) -> None:
        """Everything but the signature. Raises InvalidTransaction.

        `time_ms`: the block's time; `anchored`: whether a transaction ID is on the chain.
        """
        self._check_signer(transaction)
        day = _payload_verdict(transaction)
        self._check_time(transaction, time_ms)
        payload = transaction.envelope.payload
        check_date(payload, day, time_ms)
        if anchored(transaction.tx_id):
            raise InvalidTransaction("E_DUPLICATE", "already anchored: ask tx.get where", "tx_id")
        member = transaction.envelope.member
        if state.get(batch_key(member, payload.batch_no)) is not None:
            message = f"{member} has registered batch {payload.batch_no}: use another number"
            raise InvalidTransaction("E_BATCH_EXISTS", message, "batch_no")

    def apply(self, transaction: Transaction, state: State, height: int, index: int) -> None:
        """Write what a checked transaction does."""
        envelope = transaction.envelope
        record = encode([transaction.tx_id, height, index])
        state.put(batch_key(envelope.member, envelope.payload.batch_no), record)

    def _check_signer(self, transaction: Transaction) -> None:
        envelope = transaction.envelope
        if len(transaction.signed) > self._genesis.parameters.transaction_bytes_max:
            raise InvalidTransaction("E_SIZE", "longer than this network allows")
        if envelope.chain_id != self._genesis.chain_id:
            message = f"made for {envelope.chain_id!r}, this network is {self._genesis.chain_id!r}"
            raise InvalidTransaction("E_CHAIN", message, "chain_id")
        member = self._members.get(envelope.member)
        if member is None or member.status != "active":
            message = f"{envelope.member!r} is no active member: ask the consortium"
            raise InvalidTransaction("E_MEMBER", message, "member")
        if not any(role in _SIGNER_ROLES for role in member.roles):
            message = f"{member.code} is neither producer nor refiner and cannot register batches"
            raise InvalidTransaction("E_ROLE", message, "member")
        _check_key(member, _key_of(member, envelope.key), envelope.payload.facility)

    def _check_time(self, transaction: Transaction, time_ms: int) -> None:
        until, longest = transaction.envelope.valid_until_ms, self._genesis.parameters
        if until <= time_ms:
            message = "valid_until_ms has passed: sign again with a later one"
            raise InvalidTransaction("E_EXPIRED", message, "valid_until_ms")
        if until > time_ms + longest.validity_ms_max:
            message = f"valid_until_ms is more than {longest.validity_ms_max} ms ahead: lower it"
            raise InvalidTransaction("E_EXPIRED", message, "valid_until_ms")


def _payload_verdict(transaction: Transaction) -> int:
    if not transaction.verdict:
        try:
            transaction.verdict.append(check_payload(transaction.envelope.payload))
        except InvalidTransaction as error:
            transaction.verdict.append(error)
    verdict = transaction.verdict[0]
    if isinstance(verdict, InvalidTransaction):
        raise InvalidTransaction(verdict.code, str(verdict), verdict.field)
    return verdict


def _key_of(member: Member, key: bytes) -> MemberKey:
    for known in member.keys:
        if known.key == key and known.status == "active":
            return known
    message = f"this key is no active key of {member.code}: sign with one that is"
    raise InvalidTransaction("E_KEY", message, "key")


def _check_key(member: Member, key: MemberKey, facility: str) -> None:
    known = [place.id for place in member.facilities]
    if facility not in known:
        message = f"{member.code} has no facility {facility!r}: {' '.join(known)}"
        raise InvalidTransaction("E_FACILITY", message, "facility")
    if key.facilities is not None and facility not in key.facilities:
        message = f"this key may not sign for {facility}: use that facility's key"
        raise InvalidTransaction("E_FACILITY", message, "facility")
