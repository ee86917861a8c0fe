"""A committed transaction in any disguise is never executed again, also after a restart."""

from __future__ import annotations

from pathlib import Path

import msgpack
import pytest
from one_node import make
from producer import Producer

from node.keys import generate
from node.testnet import calls
from node.testnet.signing import VALID_FOR_MS, Signed

pytestmark = pytest.mark.e2e
COMMITTED = 10
ORDER_OF_ED25519 = 2**252 + 27742317777372353535851937790883648493


def _re_encoded(signed: Signed) -> Signed:
    """The same values, the signature's length in a longer form."""
    unsigned, signature = msgpack.unpackb(signed.data)
    longer = b"\xc5\x00\x40" + signature
    return Signed(b"\x92" + msgpack.packb(unsigned) + longer, signed.tx_id)


def _signed_with_s_plus_l(signed: Signed) -> Signed:
    unsigned, signature = msgpack.unpackb(signed.data)
    scalar = int.from_bytes(signature[32:], "little") + ORDER_OF_ED25519
    other = signature[:32] + scalar.to_bytes(32, "little")
    return Signed(msgpack.packb([unsigned, other]), signed.tx_id)


def _longer_valid(producer: Producer, number: int, signed: Signed) -> Signed:
    envelope = msgpack.unpackb(msgpack.unpackb(signed.data)[0])
    later = envelope["valid_until_ms"] + VALID_FOR_MS // 100
    return producer.sign(number, salt=envelope["salt"], valid_until_ms=later)


def _code(producer: Producer, signed: Signed) -> str:
    """How the node refuses; for bytes that it has committed, that it says so."""
    (answer,) = calls.call_many(producer.node.url, "tx.submit", [{"tx": signed.base64}])
    if "result" in answer:
        return str(answer["result"]["status"])
    return str(answer["error"]["data"]["code"])


def test_a_committed_transaction_in_any_disguise_is_not_executed_again(tmp_path: Path) -> None:
    producer = Producer(make(tmp_path))
    with producer.node.running():
        assert producer.register(COMMITTED)
        assert len(producer.acknowledged) == COMMITTED
        before = calls.call(producer.node.url, "chain.status")
    with producer.node.running():
        for number, signed in enumerate(producer.acknowledged, start=1):
            assert _code(producer, signed) in ("committed", "E_DUPLICATE")
            assert _code(producer, _re_encoded(signed)) == "E_SCHEMA"
            assert _code(producer, producer.sign(number)) == "E_BATCH_EXISTS"
            assert _code(producer, _signed_with_s_plus_l(signed)) in ("E_SIG", "committed")
            assert _code(producer, producer.sign(number, key=generate("member"))) == "E_KEY"
            assert _code(producer, producer.sign(number, member="S3PA")) == "E_KEY"
            assert _code(producer, _longer_valid(producer, number, signed)) == "E_BATCH_EXISTS"
        fresh = producer.register(1)
        assert fresh
        after = calls.call(producer.node.url, "chain.status")
        assert after["height"] == before["height"] + 1
        newest = calls.call(producer.node.url, "block.get", height=after["height"])
        assert [each["tx_id"] for each in newest["transactions"]] == [
            producer.acknowledged[-1].tx_id.hex()
        ]
