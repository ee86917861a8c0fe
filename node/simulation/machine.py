"""The part of a replica that the simulator drives, and where the real one comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from consensus import Replica
from consensus.interface import Block, Environment, Event, Now, Output, ReplicaStatus, Start
from consensus.sizes import Size


class Machine(Protocol):
    """What `consensus.Replica` offers to a driver."""

    def step(self, event: Event, now: Now) -> Output:
        """Take one event. Raises `ProtocolViolation` or `InvariantBroken`."""

    def resume(self, now: Now) -> Output:
        """The first output after construction."""

    def durable_records(self) -> tuple[bytes, ...]:
        """The minimal journal equal to the present durable state."""

    def sizes(self) -> tuple[Size, ...]:
        """How many entries each growing part has, and may have."""

    def body(self, digest: bytes) -> Block | None:
        """A body that is held and not yet applied."""

    def status(self, now: Now) -> ReplicaStatus:
        """What the replica can say about itself."""


MachineFactory = Callable[[Start, Environment], Machine]


def standing(machine: Machine | None, now: Now) -> str:
    """Role (P primary, B backup, o observer), view (* while changing) and head: `P v1* h7`."""
    if machine is None:
        return "-"
    status = machine.status(now)
    votes = status.index is not None and status.observe is None
    role = ("P" if status.index == status.primary else "B") if votes else "o"
    return f"{role} v{status.view}{'' if status.mode == 'active' else '*'} h{status.head}"


def real_replica(start: Start, environment: Environment) -> Machine:
    """The replica that a node runs."""
    return Replica(start, environment)
