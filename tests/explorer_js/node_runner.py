"""Node, where it is here, and the mark of the tests that need it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

NODE = shutil.which("node")
NODE_MAJOR_MIN = 20


def node_major() -> int:
    """The major version of Node here, 0 without it."""
    if NODE is None:
        return 0
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.strip().removeprefix("v").split(".")[0])


needs_node = pytest.mark.skipif(
    node_major() < NODE_MAJOR_MIN, reason=f"Node {NODE_MAJOR_MIN} or newer is not here"
)
