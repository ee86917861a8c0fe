"""The event stream: what blocks bring, in chain order, from a cursor on.

Events are read from the chain and not from memory: whoever names the cursor of the last event
that it has seen gets every later one, once, however long it was away. A subscriber that takes
nothing more holds one event in memory and is given up when a send stalls.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ledger.blocks import ParsedBlock, parse_block
from ledger.errors import StoreCorrupted
from ledger.identifiers import format_id, is_producer
from node.rpc.limits import EVENT_BLOCKS_CACHED_MAX, EVENT_MARK_BLOCKS
from node.rpc.protocol import INVALID_PARAMS, RPCError

if TYPE_CHECKING:
    from node.node import Node
    from node.rpc.context import Context

KINDS = ("block", "transaction")
_CURSOR = re.compile(r"(\d{1,15})\.(\d{1,15})")
_JSON = msgspec.json.Encoder()

Cursor = tuple[int, int]
"""(height, index): a transaction's place; a block stands after its last transaction."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message of the stream. `member`: the signer of a transaction, None for a block."""

    cursor: Cursor
    kind: str
    member: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a subscriber wants: events after `after`, of these kinds, of one member or of all."""

    after: Cursor
    kinds: frozenset[str]
    member: str | None

    def wants(self, event: Event) -> bool:
        """Whether the event belongs to this subscription."""
        if event.cursor <= self.after or event.kind not in self.kinds:
            return False
        return self.member is None or event.member == self.member


def parse_subscription(given: Mapping[str, str], now: Cursor) -> Subscription:
    """Read a query string. `now`: the cursor of the newest event. Raises RPCError (E_PARAMS).

    `after`: "HEIGHT.INDEX", "now" (as if absent) or "start"; `kinds`: comma-separated, all if
    absent; `member`: a code, which leaves out blocks.
    """
    unknown = sorted(set(given) - {"after", "kinds", "member"})
    if unknown:
        raise _bad(f"no parameter {unknown[0]!r}: after, kinds and member are known", unknown[0])
    member = given.get("member")
    if member is not None and not is_producer(member):
        raise _bad("a member's code has 4 characters, as `member.list` gives it", "member")
    kinds = frozenset(given["kinds"].split(",") if "kinds" in given else KINDS)
    if not kinds or not kinds <= set(KINDS):
        raise _bad(f"kinds are {' and '.join(KINDS)}, separated by commas", "kinds")
    return Subscription(_parse_cursor(given.get("after", "now"), now), kinds, member)


def _parse_cursor(text: str, now: Cursor) -> Cursor:
    if text == "now":
        return now
    if text == "start":
        return (-1, 0)
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise _bad("a cursor is HEIGHT.INDEX, now or start", "after")
    return int(found[1]), int(found[2])


def _bad(message: str, field: str) -> RPCError:
    return RPCError(INVALID_PARAMS, message, code="E_PARAMS", field=field)


class EventLog:
    """The events of a node's chain, with those of the newest blocks kept for many subscribers."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cache: OrderedDict[int, tuple[Event, ...]] = OrderedDict()

    @property
    def node(self) -> Node:
        """The node whose chain it is."""
        return self._context.node

    async def now(self) -> Cursor:
        """The cursor of the newest event."""
        return (await self.block_events(self.node.chain.head.height))[-1].cursor

    async def block_events(self, height: int) -> tuple[Event, ...]:
        """The transactions of the block at `height` in order, then the block itself."""
        found = self._cache.get(height)
        if found is None:
            found = await self._context.read(partial(self._read, height))
            self._cache[height] = found
            while len(self._cache) > EVENT_BLOCKS_CACHED_MAX:
                self._cache.popitem(last=False)
        return found

    def _read(self, height: int) -> tuple[Event, ...]:
        stored = self.node.chain.stored_block(height)
        if stored is None:
            raise StoreCorrupted("E_CORRUPTED", f"block {height} is missing below the head")
        return events_of(parse_block(stored.data))

    async def follow(self, wanted: Subscription) -> AsyncGenerator[Sequence[bytes], None]:
        """Messages from the subscription's cursor on, block by block, for ever.

        Where a run of blocks had nothing to say, a message of type "cursor" says how far it went.
        """
        height, told = max(wanted.after[0], 0), wanted.after
        while True:
            head = self.node.chain.head.height
            if height > head:
                await self.node.next_head()
                continue
            events = await self.block_events(height)
            said = [each for each in events if wanted.wants(each)]
            messages = [each.data for each in said]
            last = events[-1].cursor
            if said:
                told = said[-1].cursor
            quiet_for = height - max(told[0], 0)
            if last > told and (height == head or quiet_for >= EVENT_MARK_BLOCKS):
                messages.append(mark(last))
                told = last
            if messages:
                yield messages
            height += 1


def mark(cursor: Cursor) -> bytes:
    """The message that says how far the stream has come."""
    return _JSON.encode({"type": "cursor", "cursor": cursor})


def hello(chain_id: str, height: int, after: Cursor) -> bytes:
    """The first message of a stream: which chain, where its head is, where the stream begins."""
    return _JSON.encode({"type": "hello", "chain_id": chain_id, "height": height, "cursor": after})


def events_of(block: ParsedBlock) -> tuple[Event, ...]:
    """The events of one block."""
    header = block.header
    events: list[Event] = []
    for index, each in enumerate(block.transactions):
        envelope, cursor = each.envelope, (header.height, index)
        payload = envelope.payload
        said = {
            "type": "transaction",
            "cursor": cursor,
            "tx_id": each.tx_id.hex(),
            "kind": envelope.kind,
            "member": envelope.member,
            "id": format_id(envelope.member, payload.batch_no, 0),
            "product": payload.product,
            "units": payload.units,
            "net_mass_g": payload.net_mass_g,
            "time_ms": header.time_ms,
        }
        events.append(Event(cursor, "transaction", envelope.member, _JSON.encode(said)))
    end = (header.height, header.transactions)
    said = {
        "type": "block",
        "cursor": end,
        "digest": block.digest.hex(),
        "time_ms": header.time_ms,
        "proposer": header.proposer,
        "transactions": header.transactions,
    }
    events.append(Event(end, "block", None, _JSON.encode(said)))
    return tuple(events)
