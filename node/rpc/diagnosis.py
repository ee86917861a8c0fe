"""`chain.why`: what this node waits for, whose votes are missing, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from consensus.interface import ReplicaStatus
from node.rpc.context import Context
from node.rpc.shapes import NoParameters


class WhyValidator(Struct, frozen=True):
    """One validator as this node sees it. `view_change`: the view that it wants, or null."""

    index: int
    name: str
    connected: bool
    height: int | None
    prepared: bool
    committed: bool
    view_change: int | None


class Why(Struct, frozen=True):
    """What the next block waits for. `timer_ms`: until this node asks for another view."""

    height: int
    view: int
    mode: Literal["active", "changing"]
    quorum: int
    pending: int
    timer_ms: int | None
    waits_for: list[str]
    then: list[str]
    validators: list[WhyValidator]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a diagnosis looks at. `rows` are in the order of the validators' indexes."""

    status: ReplicaStatus
    rows: Sequence[WhyValidator]
    pending: int

    @property
    def reached(self) -> list[WhyValidator]:
        """The validators that can take part, this node included."""
        return [each for each in self.rows if each.connected]

    def without(self, indexes: Sequence[int]) -> str:
        """The names of the validators that are not in `indexes`."""
        return ", ".join(each.name for each in self.rows if each.index not in indexes) or "none"


async def chain_why(context: Context, given: NoParameters) -> Why:
    """What this node waits for."""
    node = context.node
    status, linked = node.status(), frozenset(node.network.connected())
    heights = {**dict(status.heads), node.network.peer_id: status.head}
    views = dict(status.view_changes)
    rows = [
        WhyValidator(
            index=index,
            name=each.name,
            connected=each.peer_id in linked or each.peer_id == node.network.peer_id,
            height=heights.get(each.peer_id),
            prepared=index in status.prepares,
            committed=index in status.commits,
            view_change=views.get(index),
        )
        for index, each in enumerate(node.chain.validators)
    ]
    scene = Scene(status, rows, len(node.mempool))
    found, advice = diagnose(scene)
    return Why(
        height=status.head + 1,
        view=status.view,
        mode=status.mode,  # type: ignore[arg-type]
        quorum=status.quorum,
        pending=scene.pending,
        timer_ms=status.timer_ms,
        waits_for=found,
        then=advice,
        validators=rows,
    )


def diagnose(scene: Scene) -> tuple[list[str], list[str]]:
    """What holds the next block up, most important first; and what to do about it."""
    found: list[str] = []
    advice: list[str] = []
    for look in (_own_state, _reach, _view_change, _round, _behind):
        said, then = look(scene)
        found += said
        advice += then
    if not found:
        found.append("nothing: no transaction is waiting")
    return found, advice


Finding = tuple[list[str], list[str]]


def _own_state(scene: Scene) -> Finding:
    status = scene.status
    if status.observe is not None:
        then = "replace this validator's key: docs/operations.md, When it says"
        return [f"this node does not vote: {status.observe}"], [then]
    if status.syncing:
        newest = max((height for _, height in status.heads), default=status.head)
        return [f"this node fetches blocks: it is at {status.head}, peers claim {newest}"], []
    return [], []


def _reach(scene: Scene) -> Finding:
    status, reached = scene.status, scene.reached
    if len(reached) >= status.quorum:
        return [], []
    missing = scene.without([each.index for each in reached])
    said = (
        f"this node reaches {len(reached)} of {status.n} validators and a commit needs "
        f"{status.quorum}; no link to {missing}"
    )
    return [said], [f"start {missing}, or look at the network between them and this node"]


def _view_change(scene: Scene) -> Finding:
    status = scene.status
    if status.mode == "active":
        return [], []
    here = [index for index, view in status.view_changes if view >= status.view]
    name = scene.rows[status.primary].name
    if len(here) < status.quorum:
        said = (
            f"view {status.view} begins when {status.quorum} validators want it or a later one; "
            f"{len(here)} do, not {scene.without(here)}"
        )
        return [said], []
    return [f"{name}, the primary of view {status.view}, has to send its NEW-VIEW"], []


def _round(scene: Scene) -> Finding:
    status = scene.status
    if status.mode != "active" or not scene.pending:
        return [], []
    primary = scene.rows[status.primary]
    what = f"{scene.pending} transactions wait for block {status.head + 1}"
    if not primary.connected:
        return [f"{what}; its primary {primary.name} is not connected"], [f"start {primary.name}"]
    if not status.prepares and not status.commits:
        return [f"{what}, which its primary {primary.name} has to propose"], []
    if len(status.commits) < status.quorum:
        votes = status.commits or status.prepares
        kind = "COMMIT" if status.commits else "PREPARE"
        return [f"{what}; {kind} is missing from {scene.without(votes)}"], []
    return [f"{what}; it has its quorum and is being written"], []


def _behind(scene: Scene) -> Finding:
    head = scene.status.head
    late = [each for each in scene.reached if each.height is not None and each.height < head]
    if not late:
        return [], []
    names = ", ".join(f"{each.name} (at {each.height})" for each in late)
    return [f"behind this node: {names}"], []
