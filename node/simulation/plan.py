"""What a seed draws: which faults exist at all, how strong they are, and who is Byzantine."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from node.simulation.byzantine import ROLES
from node.simulation.limits import (
    CHAOS_MS_MAX,
    CHAOS_MS_MIN,
    CLOCK_JUMP_MS_MAX,
    EXTRA_REPLICAS,
    JOINERS,
    MEMBERSHIP_SIZE_MIN,
    SET_CHANGES_MAX,
    SET_CHANGES_MIN,
)
from node.simulation.network import LinkFaults

DISK_DAMAGES = (
    "journal: bit",
    "journal: scattered",
    "journal: older",
    "journal: lost",
    "chain: bit",
    "chain: lost write",
    "chain: misdirected write",
    "chain: lost",
    "chain and journal: lost",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run's faults. Periods in milliseconds, 0 = this fault does not exist.

    `liars`: one role for each Byzantine replica, among the first `cast` ones. `sets`: the validator
    sets that are asked for; `smallest`: the size of the smallest, the first one included; `extra`:
    how many replicas there are beside the first set. `damage`: what one honest replica's disk does
    (one of `DISK_DAMAGES`), or "". `real_ledger`: whether the node's ledger runs, or the toy one,
    whose validator set can change.
    """

    chaos_ms: int
    links: LinkFaults
    crash_permille: int
    disk_error_permille: int
    crash_every_ms: int
    pause_every_ms: int
    partition_every_ms: int
    clog_every_ms: int
    jump_every_ms: int
    jump_ms_max: int
    skew_ms_max: int
    liars: tuple[str, ...]
    cast: int
    sets: tuple[tuple[str, ...], ...]
    smallest: int
    extra: int
    damage: str
    dead_for_ever: bool
    real_ledger: bool


def draw_plan(chance: random.Random, validators: int) -> Plan:
    """Each fault exists in some runs only, so that none hides another's consequences."""

    def sometimes(low: int, high: int) -> int:
        return chance.randint(low, high) if chance.random() < 0.5 else 0

    tolerated = (validators - 1) // 3
    liars = tuple(chance.choice(ROLES) for _ in range(_how_many(chance, tolerated)))
    change_set = validators not in (1, 4, 7, 10) and chance.random() < 0.3
    size = chance.choice((validators - 1, validators + EXTRA_REPLICAS))
    sets = (_names(size),) if change_set else ()
    may_rot = len(liars) < tolerated and not change_set
    return Plan(
        chaos_ms=chance.randint(CHAOS_MS_MIN, CHAOS_MS_MAX),
        links=LinkFaults(
            delay_ms_min=1,
            delay_ms_max=chance.choice((5, 50, 400)),
            loss_permille=sometimes(10, 250),
            duplicate_permille=sometimes(10, 200),
            straggler_permille=sometimes(5, 100),
        ),
        crash_permille=sometimes(1, 150),
        disk_error_permille=sometimes(1, 50),
        crash_every_ms=sometimes(1_000, 10_000),
        pause_every_ms=sometimes(1_000, 10_000),
        partition_every_ms=sometimes(2_000, 10_000),
        clog_every_ms=sometimes(1_000, 8_000),
        jump_every_ms=sometimes(1_000, 10_000),
        jump_ms_max=CLOCK_JUMP_MS_MAX,
        skew_ms_max=sometimes(1, 1_500),
        liars=liars,
        cast=validators - 1,
        sets=sets,
        smallest=min(validators, size) if change_set else validators,
        extra=EXTRA_REPLICAS,
        damage=chance.choice(DISK_DAMAGES) if may_rot and chance.random() < 0.7 else "",
        dead_for_ever=chance.random() < 0.5,
        real_ledger=not sets,
    )


def draw_membership(chance: random.Random, validators: int) -> Plan:
    """As `draw_plan`, but the set grows, shrinks and trades members all the time, at least to 4.

    As many lie as the smallest set may have, and each may be removed, or come back.
    """
    plan = draw_plan(chance, validators)
    known = _names(validators + JOINERS)
    present, sets = list(known[:validators]), []
    for _ in range(chance.randint(SET_CHANGES_MIN, SET_CHANGES_MAX)):
        absent = [name for name in known if name not in present]
        shrinks = len(present) > max(MEMBERSHIP_SIZE_MIN, validators - 2)
        kinds = ["trade"] + ["grow"] * (len(absent) > 1) + ["shrink"] * shrinks
        kind = chance.choice(kinds)
        if kind != "grow":
            present.remove(chance.choice(present))
        if kind != "shrink":
            present.append(chance.choice(absent))
        chance.shuffle(present)
        sets.append(tuple(present))
    smallest = min(validators, *(len(each) for each in sets))
    liars = tuple(chance.choice(ROLES) for _ in range((smallest - 1) // 3))
    return replace(
        plan,
        liars=liars,
        cast=validators,
        sets=tuple(sets),
        smallest=smallest,
        extra=JOINERS,
        damage="",
        real_ledger=False,
    )


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"r{index}" for index in range(count))


def _how_many(chance: random.Random, tolerated: int) -> int:
    """Mostly as many liars as may be, at times fewer."""
    return tolerated if chance.random() < 0.7 else chance.randint(0, tolerated)
