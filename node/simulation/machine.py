"""The part of a replica that the simulator drives, and where the real one comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from consensus import Replica
from consensus.interface import Block, Environment, Event, Now, Output, ReplicaStatus, Start


class Machine(Protocol):
    """What `consensus.Replica` offers to a driver."""

    def step(self, event: Event, now: Now) -> Output:
        """Take one event. Raises `ProtocolViolation` or `InvariantBroken`."""

    def resume(self, now: Now) -> Output:
        """The first output after construction."""

    def durable_records(self) -> tuple[bytes, ...]:
        """The minimal journal equal to the present durable state."""

    def body(self, digest: bytes) -> Block | None:
        """A body that is held and not yet applied."""

    def status(self, now: Now) -> ReplicaStatus:
        """What the replica can say about itself."""


MachineFactory = Callable[[Start, Environment], Machine]


def real_replica(start: Start, environment: Environment) -> Machine:
    """The replica that a node runs."""
    return Replica(start, environment)
