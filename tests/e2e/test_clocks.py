"""A validator whose clock is an hour wrong: the others go on, and no wrong time is committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from whole_network import SEEDS, Load, Net, wait_until

from node.config import load_config, render_config
from node.testnet import calls, control
from node.testnet.build import build

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
HOUR_MS = 60 * 60 * 1000
AHEAD_MAX_MS = 2_000  # docs/fault_model.md: of a block's time before who prepares it
BLOCKS = 10


@pytest.fixture(params=[HOUR_MS, -HOUR_MS], ids=["an hour ahead", "an hour behind"])
def skewed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Net]:
    """Four validators; the first primary's clock is wrong from the beginning."""
    folder = tmp_path / "net"
    folder.mkdir()
    home = Path(build(folder, SEEDS / "consortium", 4, 0).node("v0").home)
    config = load_config(home)
    wrong = replace(config, testnet=replace(config.testnet, clock_offset_ms=request.param))
    (home / "config.toml").write_text(render_config(wrong))
    try:
        control.up(folder, SEEDS / "consortium")
        yield Net(folder)
    finally:
        control.down(folder)


def test_one_wrong_clock_of_four_has_no_effect(skewed: Net) -> None:
    net = skewed
    assert net.chain("v1")["primary"] == 0
    with Load(net, net.validators, rate=20) as load:
        took = wait_until(lambda: net.chain("v1")["height"] > 0, "a first commit")
        wait_until(lambda: net.chain("v1")["height"] >= BLOCKS, "commits go on")
        control.kill(net.folder, "v0")
        control.start(net.folder, "v0")
        seen = net.chain("v1")["height"]
        wait_until(lambda: net.chain("v0")["height"] > seen + 3, "v0 follows after a restart")
    net.commit("v2")
    net.wait_agreement(net.validators)
    times = _block_times(net)
    assert times == sorted(set(times))
    assert times[-1] <= time.time() * 1000 + AHEAD_MAX_MS
    assert load.acknowledged <= set(net.transactions("v2"))
    print(f"{took:.1f} s to the first commit, {len(times)} blocks, view {net.chain('v1')['view']}")
    control.down(net.folder)
    net.check_homes()


def _block_times(net: Net) -> list[int]:
    heights = range(1, net.chain("v1")["height"] + 1)
    blocks = [calls.call(net.url("v1"), "block.get", height=height) for height in heights]
    return [int(block["header"]["time_ms"]) for block in blocks]
