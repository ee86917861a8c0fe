"""Each planted fault is found: a fault that survives is a hole in the tests.

The packages and their tests are copied, one line is broken, and the tests that should find it run
until the first failure. That they pass unbroken is shown by the rest of this suite. A run tries a
third of the faults; with KILOCHAIN_BANK=all, as the campaign has it, every one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest
from faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
COPIED = ("consensus", "ledger", "node", "seeds", "tests", "docs")
SIDE_BY_SIDE = 2
THIRDS = 3
TIMEOUT_S = 300
FOUND, ASTRAY = 1, 99  # exit codes: a test failed; another copy of the packages was imported

RUN = f"""
import pathlib, sys, pytest, consensus, ledger, node
here = pathlib.Path.cwd()
if not all(here in pathlib.Path(each.__file__).parents for each in (consensus, ledger, node)):
    sys.exit({ASTRAY})
sys.exit(pytest.main(sys.argv[1:]))
"""


def plant(fault: Fault, tree: Path) -> None:
    path = tree / fault.file
    text = path.read_text()
    assert text.count(fault.old) == 1, f"{fault.name}: not exactly once in {fault.file}"
    path.write_text(text.replace(fault.old, fault.new))


def outcome(fault: Fault, tree: Path) -> int:
    """The exit code of the tests that should find `fault`, which is then mended again."""
    plant(fault, tree)
    arguments = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not e2e",
        *fault.found_by,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", RUN, *arguments]
    try:
        return subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return FOUND
    finally:
        shutil.copyfile(ROOT / fault.file, tree / fault.file)


def copied(tree: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "bank", "e2e")
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", tree / "pyproject.toml")
    return tree


def test_there_are_enough_faults_and_each_has_a_name() -> None:
    assert len(FAULTS) >= 40
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fits_the_line_that_it_breaks(fault: Fault) -> None:
    text = (ROOT / fault.file).read_text()
    assert text.count(fault.old) == 1
    compile(text.replace(fault.old, fault.new), fault.file, "exec")


def in_turn() -> list[Fault]:
    """All faults, or a third of them: another one whenever the sources change."""
    if os.environ.get("KILOCHAIN_BANK") == "all":
        return list(FAULTS)
    sources = sorted(each for name in COPIED[:3] for each in (ROOT / name).rglob("*.py"))
    turn = sum(zlib.crc32(each.read_bytes()) for each in sources) % THIRDS
    return list(FAULTS[turn::THIRDS])


@pytest.mark.slow
def test_every_planted_fault_is_found(tmp_path: Path) -> None:
    trees: SimpleQueue[Path] = SimpleQueue()
    for number in range(SIDE_BY_SIDE):
        trees.put(copied(tmp_path / f"tree{number}"))

    def run(fault: Fault) -> tuple[str, int]:
        tree = trees.get()
        try:
            return fault.name, outcome(fault, tree)
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = dict(pool.map(run, in_turn()))
    survivors = [f"{name} (exit code {code})" for name, code in results.items() if code != FOUND]
    assert not survivors, "\n".join(survivors)
