"""What is committed is committed once, in whatever disguise it comes again."""

from __future__ import annotations

from collections.abc import Callable

import msgpack
import pytest

from consensus.interface import Validator
from node.simulation.cluster import Formats
from node.simulation.real_ledger import RealLedger, RealLedgers
from node.simulation.signatures import KeyedHashRing

SET = tuple(Validator(f"r{i}", bytes([i]) * 32, f"peer{i}") for i in range(4))
NOW_MS = 1_800_000_000_000
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the Ed25519 group


def same(signed: bytes) -> bytes:
    return signed


def longer(signed: bytes) -> bytes:
    """The same value in another encoding: the outer array under a longer head."""
    return b"\xdc\x00\x02" + signed[1:]


def padded(signed: bytes) -> bytes:
    return signed + b"\x00"


def signed_again(signed: bytes) -> bytes:
    """Another signature that some verifiers take: S + L for S."""
    unsigned, signature = msgpack.unpackb(signed, raw=True)
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return bytes(msgpack.packb([unsigned, signature[:32] + scalar.to_bytes(32, "little")]))


def reordered(signed: bytes) -> bytes:
    """The fields of the envelope in another order."""
    unsigned, signature = msgpack.unpackb(signed, raw=True)
    fields = msgpack.unpackb(unsigned, raw=False)
    turned = dict(reversed(fields.items())) if isinstance(fields, dict) else fields[::-1]
    return bytes(msgpack.packb([msgpack.packb(turned), signature]))


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("disguise", [same, longer, padded, signed_again, reordered])
def test_a_committed_transaction_does_not_come_again(
    disguise: Callable[[bytes], bytes], restart: bool
) -> None:
    made = RealLedgers(SET, SET, Formats(KeyedHashRing()))
    ledger = made.new()
    assert isinstance(ledger, RealLedger)
    committed = [made.transaction(5 * number) for number in range(10)]
    for number, transaction in enumerate(committed):
        block = ledger.build([transaction], NOW_MS + number, 0)
        assert block is not None
        ledger.append(block, b"", number)
    if restart:
        ledger.reopen()
    for transaction in committed:
        again = disguise(transaction)
        assert (again == transaction) == (disguise is same)
        assert not ledger.admits(again)
        assert ledger.build([again], NOW_MS + 100, 0) is None
    fresh = made.transaction(500)
    block = ledger.build([*map(disguise, committed), fresh], NOW_MS + 100, 0)
    assert block is not None
    assert ledger.transactions(block) == (fresh,)
