"""The scripts that the explorer serves, tested by Node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")
NODE_MAJOR_MIN = 20
RUN_S_MAX = 300


def node_major() -> int:
    """The major version of Node here, 0 without it."""
    if NODE is None:
        return 0
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.strip().removeprefix("v").split(".")[0])


needs_node = pytest.mark.skipif(
    node_major() < NODE_MAJOR_MIN, reason=f"Node {NODE_MAJOR_MIN} or newer is not here"
)


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_every_test_of_the_scripts_passes(path: Path) -> None:
    assert NODE is not None
    command = [NODE, "--no-warnings", "--test", str(path)]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S_MAX, check=False, cwd=HERE
    )
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
    assert "# pass 0" not in ran.stdout
