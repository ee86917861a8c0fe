"""`kilochain check`: a chain that a real node wrote, and the same with one thing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from one_node import OneNode, batch, make, run, said

from ledger.leveldb_store import LevelDBStore

BLOCKS = 3


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> OneNode:
    """A home whose node has committed a few blocks and ended."""
    folder = tmp_path_factory.mktemp("written")
    made = make(folder)
    with made.running():
        for number in range(1, BLOCKS + 1):
            given = ("--key", made.key, "--wait", "--rpc", made.url)
            said("batch", "register", batch(number, folder), *given)
    return made


@pytest.fixture
def copy(written: OneNode, tmp_path: Path) -> OneNode:
    """The same in a folder that a test may spoil."""
    shutil.copytree(written.home, tmp_path / "v0")
    return replace(written, home=tmp_path / "v0")


@pytest.mark.e2e
def test_a_chain_that_a_node_wrote_is_right(copy: OneNode) -> None:
    found = said("check", "--home", copy.home)
    assert found["height"] == BLOCKS
    shown = run("check", "--home", copy.home)
    assert shown.exit_code == 0
    assert found["head"] in shown.stdout


def _turn(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("prefix", "change", "said_of"),
    [
        (b"b" + (2).to_bytes(8, "big"), _turn, "height 2"),
        (b"c" + (1).to_bytes(8, "big"), _turn, "height 1"),
        (b"c" + (1).to_bytes(8, "big"), lambda value: None, "height 1"),
        (b"s", _turn, "the state"),
        (b"p", _turn, "the state tree"),
        (b"p", lambda value: None, "the state tree"),
        (b"t", lambda value: None, "the index of transactions"),
        (b"mgenesis", _turn, "genesis"),
        (b"mhead", lambda value: value[: len(value) // 2], "the head does not read"),
    ],
)
def test_one_changed_thing_is_named(
    copy: OneNode, prefix: bytes, change: Callable[[bytes], bytes | None], said_of: str
) -> None:
    with closing(LevelDBStore(copy.home / "data" / "chain", create=False)) as store:
        value = store.get(prefix)
        found = [(prefix, value)] if value is not None else store.scan(prefix, prefix, 1)
        store.write([(key, change(value)) for key, value in found])
    shown = run("check", "--home", copy.home)
    assert shown.exit_code == 5
    assert said_of in shown.stderr
    assert shown.stdout == ""


@pytest.mark.e2e
def test_a_damaged_file_does_not_verify(copy: OneNode) -> None:
    logs = sorted((copy.home / "data" / "chain").glob("*.log"))
    tables = sorted((copy.home / "data" / "chain").glob("*.ldb"))
    for path in [*logs, *tables]:
        data = bytearray(path.read_bytes())
        if data:
            data[len(data) // 2] ^= 0xFF
            path.write_bytes(bytes(data))
    assert run("check", "--home", copy.home).exit_code == 5


def test_a_home_without_a_chain_has_nothing_to_check(tmp_path: Path) -> None:
    made = make(tmp_path)
    shown = run("check", "--home", made.home)
    assert shown.exit_code == 1
    assert "no chain yet" in shown.stderr


def test_a_folder_that_is_no_home_says_what_makes_one(tmp_path: Path) -> None:
    shown = run("check", "--home", tmp_path)
    assert shown.exit_code == 1
    assert "kilochain init" in shown.stderr
