"""What a new view must start from: a pure function of its VIEW-CHANGEs (PROTOCOL N2)."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import invariant
from .messages import Prepared, ViewChange


def select(view_changes: Sequence[ViewChange]) -> tuple[int, bytes | None]:
    """(base, required) of ≥ q valid VIEW-CHANGEs (Castro–Liskov §4.4, min-s and O).

    1. base is the highest head. 2. required is the digest of the highest-view `prepared` among the
    messages with that head, else None. 3. Two digests there: more than f are faulty, and
    `InvariantBroken` stops us. The order of the messages does not matter.
    """
    invariant(len(view_changes) > 0, "a selection among nothing")
    base = max(v.head.height for v in view_changes)
    top: Prepared | None = None
    for message in view_changes:
        prepared = message.prepared
        if message.head.height != base or prepared is None:
            continue
        if top is None or prepared.view > top.view:
            top = prepared
        elif prepared.view == top.view:
            invariant(prepared.digest == top.digest, "two digests prepared in one view")
    return base, None if top is None else top.digest
