"""What a verifier of passports says in plain words: of each step, what is proven, what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

FORMAT = "the file has the form of a passport"
_TIME_SECONDS_MAX = 253_402_300_799  # the last second of the year 9999
NOT_PROVEN = (
    "that the assay, the mass and the origin are true: the registrant says so, and is bound to it",
    "that the drum holds what its label says",
    "that this ID is on one drum only",
)


def genesis(chain_id: str) -> str:
    """The step "genesis"."""
    return f"it belongs to {chain_id}, the chain of the genesis document that you gave"


def identity(display: str) -> str:
    """The step "identity"."""
    return f"{display} is well formed and its check characters fit"


def validators(n: int, changes: int) -> str:
    """The step "validators". `n`: of the genesis."""
    if not changes:
        return f"the {_count(n, 'validator')} of the genesis document, no change since"
    return f"{_count(changes, 'change')} of the validators, each agreed on by those before it"


def agreement(blocks: Sequence[tuple[int, int, int]]) -> str:
    """The step "agreement". `blocks`: height, votes, validators of each."""
    return "; ".join(f"block {at} is signed by {votes} of {n}" for at, votes, n in blocks)


def inclusion(height: int, index: int) -> str:
    """The step "inclusion"."""
    return f"the registration stands in block {height} at place {index}"


def signature(key: str) -> str:
    """The step "signature". `key`: in hex."""
    return f"the registration is signed for this chain by the key {key}"


def member(code: str, name: str) -> str:
    """The step "member"."""
    return f"the key is one of {name} ({code}), which may register for this facility"


def record(batch: str, units: int) -> str:
    """The step "record"."""
    return f"the record is what was registered: batch {batch}, {_count(units, 'kilogram')}"


def state(height: int, there: bool) -> str:
    """The step "state"."""
    what = "this registration" if there else "nothing"
    return f"after block {height} the state holds {what} for this batch"


def registered(display: str, serial: int, mass_g: int, by: str, at_ms: int) -> str:
    """Proven of a registered ID."""
    what = f"the kilogram {display}, {mass_g} g," if serial else f"the batch {display}, {mass_g} g,"
    return f"{what} was registered by {by} on {when(at_ms)}, exactly as in the record"


def above(display: str, units: int, by: str, at_ms: int) -> str:
    """Proven of an ID beyond the end of its batch."""
    return (
        f"{display} was not registered: its batch, registered by {by} on {when(at_ms)}, "
        f"has {_count(units, 'kilogram')} and not one more"
    )


def absent(display: str, height: int, at_ms: int) -> str:
    """Proven of an ID whose batch is not in the state."""
    return (
        f"{display} was not registered up to block {height} of {when(at_ms)}: "
        "nobody had registered its batch"
    )


def unchanged(height: int, at_ms: int) -> str:
    """Proven by a state entry beside the registration."""
    return f"up to block {height} of {when(at_ms)} this registration is what stands for the batch"


def compared(batch: str, height: int, at_ms: int) -> str:
    """Proven by two passports of one batch."""
    return (
        f"the batch {batch} is the same in both, and up to block {height} of {when(at_ms)} "
        "nothing of it has changed"
    )


def not_since(height: int | None) -> str:
    """Not proven: later times. `height`: of the state, or None without one."""
    if height is None:
        return "anything about the time after the registration: the passport has no state"
    return f"anything about the time after block {height}"


def when(time_ms: int) -> str:
    """A time of the chain, to the second."""
    if time_ms // 1000 > _TIME_SECONDS_MAX:
        return f"{time_ms} ms"
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number:,} {what}s"
