"""What the chain knows of a transaction, a batch and a kilogram; derived, never stored twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.codec import decode
from ledger.elements import OXIDE_FACTORS, to_element_ppm, to_oxide_ppm
from ledger.errors import InvalidTransaction, NotRegistered, StoreCorrupted
from ledger.identifiers import RegistryId, format_id, is_producer, parse_id
from ledger.limits import BATCH_NO_MAX, LIST_MAX, PPM
from ledger.products import PRODUCTS
from ledger.state import batch_key, stored_batches, stored_value
from ledger.store import Store
from ledger.transactions import (
    BatchRegistration,
    Transaction,
    parse_transaction,
    payload_to_json,
)

_BODY = msgspec.msgpack.Decoder(tuple[msgspec.Raw, list[msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a transaction stands: block height, index in the block, block time in ms."""

    height: int
    index: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A registered batch: the transaction as signed, and where it is anchored."""

    producer: str
    batch_no: int
    transaction: Transaction
    anchor: Anchor

    @property
    def payload(self) -> BatchRegistration:
        """What was registered."""
        return self.transaction.envelope.payload


def header_bytes(data: bytes) -> bytes:
    """The header inside a stored block. Raises StoreCorrupted."""
    try:
        return msgspec.msgpack.decode(_BODY.decode(data)[0], type=bytes)
    except msgspec.MsgspecError as error:
        raise _corrupted(f"a stored block does not read: {error}") from error


def find_anchor(store: Store, tx_id: bytes) -> Anchor | None:
    """Where a transaction is anchored, or None."""
    found = store.get(b"t" + tx_id)
    if found is None:
        return None
    value: Any = decode(found, bytes_max=64)
    return Anchor(*value)


def read_transaction(store: Store, tx_id: bytes, anchor: Anchor) -> Transaction:
    """The transaction `tx_id` at `anchor`. Raises StoreCorrupted."""
    data = store.get(b"b" + anchor.height.to_bytes(8, "big"))
    if data is None:
        raise _corrupted(f"block {anchor.height} is missing")
    try:
        signed = msgspec.msgpack.decode(_BODY.decode(data)[1][anchor.index], type=bytes)
        found = parse_transaction(signed)
    except (msgspec.MsgspecError, IndexError, InvalidTransaction) as error:
        raise _corrupted(f"block {anchor.height} does not read: {error}") from error
    if found.tx_id != tx_id:
        raise _corrupted(f"block {anchor.height} holds another transaction at {anchor.index}")
    return found


def _corrupted(message: str) -> StoreCorrupted:
    return StoreCorrupted("E_CORRUPTED", f"{message}: restore the chain or sync anew")


def find_batch(store: Store, producer: str, batch_no: int) -> BatchRecord | None:
    """A registered batch, or None."""
    if not is_producer(producer) or not 0 <= batch_no <= BATCH_NO_MAX:
        return None
    value = stored_value(store, batch_key(producer, batch_no))
    return None if value is None else _record(store, producer, batch_no, value)


def list_batches(store: Store, member: str, after: int, limit: int) -> list[BatchRecord]:
    """A member's batches with a number above `after`, in order; at most LIST_MAX."""
    if not is_producer(member):
        return []
    first = min(max(after, 0), BATCH_NO_MAX)
    found = stored_batches(store, member, first, min(max(limit, 0), LIST_MAX))
    return [_record(store, member, number, value) for number, value in found]


def _record(store: Store, producer: str, batch_no: int, value: bytes) -> BatchRecord:
    tx_id: Any = decode(value, bytes_max=64)[0]  # type: ignore[index]
    anchor = find_anchor(store, tx_id)
    if anchor is None:
        raise _corrupted(f"transaction {tx_id.hex()} has no anchor")
    return BatchRecord(producer, batch_no, read_transaction(store, tx_id, anchor), anchor)


def lookup(store: Store, text: str) -> dict[str, object]:
    """What `id.lookup` answers. Raises InvalidIdentifier, NotRegistered."""
    found, record = _find(store, text)
    payload = record.payload
    mass = payload.net_mass_g
    if found.serial:
        mass = 1000 if found.serial < payload.units else mass - 1000 * (payload.units - 1)
    return {
        "id": found.text,
        "kind": found.kind,
        "batch": format_id(found.producer, found.batch_no, 0),
        "mass_g": mass,
        "composition": composition(payload),
        "origin": payload_to_json(payload)["origin"],
        "product": payload.product,
        "facility": payload.facility,
        "produced_on": payload.produced_on,
        "coc": payload.coc,
        "committed_not_validated": sorted(payload.hidden or ()),
        "registered_by": record.producer,
        "anchored": anchored(record),
        "status": "registered",
    }


def batch_record(store: Store, text: str) -> dict[str, object]:
    """What `batch.get` answers, for a batch's or a kilogram's ID."""
    return describe(_find(store, text)[1])


def describe(record: BatchRecord) -> dict[str, object]:
    """A batch as registered and where anchored, in JSON form."""
    return {
        "id": format_id(record.producer, record.batch_no, 0),
        **payload_to_json(record.payload),
        "registered_by": record.producer,
        "anchored": anchored(record),
    }


def anchored(record: BatchRecord) -> dict[str, object]:
    """Where a batch is anchored, in JSON form."""
    anchor = record.anchor
    return {
        "tx_id": record.transaction.tx_id.hex(),
        "height": anchor.height,
        "index": anchor.index,
        "time_ms": anchor.time_ms,
    }


def composition(payload: BatchRegistration) -> list[dict[str, object]]:
    """Each element as oxide and as element, in ppm of the product.

    A TREM total counts metal, a TREO total counts oxide; the other column is converted.
    """
    metal = PRODUCTS[payload.product].kind == "TREM"
    rows: list[dict[str, object]] = []
    for element, share in sorted(payload.ree.items()):
        ppm = (share * payload.total_ppm + PPM // 2) // PPM
        oxide = to_oxide_ppm(element, ppm) if metal else ppm
        rows.append(
            {
                "element": element,
                "oxide": OXIDE_FACTORS[element][0],
                "oxide_ppm": oxide,
                "element_ppm": ppm if metal else to_element_ppm(element, ppm),
            }
        )
    return rows


def _find(store: Store, text: str) -> tuple[RegistryId, BatchRecord]:
    found = parse_id(text)
    record = find_batch(store, found.producer, found.batch_no)
    if record is None:
        message = f"{found.display} is not registered: check the label, or ask the producer"
        raise NotRegistered("E_NOT_REGISTERED", message, "id")
    if found.serial > record.payload.units:
        message = f"{found.display} is not registered: its batch ends at {record.payload.units} kg"
        raise NotRegistered("E_NOT_REGISTERED", message, "id")
    return found, record
