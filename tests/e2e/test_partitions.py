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
    for name in net.validators:
        wait_until(lambda name=name: net.chain(name)["peers"] == 1, "the links are down")
    left, right = net.fresh(2)
    assert net.submitted("v0", left)
    assert net.submitted("v2", right)
    time.sleep(8)  # several view change timers
    for name in net.validators:
        said = net.chain(name)
        assert (said["height"], said["ready"]) == (height, False)
        assert said["reason"] == "2 of the 3 validators that a commit needs"
    assert (net.status_of("v0", left), net.status_of("v2", right)) == ("pooled", "pooled")
    control.heal(net.folder)
    began = time.monotonic()
    for signed in (left, right):
        wait_until(
            lambda signed=signed: all(net.committed(n, signed) for n in net.validators),
            "both sides' batches are committed everywhere",
        )
    print(f"{time.monotonic() - began:.1f} s from healing to the commits of both sides")
    net.wait_agreement(net.validators)


def test_a_validator_that_freezes_is_not_waited_for_and_catches_up(net: Net) -> None:
    net.commit("v0")
    control.pause(net.folder, "v3")
    for _ in range(5):
        net.commit("v0")
    time.sleep(15)  # the others give a silent link up long before
    net.commit("v1")
    control.resume(net.folder, "v3")
    took = wait_until(lambda: net.agree(net.validators), "v3 catches up")
    print(f"{took:.1f} s to catch up after 15 s without a breath")
