"""What a seed draws: which faults exist at all, how strong they are, and who is Byzantine."""

from __future__ import annotations

import random
from dataclasses import dataclass

from node.simulation.byzantine import ROLES
from node.simulation.limits import CHAOS_MS_MAX, CHAOS_MS_MIN
from node.simulation.network import LinkFaults


@dataclass(frozen=True, slots=True)
class Plan:
    """One run's faults. Periods in milliseconds, 0 = this fault does not exist."""

    chaos_ms: int
    links: LinkFaults
    crash_permille: int
    crash_every_ms: int
    pause_every_ms: int
    partition_every_ms: int
    skew_ms_max: int
    byzantine: str | None
    change_set: bool
    dead_for_ever: bool


def draw_plan(chance: random.Random, validators: int) -> Plan:
    """Each fault exists in some runs only, so that none hides another's consequences."""

    def sometimes(low: int, high: int) -> int:
        return chance.randint(low, high) if chance.random() < 0.6 else 0

    tolerated = (validators - 1) // 3
    links = LinkFaults(
        delay_ms_min=1,
        delay_ms_max=chance.choice((5, 50, 400)),
        loss_permille=sometimes(10, 250),
        duplicate_permille=sometimes(10, 200),
        straggler_permille=sometimes(5, 100),
    )
    return Plan(
        chaos_ms=chance.randint(CHAOS_MS_MIN, CHAOS_MS_MAX),
        links=links,
        crash_permille=sometimes(1, 150),
        crash_every_ms=sometimes(1_000, 10_000),
        pause_every_ms=sometimes(1_000, 10_000),
        partition_every_ms=sometimes(2_000, 10_000),
        skew_ms_max=sometimes(1, 1_500),
        byzantine=chance.choice(ROLES) if tolerated else None,
        change_set=validators not in (1, 4, 7) and chance.random() < 0.3,
        dead_for_ever=chance.random() < 0.5,
    )
