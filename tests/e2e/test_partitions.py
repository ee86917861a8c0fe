"""Links are cut and processes frozen; nobody commits without a quorum, all recover."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

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


FAULT_S = float(os.environ.get("KILOCHAIN_FAULT_SECONDS", "2"))  # that each fault lasts
Fault = Callable[[Net, str, str], None]  # of the network, its primary and another validator


def _ring(net: Net, primary: str, backup: str) -> None:
    """Each sees two neighbours, which with itself makes a quorum."""
    names = net.validators
    for one, other in zip(names[:2], names[2:], strict=True):
        control.partition(net.folder, f"{one}/{other}")


def _alone(net: Net, name: str) -> None:
    others = ",".join(each for each in net.validators if each != name)
    control.partition(net.folder, f"{name}/{others}")


def _deaf_in_a_ring(net: Net, primary: str, backup: str) -> None:
    names = net.validators
    control.deafen(net.folder, {n: [names[at - 1]] for at, n in enumerate(names)})


FAULTS: dict[str, Fault] = {
    "ring": _ring,
    "primary alone": lambda net, primary, backup: _alone(net, primary),
    "backup alone": lambda net, primary, backup: _alone(net, backup),
    "primary hears nobody": lambda net, primary, backup: control.deafen(
        net.folder, {primary: [each for each in net.validators if each != primary]}
    ),
    "nobody hears the primary": lambda net, primary, backup: control.deafen(
        net.folder, {each: [primary] for each in net.validators if each != primary}
    ),
    "a backup does not hear the primary": lambda net, primary, backup: control.deafen(
        net.folder, {backup: [primary]}
    ),
    "each is deaf to one": _deaf_in_a_ring,
    "primary frozen": lambda net, primary, backup: control.pause(net.folder, primary),
    "backup frozen": lambda net, primary, backup: control.pause(net.folder, backup),
}


def test_any_cut_or_freeze_that_leaves_a_quorum_stops_nobody_and_heals(net: Net) -> None:
    """One after the other on one network, which the next fault finds as the last one left it."""
    net.commit("v0")
    for name, fault in FAULTS.items():
        primary = net.validators[net.chain("v0")["primary"]]
        backup, witness = [each for each in net.validators if each != primary][1:]
        fault(net, primary, backup)
        during = wait_until(lambda w=witness: _commits(net, w), f"{name}: a commit", 90)
        time.sleep(FAULT_S)  # the fault itself
        if "frozen" in name:
            control.resume(net.folder, primary if "primary" in name else backup)
        control.heal(net.folder)
        after = wait_until(
            lambda p=primary, b=backup: _commits(net, p) and _commits(net, b),
            f"{name}: commits through all after healing",
            90,
        )
        net.wait_agreement(net.validators)
        print(f"{name}: {during:.1f} s to a commit during it, {after:.1f} s after healing")


def _commits(net: Net, name: str) -> bool:
    net.commit(name, 90)
    return True
