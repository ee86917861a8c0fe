"""`kilochain bench state`: the figures belong to a tree of the size that was asked for."""

from __future__ import annotations

import json
import math

from one_node import run


def test_the_cost_is_measured_at_each_size_that_was_asked_for() -> None:
    shown = run("bench", "state", "--keys", "12000", "--json")
    assert shown.exit_code == 0, shown.stderr
    costs = json.loads(shown.stdout)
    assert [cost["keys"] for cost in costs] == [10_000, 12_000]
    for cost in costs:
        assert math.log2(cost["keys"]) < cost["siblings"] < math.log2(cost["keys"]) + 3
        assert 0 < cost["pages_written"] < 3
        assert cost["tree_us"] > 0
        assert cost["cpu_us"] > cost["tree_cpu_us"] > 0


def test_a_state_that_is_too_small_to_measure_is_refused() -> None:
    shown = run("bench", "state", "--keys", "10")
    assert shown.exit_code == 2
    assert "10000<=x" in shown.stderr
