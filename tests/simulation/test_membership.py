"""Validator sets grow, shrink and trade members under load, crashes and a liar of the old set."""

from __future__ import annotations

import os
import random
from itertools import pairwise

import pytest

from node.simulation import simulate_range
from node.simulation.application import ToyLedgers
from node.simulation.machine import real_replica
from node.simulation.plan import draw_membership
from node.simulation.runner import Simulation
from node.simulation.signatures import KeyedHashRing

SEEDS = 60


def test_a_plan_grows_shrinks_and_trades_and_never_has_too_many_liars() -> None:
    steps = set()
    for seed in range(200):
        plan = draw_membership(random.Random(seed), 4 + seed % 4)
        sizes = [len(each) for each in plan.sets]
        assert min(sizes) >= 4
        assert plan.smallest == min(4 + seed % 4, *sizes)
        assert len(plan.liars) == (plan.smallest - 1) // 3
        assert all(len(set(each)) == len(each) for each in plan.sets)
        steps |= {after - before for before, after in pairwise(sizes)}
    assert steps == {-1, 0, 1}


def test_sets_do_change_while_there_is_work_and_an_old_member_lies() -> None:
    epochs = []
    for seed in range(12):
        world = (seed, 4, 40, real_replica, KeyedHashRing(), None, ToyLedgers, draw_membership)
        run = Simulation(*world)
        run.run()
        assert run.world.violations == []
        heads = [host.app.head for host in run.survivors()]
        assert len({head.epoch for head in heads}) == 1
        assert heads[0].validators != run.survivors()[0].app._first[0]  # type: ignore[attr-defined]
        epochs.append(heads[0].epoch)
        assert any(not host.honest for host in run.cluster.hosts.values())
    assert max(epochs) > 5, "the last set signs from well above the first block on"


@pytest.mark.slow
@pytest.mark.parametrize("validators", [4, 5, 7])
def test_membership_changes_are_safe_and_alive(validators: int) -> None:
    failed = simulate_range(
        0, SEEDS // 3, validators=validators, blocks=40, membership=True,
        jobs=min(4, os.cpu_count() or 1),
    )  # fmt: skip
    assert [result.command for result in failed] == []
