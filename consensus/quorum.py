"""Who votes and how many of them are enough (PROTOCOL §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .errors import invariant
from .interface import PeerId, Validator
from .limits import VALIDATORS_MAX


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """The validators that sign one height, in order; any n ≥ 1."""

    validators: tuple[Validator, ...]

    def __post_init__(self) -> None:
        invariant(1 <= self.n <= VALIDATORS_MAX, f"a set of {self.n} validators")
        keys = sorted(v.key for v in self.validators)
        invariant(all(a != b for a, b in pairwise(keys)), "a key votes twice")

    @property
    def n(self) -> int:
        """Number of replicas."""
        return len(self.validators)

    @property
    def f(self) -> int:
        """How many may be Byzantine: ⌊(n−1)/3⌋."""
        return (self.n - 1) // 3

    @property
    def quorum(self) -> int:
        """⌈(n+f+1)/2⌉: two quorums share f+1 replicas, and q ≤ n−f."""
        return (self.n + self.f + 2) // 2

    @property
    def weak_quorum(self) -> int:
        """f+1: at least one of them is honest."""
        return self.f + 1

    def primary(self, view: int) -> Validator:
        """The replica that may propose in `view`."""
        return self.validators[view % self.n]

    def index_of(self, key: bytes | None) -> int | None:
        """Position of a voting key, None when it does not vote."""
        for index, validator in enumerate(self.validators):
            if validator.key == key:
                return index
        return None

    def peer_of(self, key: bytes) -> PeerId | None:
        """Where the replica with that key is reached."""
        index = self.index_of(key)
        return None if index is None else self.validators[index].peer

    def peers_without(self, key: bytes | None) -> tuple[PeerId, ...]:
        """Every replica's peer but the one of `key`, in set order."""
        return tuple(v.peer for v in self.validators if v.key != key)


def replica_set(validators: Sequence[Validator]) -> ReplicaSet:
    """A checked set. Raises InvariantBroken for an empty or repeated one."""
    return ReplicaSet(tuple(validators))
