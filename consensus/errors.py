"""Whose fault it is: a peer's (go on) or ours (stop)."""

from __future__ import annotations


class ProtocolViolation(Exception):  # noqa: N818 - it names what happened
    """A peer sent what no correct peer sends. The replica's state is as it was before."""


class InvariantBroken(Exception):  # noqa: N818 - it names what happened
    """Something that cannot be, is: our own bug, or more than f faulty replicas. Stop."""


def invariant(holds: bool, what: str) -> None:
    """Raise `InvariantBroken(what)` unless `holds`; unlike `assert` it survives `python -O`."""
    if not holds:
        raise InvariantBroken(what)
