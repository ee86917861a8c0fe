"""Links are cut and processes frozen; nobody commits without a quorum, all recover."""

from __future__ import annotations

import time

import pytest
from whole_network import Net, wait_until

from node.testnet import control

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_two_against_two_commit_nothing_and_go_on_after_healing(net: Net) -> None:
    net.commit("v0")
    net.wait_agreement(net.validators)
    height = net.chain("v0")["height"]
    control.partition(net.folder, "v0,v1/v2,v3")
    wait_until(lambda: net.chain("v0")["peers"] <= 1, "the links are down")
    left, right = net.fresh(2)
    assert net.submitted("v0", left)
    assert net.submitted("v2", right)
    time.sleep(8)  # several view change timers
    assert [net.chain(name)["height"] for name in net.validators] == [height] * 4
    assert net.status_of("v0", left) == "pooled"
    control.heal(net.folder)
    for signed in (left, right):
        wait_until(
            lambda signed=signed: all(net.committed(n, signed) for n in net.validators),
            "both sides' batches are committed everywhere",
            90,
        )
    net.wait_agreement(net.validators)


def test_a_validator_that_freezes_is_not_waited_for_and_catches_up(net: Net) -> None:
    net.commit("v0")
    control.pause(net.folder, "v3")
    for _ in range(5):
        net.commit("v0")
    time.sleep(7)  # longer than the others keep a silent link
    net.commit("v1")
    control.resume(net.folder, "v3")
    net.wait_agreement(net.validators)
