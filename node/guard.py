"""The last look before a signature: independent of the protocol's own bookkeeping.

Whatever the replica believes, this process never signs two different messages for one
(kind, view, height), or for one (kind, epoch, view) where a message has no height.
"""

from __future__ import annotations

import hashlib

from ledger.codec import decode
from node.limits import GUARD_ENTRIES_MAX, JOURNAL_RECORD_BYTES_MAX


class DoubleSign(Exception):  # noqa: N818 - the name says what happened
    """The replica asked for a second, different signature: our own fault, stop the process."""


class VoteGuard:
    """Remembers what was signed; refuses what contradicts it."""

    def __init__(self) -> None:
        self._signed: dict[tuple[object, ...], bytes] = {}

    def check(self, message: bytes) -> None:
        """Remember `message` (domain ‖ 0x00 ‖ canonical map) or raise DoubleSign."""
        domain, _, data = message.partition(b"\0")
        body = decode(data, bytes_max=JOURNAL_RECORD_BYTES_MAX)
        if not isinstance(body, dict) or "view" not in body:
            return
        place = ("height", body["height"]) if "height" in body else ("epoch", body.get("epoch"))
        key = (domain, body.get("kind"), body["view"], *place)
        digest = hashlib.sha256(message).digest()
        if self._signed.setdefault(key, digest) != digest:
            raise DoubleSign(f"a second, different {body.get('kind')} was to be signed: {key!r}")
        if len(self._signed) > GUARD_ENTRIES_MAX:
            del self._signed[next(iter(self._signed))]
