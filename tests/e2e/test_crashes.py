"""Nodes die by kill -9 under load; the chain goes on and forgets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_network import SEEDS, Load, Net, wait_until

from node.testnet import calls, control

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ALL_DIE_TIMES = 10


def _grows(net: Net, name: str, by: int = 3, timeout_s: float = 60.0) -> float:
    start = net.chain(name)["height"]
    return wait_until(lambda: net.chain(name)["height"] >= start + by, f"{name} commits", timeout_s)


def _votes_again(net: Net, name: str) -> bool:
    """Whether the newest certificate of another node holds this validator's commit."""
    index = net.validators.index(name)
    other = next(each for each in net.validators if each != name)
    block = calls.call(net.url(other), "block.get", height=net.chain(other)["height"])
    return index in [vote["replica"] for vote in block["certificate"]["votes"]]


@pytest.mark.parametrize("role", ["backup", "primary"])
def test_a_killed_validator_stops_nobody_and_votes_again_when_it_is_back(
    net: Net, role: str
) -> None:
    primary = net.validators[net.chain("v1")["primary"]]
    victim = primary if role == "primary" else next(n for n in net.validators if n != primary)
    others = [name for name in net.validators if name != victim]
    with Load(net, others, rate=50):
        _grows(net, others[0])
        control.kill(net.folder, victim)
        took = _grows(net, others[0], by=1)
        print(f"{took:.1f} s from the death of the {role} to the next commit")
        _grows(net, others[0])
        control.start(net.folder, victim)
        took = wait_until(lambda: _votes_again(net, victim), f"{victim} votes again")
        print(f"{took:.1f} s from its answer to its first vote that is counted")
    net.wait_agreement(net.validators)


def test_what_was_acknowledged_survives_the_death_of_all_nodes_at_once(net: Net) -> None:
    with Load(net, net.validators, rate=50) as load:
        for _ in range(ALL_DIE_TIMES):
            seen = len(load.acknowledged)
            wait_until(lambda seen=seen: len(load.acknowledged) > seen + 20, "commits go on")
            for name in net.validators:
                control.kill(net.folder, name)
            control.up(net.folder, SEEDS / "consortium")
    net.commit("v0")
    net.wait_agreement(net.validators)
    on_chain = net.transactions("v0")
    assert len(on_chain) == len(set(on_chain))
    assert load.acknowledged <= set(on_chain)
    control.down(net.folder)
    net.check_homes()


def test_a_validator_whose_chain_is_gone_fetches_it_and_votes_again_by_itself(net: Net) -> None:
    """As docs/operations.md says: the chain's folder is moved away, the journal stays."""
    others = [name for name in net.validators if name != "v3"]
    with Load(net, others, rate=20):
        _grows(net, "v3")
        control.kill(net.folder, "v3")
        home = Path(net.layout.node("v3").home)
        (home / "data" / "chain").rename(home / "chain.damaged")
        control.start(net.folder, "v3")
        wait_until(lambda: _votes_again(net, "v3"), "v3 has fetched the chain and votes again")
    net.wait_agreement(net.validators)
