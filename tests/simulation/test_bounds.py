"""What one bad primary, client or clock can cost, and that nothing grows: in virtual time."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest

from consensus.sizes import Size
from node.simulation.application import ToyLedgers
from node.simulation.byzantine import corrupt, is_shunned
from node.simulation.cluster import make_cluster
from node.simulation.host import Host
from node.simulation.limits import BLOCK_TRANSACTIONS_MAX, CLOCK_JUMP_MS_MAX
from node.simulation.machine import real_replica
from node.simulation.network import LinkFaults
from node.simulation.shared import Cluster
from node.simulation.signatures import KeyedHashRing
from node.simulation.world import World

BLOCKS = int(os.environ.get("KILOCHAIN_LONG_BLOCKS", "10000"))
SLOW_S = int(os.environ.get("KILOCHAIN_SLOW_S", "180"))
SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))


def network(validators: int, delay_ms_max: int = 20) -> Cluster:
    cluster = make_cluster(World(SEED), validators, 0, real_replica, KeyedHashRing(), ToyLedgers)
    cluster.network.faults = LinkFaults(delay_ms_min=1, delay_ms_max=delay_ms_max)
    return cluster


def offer(cluster: Cluster, number: int) -> bytes:
    transaction = cluster.ledgers.transaction(number)
    for host in cluster.hosts.values():
        host.submit(transaction)
    return transaction


def committed(cluster: Cluster, per_second: int, seconds: int) -> tuple[int, int]:
    """What is committed at an honest replica after two thirds of a time of load, and at its end."""
    for host in cluster.hosts.values():
        host.start()
    watched = next(host for host in cluster.hosts.values() if host.honest)
    offered: list[bytes] = []
    seen = []
    for turn in range(1, per_second * seconds + 1):
        offered.append(offer(cluster, turn))
        cluster.world.run_for(1_000 // per_second)
        if turn in (per_second * seconds * 2 // 3, per_second * seconds):
            seen.append(sum(not watched.app.admits(each) for each in offered))
    assert cluster.world.violations == []
    return seen[0], seen[1]


def views(cluster: Cluster) -> list[int]:
    honest = [host for host in cluster.hosts.values() if host.honest and host.machine is not None]
    return [host.machine.status(host.now).view for host in honest if host.machine is not None]


@pytest.mark.slow
@pytest.mark.parametrize("validators", [4, 7] if SLOW_S >= 240 else [4])
def test_slow_primaries_leave_half_of_the_fair_throughput(validators: int) -> None:
    """Each of f primaries answers at 0.9 of the view timer; the load is what it cannot carry."""
    per_second, seconds = BLOCK_TRANSACTIONS_MAX, SLOW_S  # a slow one carries about half of it
    _, fair = committed(network(validators), per_second, seconds)
    cluster = network(validators)
    for index in range((validators - 1) // 3):
        corrupt(cluster.hosts[f"r{index}"], "late")
    before, slow = committed(cluster, per_second, seconds)
    print(f"n = {validators}: {slow} of {fair}, view {max(views(cluster))}")
    assert fair >= (seconds - 3) * per_second
    assert slow >= fair // 2
    # And the load is caught up with: slowness is not for ever.
    assert slow - before >= (seconds // 3 - 3) * per_second


@pytest.mark.parametrize("validators", [4, 7, 10])
@pytest.mark.parametrize("role", ["censor", "shunner"])
def test_a_censored_transaction_commits_within_f_and_one_view_changes(
    validators: int, role: str
) -> None:
    cluster, tolerated = network(validators), (validators - 1) // 3
    for index in range(tolerated):
        corrupt(cluster.hosts[f"r{index}"], role)
    for host in cluster.hosts.values():
        host.start()
    number = next(n for n in range(100) if is_shunned(cluster.ledgers.transaction(n)))
    censored = offer(cluster, number)
    honest = [host for host in cluster.hosts.values() if host.honest]
    # What a shunner does propose goes on meanwhile: its view timer never runs out.
    others = [n for n in range(1_000, 2_000) if not is_shunned(cluster.ledgers.transaction(n))]
    for other in others[: 60 * tolerated + 60]:
        offer(cluster, other)
        cluster.world.run_for(1_000)
        if not any(host.app.admits(censored) for host in honest):
            break
    assert not any(host.app.admits(censored) for host in honest)
    print(f"n = {validators}, {role}: {cluster.world.now_ms} ms, view {max(views(cluster))}")
    assert max(views(cluster)) <= tolerated + 1
    assert cluster.world.violations == []


def ahead(host: Host) -> None:
    host.skew_ms = CLOCK_JUMP_MS_MAX


def behind(host: Host) -> None:
    host.skew_ms = -CLOCK_JUMP_MS_MAX


def frozen(host: Host) -> None:
    host.frozen_ms = 0


def jumping(host: Host) -> None:
    host.skew_ms = host.cluster.world.random.randint(-CLOCK_JUMP_MS_MAX, CLOCK_JUMP_MS_MAX)
    host.cluster.world.after(700, lambda: jumping(host))


@pytest.mark.parametrize("wrong", [ahead, behind, frozen, jumping])
@pytest.mark.parametrize(
    ("validators", "where"), [(4, "backups"), (4, "primaries"), (7, "primaries")]
)
def test_wrong_clocks_at_f_replicas_cost_at_most_one_view_each(
    wrong: Callable[[Host], None], validators: int, where: str
) -> None:
    cluster, tolerated = network(validators), (validators - 1) // 3
    first = 0 if where == "primaries" else validators - tolerated
    for index in range(first, first + tolerated):
        wrong(cluster.hosts[f"r{index}"])
    # Long enough for a clock that stands still to be two minutes behind: its blocks are too old.
    seconds = 132 if wrong is frozen else 20
    assert committed(cluster, 1, seconds)[1] >= seconds - 5
    assert max(views(cluster)) <= (tolerated if where == "primaries" else 0)
    head = cluster.hosts[f"r{validators - 1 - tolerated}"].app.head.header
    true = next(host for host in cluster.hosts.values() if host.skew_ms == 0).now.wall_ms
    assert abs(head.time_ms - true) <= 3_000 or wrong is frozen, "no wrong time on the chain"


def test_a_flooding_client_leaves_room_for_the_others() -> None:
    """The node's own pool and chain: one member offers fifty times what a block takes."""
    from flood import Flood

    flood = Flood(pool_max=400)
    refused = 0
    for turn in range(300):
        for _ in range(50 * BLOCK_TRANSACTIONS_MAX // 10):
            flood.offer("flooder")
        if turn % 2 == 0:
            refused += not flood.offer("honest")
        flood.commit_one_block(turn)
    assert refused == 0
    waiting = flood.waiting("honest")
    print(f"honest: {150 - waiting} of 150, flooder: {flood.committed['flooder']}")
    assert flood.committed["honest"] >= 75
    assert flood.size <= 400


@pytest.mark.slow
def test_ten_thousand_blocks_leave_nothing_behind() -> None:
    """One run, one transaction a block, a liar among the four who gives evidence all the time."""
    cluster = network(4, delay_ms_max=1)
    liar = cluster.hosts["r3"]
    corrupt(liar, "equivocator")
    for host in cluster.hosts.values():
        host.start()
    honest = [host for host in cluster.hosts.values() if host.honest]
    early, late = dict[str, int](), dict[str, int]()
    journals: list[int] = []
    for height in range(1, BLOCKS + 1):
        offer(cluster, height)
        assert cluster.world.run_for(60_000, partial(reached, honest, height)), f"block {height}"
        book = early if height <= BLOCKS // 10 else late
        for host in honest if height % 5 == 0 else ():
            for size in sizes(host):
                book[size.name] = max(size.count, book.get(size.name, 0))
                assert size.count <= size.limit
            journals.append(host.disk.size)
    assert cluster.world.violations == []
    # The first tenth has seen all that there is to keep; only ages and digests fill up to a limit.
    filling = ("recent digests", "reported cases")
    grown = {name: (early[name], count) for name, count in late.items() if count > early[name]}
    assert {name for name in grown if name not in filling} <= {"bodies"}, grown
    assert max(journals[len(journals) // 2 :]) <= 2 * max(journals[: len(journals) // 10])
    print(f"{BLOCKS} blocks, journals of at most {max(journals)} bytes, grown: {grown}")


def reached(hosts: list[Host], height: int) -> bool:
    return all(host.app.head.header.height >= height for host in hosts)


def sizes(host: Host) -> tuple[Size, ...]:
    assert host.machine is not None
    return (Size("pool", len(host.pool), 1_000), *host.machine.sizes())
