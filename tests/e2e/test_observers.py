"""A node without a vote follows the chain and answers for it."""

from __future__ import annotations

import pytest
from whole_network import SEEDS, Load, Net, wait_until

from node.testnet import calls, control, demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_an_observer_catches_up_under_load_serves_and_goes_on_after_a_restart(net: Net) -> None:
    samples = demo.register_batches(net.folder, SEEDS / "batches")
    with Load(net, net.validators, rate=50) as load:
        wait_until(lambda: len(load.acknowledged) > 50, "some history")
        control.start(net.folder, "o0")
        target = net.chain("v0")["height"]
        wait_until(lambda: net.chain("o0")["height"] >= target, "the observer catches up")
        control.kill(net.folder, "o0")
        reached = net.chain("v0")["height"]
        control.start(net.folder, "o0")
        wait_until(lambda: net.chain("o0")["height"] > reached, "it goes on after a restart")
    net.wait_agreement([*net.validators, "o0"])
    status = net.chain("o0")
    assert status["replica"] is None
    record = calls.call(net.url("o0"), "id.lookup", id=demo.kilogram_of(samples[0]))
    assert record["batch"]
