"""Two hundred batches through four doors end on one chain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from whole_network import Net, wait_until

from node.testnet import control, demo

pytestmark = pytest.mark.e2e
BATCHES = 200


def test_batches_sent_at_once_through_all_nodes_are_committed_once_and_alike(net: Net) -> None:
    signed = net.fresh(BATCHES)
    names = net.validators
    with ThreadPoolExecutor(len(names)) as pool:
        parts = [signed[i :: len(names)] for i in range(len(names))]
        list(pool.map(demo.submit, [net.url(name) for name in names], parts))
    demo.wait_committed(net.url("v0"), signed)
    net.wait_agreement(names)
    assert sorted(net.transactions("v0")) == sorted(each.tx_id.hex() for each in signed)
    assert net.transactions("v3") == net.transactions("v0")
    assert control.down(net.folder) == len(names)
    net.check_homes()


def test_sending_a_committed_batch_again_gives_its_status_and_changes_nothing(net: Net) -> None:
    signed = net.commit("v0")
    height = net.chain("v0")["height"]
    assert net.submitted("v1", signed)
    wait_until(lambda: net.committed("v1", signed), "v1 knows it as committed")
    assert net.chain("v0")["height"] == height
