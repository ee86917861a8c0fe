"""Signed transactions: the published vectors, and everything that is not canonical."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from unicodedata import is_normalized

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import envelope, genesis, payload, sign, transaction

from ledger import codec, merkle
from ledger.errors import InvalidTransaction
from ledger.limits import TRANSACTION_BYTES_MAX
from ledger.transactions import (
    assemble,
    encode_unsigned,
    envelope_from_json,
    envelope_to_json,
    parse_transaction,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "transactions.json").read_text())
CHAIN = genesis()


@pytest.mark.parametrize("vector", VECTORS["transactions"], ids=lambda v: v["tx_id"][:8])
def test_a_vector_reads_and_is_formed_alike(vector: dict[str, Any]) -> None:
    signed = base64.b64decode(vector["signed_base64"])
    found = parse_transaction(signed)
    assert found.unsigned.hex() == vector["unsigned"]
    assert found.signature.hex() == vector["signature"]
    assert found.tx_id.hex() == vector["tx_id"]
    assert encode_unsigned(found.envelope) == found.unsigned
    assert assemble(found.unsigned, found.signature) == signed
    assert envelope_from_json(envelope_to_json(found.envelope)) == found.envelope


def test_the_roots_of_the_vectors() -> None:
    signed = [base64.b64decode(vector["signed_base64"]) for vector in VECTORS["transactions"]]
    for count, root in VECTORS["transactions_root"].items():
        assert merkle.root(signed[: int(count)]).hex() == root


MAPS = st.dictionaries(st.text(max_size=12), st.integers(0, 1_000_000), max_size=20)


@given(MAPS, MAPS, st.text(max_size=60), st.integers(0, 2**53))
def test_the_typed_encoder_agrees_with_the_generic_one(
    ree: dict[str, int], impurities: dict[str, int], cert: str, mass: int
) -> None:
    assay = {"lab": "L", "method": "m", "cert": cert, "sha256": "11" * 32}
    document = payload(ree=ree, impurities=impurities, assay=assay, net_mass_g=mass)
    if not all(is_normalized("NFC", text) for text in [*ree, *impurities, cert]):
        with pytest.raises(InvalidTransaction, match="NFC"):
            envelope(CHAIN, document)
        return
    unsigned = encode_unsigned(envelope(CHAIN, document))
    found = parse_transaction(assemble(unsigned, bytes(64)))
    value = msgpack.unpackb(unsigned)
    assert codec.encode(value) == unsigned
    assert found.unsigned == unsigned


def altered(change: Any) -> bytes:
    """A signed transaction whose generic form went through `change`, encoded as it comes."""
    value = msgpack.unpackb(transaction(CHAIN).unsigned)
    other = change(value)
    value = other if isinstance(other, dict) else value
    return sign(msgpack.packb(value))


def reverse(value: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(value.items()))


def inside(name: str, change: Any) -> Any:
    """A change of one field of the payload."""

    def apply(value: dict[str, Any]) -> None:
        value["payload"][name] = change(value["payload"][name])

    return apply


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(zz=1),
        lambda v: v["payload"].update(zz=1),
        lambda v: v["payload"]["assay"].update(zz=1),
        lambda v: v["payload"].update(docs=None),
        lambda v: v["payload"].update(u_ppm=1),  # not in byte order
        lambda v: v["payload"].update(coc="XX"),
        lambda v: v["payload"].pop("coc"),
        lambda v: v.update(v=2),
        lambda v: v.update(v=True),
        lambda v: v.update(v=1.0),
        lambda v: v.update(kind="other"),
        lambda v: v.update(salt=bytes(15)),
        lambda v: v.update(key=bytes(33)),
        lambda v: v.update(key="k" * 32),
        lambda v: v.update(member="K77"),
        lambda v: v.update(valid_until_ms=-1),
        lambda v: v.update(valid_until_ms=2**53 + 1),
        reverse,
        inside("ree", reverse),
        inside("assay", reverse),
        inside("net_mass_g", float),
        inside("net_mass_g", lambda _: True),
        inside("facility", lambda _: "e\u0301"),
        inside("impurities", lambda _: {"e\u0301": 1}),
        inside("impurities", lambda _: {"Fe": 1_000_001}),
        inside("origin", lambda origin: origin * 17),
    ],
)
def test_what_is_not_exact_is_refused(change: Any) -> None:
    with pytest.raises(InvalidTransaction) as caught:
        parse_transaction(altered(change))
    assert caught.value.code == "E_SCHEMA"


def test_long_forms_repeated_keys_and_trailing_bytes_are_refused() -> None:
    unsigned = transaction(CHAIN).unsigned
    longer = unsigned.replace(b"\xa1v\x01", b"\xa1v\xcc\x01")
    repeated = b"\x89" + unsigned[1:] + b"\xaevalid_until_ms\x01"
    for wrong in (longer, repeated, unsigned + b"\x00", unsigned[:-1], b"", b"\xc1"):
        assert wrong != unsigned
        with pytest.raises(InvalidTransaction):
            parse_transaction(sign(wrong))
    signed = transaction(CHAIN).signed
    for wrong in (signed + b"\x00", signed[:-1], b"", b"\xdc\x00\x02" + signed[1:]):
        with pytest.raises(InvalidTransaction):
            parse_transaction(wrong)
    with pytest.raises(InvalidTransaction, match="64 bytes"):
        parse_transaction(assemble(unsigned, bytes(63)))


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_changed_byte_gives_another_transaction_or_none(place: int, change: int) -> None:
    good = transaction(CHAIN)
    data = bytearray(good.signed)
    data[place % len(data)] ^= change
    try:
        found = parse_transaction(bytes(data))
    except InvalidTransaction:
        return
    assert (found.tx_id, found.signature) != (good.tx_id, good.signature)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(InvalidTransaction):
        parse_transaction(data)


def test_a_refusal_names_the_field() -> None:
    for change, field in (
        (lambda v: v["payload"].pop("coc"), "coc"),
        (lambda v: v["payload"].update(zz=1), "zz"),
        (inside("units", lambda _: "3"), "units"),
    ):
        with pytest.raises(InvalidTransaction) as caught:
            parse_transaction(altered(change))
        assert caught.value.field == field


def test_size_is_limited() -> None:
    with pytest.raises(InvalidTransaction) as caught:
        parse_transaction(bytes(TRANSACTION_BYTES_MAX + 1))
    assert caught.value.code == "E_SIZE"


def test_json_with_bad_hex_or_unknown_fields_is_refused() -> None:
    good = envelope_to_json(transaction(CHAIN).envelope)
    for wrong in ({**good, "key": "zz"}, {**good, "zz": 1}, {**good, "key": 5}, [], None, "x"):
        with pytest.raises(InvalidTransaction):
            envelope_from_json(wrong)


def test_text_that_utf_8_cannot_hold_is_refused() -> None:
    document = payload(product="\ud800")
    with pytest.raises(InvalidTransaction) as refused:
        encode_unsigned(envelope(genesis(), document))
    assert refused.value.code == "E_SCHEMA"
