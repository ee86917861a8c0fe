"""Votes of everybody at H and H+1: bounded, first come first kept (PROTOCOL §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .limits import VOTE_VIEWS_MAX
from .messages import VOTE_KINDS, Vote

Place = tuple[str, int, bytes]  # kind, height, sender


@dataclass(slots=True)
class VoteTable:
    """Per sender, kind and height the votes of its 4 highest views."""

    places: dict[Place, dict[int, Vote]] = field(default_factory=dict)

    def get(self, kind: str, view: int, height: int, sender: bytes) -> Vote | None:
        """The vote kept at that place."""
        return self.places.get((kind, height, sender), {}).get(view)

    def has_room(self, vote: Vote) -> bool:
        """Whether nothing is kept at its place and its view is among the highest."""
        kept = self.places.get((vote.kind, vote.height, vote.sender), {})
        return vote.view not in kept and (len(kept) < VOTE_VIEWS_MAX or vote.view > min(kept))

    def add(self, vote: Vote) -> None:
        """Keep `vote` if there is room, and drop what exceeds the 4 highest views."""
        if not self.has_room(vote):
            return
        kept = self.places.setdefault((vote.kind, vote.height, vote.sender), {})
        kept[vote.view] = vote
        while len(kept) > VOTE_VIEWS_MAX:
            del kept[min(kept)]

    def at(self, kind: str, height: int, senders: Sequence[bytes]) -> list[Vote]:
        """All votes of one kind at `height`, in the order of `senders`, then by view."""
        votes: list[Vote] = []
        for sender in senders:
            kept = self.places.get((kind, height, sender), {})
            votes.extend(kept[view] for view in sorted(kept))
        return votes

    def forget(self, height: int, senders: Sequence[bytes]) -> None:
        """Drop votes at or below `height`, and whatever is not by one of `senders`."""
        self.places = {
            place: kept
            for place, kept in self.places.items()
            if place[1] > height and place[2] in senders
        }

    def __len__(self) -> int:
        return sum(len(kept) for kept in self.places.values())


def size_max(n: int) -> int:
    """How many votes a table for n replicas can hold."""
    return len(VOTE_KINDS) * 2 * VOTE_VIEWS_MAX * n
