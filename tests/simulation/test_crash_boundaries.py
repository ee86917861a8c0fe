"""A crash at each step boundary, one after the other: before a write, fsync, frame or block."""

from __future__ import annotations

import os

import pytest

from node.simulation.application import ToyLedgers
from node.simulation.cluster import make_cluster
from node.simulation.host import Host
from node.simulation.machine import real_replica
from node.simulation.network import LinkFaults
from node.simulation.shared import Cluster
from node.simulation.signatures import KeyedHashRing
from node.simulation.world import World

SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))
SEEDS = int(os.environ.get("KILOCHAIN_CRASH_SEEDS", "2"))
ROUND_MS = 400
BOUNDARIES_MAX = 500


def network(seed: int) -> Cluster:
    cluster = make_cluster(World(seed), 4, 0, real_replica, KeyedHashRing(), ToyLedgers)
    cluster.network.faults = LinkFaults(delay_ms_min=1, delay_ms_max=3)
    for host in cluster.hosts.values():
        host.start()
    cluster.world.run_for(100)
    return cluster


def one_round(cluster: Cluster, number: int, *, changing: bool) -> None:
    """A block, or a block in the midst of which every view timer runs out."""
    for host in cluster.hosts.values():
        host.submit(cluster.ledgers.transaction(number))
    if changing:
        cluster.world.run_for(3)
        for host in cluster.hosts.values():
            for _ in range(2):
                host.expire()
    cluster.world.run_for(ROUND_MS)


def crash_at(cluster: Cluster, host: Host, boundary: int, number: int, *, changing: bool) -> bool:
    """One round in which `host` dies at that boundary and comes back. Whether there was one."""
    host.dies_in = boundary
    one_round(cluster, number, changing=changing)
    if host.alive:
        host.dies_in = None
        return False
    host.start()
    cluster.world.run_for(ROUND_MS)
    return True


@pytest.mark.parametrize("changing", [False, True], ids=["a block", "a view change"])
@pytest.mark.parametrize("victim", range(4))
@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_a_crash_at_every_boundary_loses_and_contradicts_nothing(
    seed: int, victim: int, changing: bool
) -> None:
    cluster = network(seed)
    host = cluster.hosts[f"r{victim}"]
    boundary = 0
    while crash_at(cluster, host, boundary, boundary, changing=changing):
        boundary += 1
        assert boundary < BOUNDARIES_MAX
    for each in cluster.hosts.values():
        each.submit(cluster.ledgers.transaction(BOUNDARIES_MAX))
    cluster.world.run_for(60_000, lambda: level(cluster, boundary))
    assert level(cluster, boundary)
    for each in cluster.hosts.values():
        cluster.checkers.on_end(each.name, each.app, each.disk)
    assert cluster.world.violations == []
    print(f"{boundary} boundaries")
    assert boundary >= 14, "a round has many steps"


def level(cluster: Cluster, boundaries: int) -> bool:
    """Everybody has one head, and every transaction of every round is in the chain."""
    hosts = list(cluster.hosts.values())
    numbers = [*range(boundaries + 1), BOUNDARIES_MAX]
    return len({host.app.head.header.digest for host in hosts}) == 1 and not any(
        hosts[0].app.admits(cluster.ledgers.transaction(number)) for number in numbers
    )
