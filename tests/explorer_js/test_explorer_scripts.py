"""The scripts that the explorer serves, tested by Node's own test runner."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from node_runner import NODE, needs_node

HERE = Path(__file__).parent
RUN_S_MAX = 300


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_every_test_of_the_scripts_passes(path: Path) -> None:
    assert NODE is not None
    command = [NODE, "--no-warnings", "--test", "--test-reporter=tap", str(path)]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S_MAX, check=False, cwd=HERE
    )
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
    passed = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed.group(1)) > 0
