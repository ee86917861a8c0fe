"""`kilochain verifier` writes the page that nodes give; JavaScript verifies what a node proves."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from one_node import BATCH, MEMBER, OneNode, run, said

from ledger.identifiers import format_id
from node.explorer.verifier_page import verifier_page

TESTS = Path(__file__).parents[1]
VERDICTS = TESTS / "explorer_js" / "verdicts.mjs"
VECTORS: dict[str, Any] = json.loads((TESTS / "vectors" / "passports.json").read_text())
NODE = shutil.which("node")
RUN_S_MAX = 60


def test_the_page_is_that_of_the_nodes_and_is_never_overwritten(tmp_path: Path) -> None:
    genesis, page = tmp_path / "genesis.json", tmp_path / "verifier.html"
    genesis.write_text(VECTORS["genesis"]["n4"])
    asked = ("verifier", "--genesis", genesis, "-o", page)
    found = said(*asked)
    assert page.read_bytes() == verifier_page(genesis.read_bytes())
    assert found["sha256"] == hashlib.sha256(page.read_bytes()).hexdigest()
    assert base64.b64encode(genesis.read_bytes()) in page.read_bytes()
    again = run(*asked)
    assert again.exit_code == 1
    assert "verifier.html" in again.stderr
    page.unlink()
    shown = run(*asked).stdout
    assert found["sha256"] in shown
    assert found["genesis"] in shown


def test_what_is_no_genesis_makes_no_page(tmp_path: Path) -> None:
    genesis, page = tmp_path / "genesis.json", tmp_path / "verifier.html"
    genesis.write_text("{}")
    found = run("verifier", "--genesis", genesis, "-o", page)
    assert found.exit_code == 1
    assert "E_GENESIS" in found.stderr
    assert not page.exists()


@pytest.mark.e2e
@pytest.mark.skipif(NODE is None, reason="Node is not here")
@pytest.mark.parametrize("current", [True, False])
def test_passports_of_a_real_node_hold_in_javascript(
    node: OneNode, tmp_path: Path, current: bool
) -> None:
    assert NODE is not None
    run("batch", "register", BATCH, "--key", node.key, "--wait", "--rpc", node.url)
    number, units = (json.loads(BATCH.read_text())[name] for name in ("batch_no", "units"))
    numbers = ((number, 0), (number, 1), (number, units), (number, units + 1), (4_000_000, 1))
    lines, more = [], ["--current"] if current else []
    for batch_no, serial in numbers:
        path = tmp_path / f"{batch_no}-{serial}.json"
        made = run(
            "proof", format_id(MEMBER, batch_no, serial), "-o", path, "--rpc", node.url, *more
        )
        assert made.exit_code == 0, made.stderr
        files = {"genesis": node.genesis, "passport": path}
        case = {name: base64.b64encode(each.read_bytes()).decode() for name, each in files.items()}
        lines.append(json.dumps(case) + "\n")
    told = subprocess.run(
        [NODE, "--no-warnings", str(VERDICTS)],
        input="".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=RUN_S_MAX,
    )
    assert told.stdout.split() == ["holds"] * len(numbers)
