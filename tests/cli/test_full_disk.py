"""A real node on a disk that fills up: it stops, says which file, and has lost nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from one_node import OneNode, make
from producer import Producer

from node.testnet import calls

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SMALL_BYTES, ROOMY_BYTES = 512 << 10, 64 << 20
IN_ONE_BLOCK = 20
TIMEOUT_S = 60.0


@contextmanager
def _small_filesystem(place: Path) -> Iterator[list[str]]:
    """How to run a command for which `place` is a small file system; skips where not allowed."""
    place.mkdir(parents=True)
    script = f'mount -t tmpfs -o size={SMALL_BYTES} small "$0" && echo ready && exec sleep 600'
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("unshare and nsenter are not here")
    command = ["unshare", "-m", "sh", "-c", script, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as holder:
        assert holder.stdout is not None
        try:
            if holder.stdout.readline() != b"ready\n":
                pytest.skip("this user may not mount")
            yield ["nsenter", "-m", "-t", str(holder.pid)]
        finally:
            holder.kill()


@contextmanager
def _running(node: OneNode, inside: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """The node as a process; it may end whenever it likes."""
    with _log(node).open("wb") as log:
        process = subprocess.Popen(
            [*inside, *calls.command("start", "--home", str(node.home))],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while not calls.ready(node.url):
            assert process.poll() is None, _log(node).read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _log(node: OneNode) -> Path:
    return node.home.parent / "node.log"


def _until_it_ends(producer: Producer, process: subprocess.Popen[bytes]) -> str:
    """Register until the node is gone; what it said."""
    deadline = time.monotonic() + TIMEOUT_S
    while producer.register(IN_ONE_BLOCK) and time.monotonic() < deadline:
        pass
    assert process.wait(10) == 1
    return _log(producer.node).read_text()


@pytest.mark.parametrize("part", ["journal", "chain"])
def test_a_disk_that_is_full_stops_the_node_and_more_room_brings_it_back(
    tmp_path: Path, part: str
) -> None:
    node = make(tmp_path)
    producer = Producer(node)
    place = node.home / "data" / part
    with _small_filesystem(place) as inside:
        with _running(node, inside) as process:
            said = _until_it_ends(producer, process)
        assert "No space left on device" in said
        assert str(place) in said
        assert "free or repair the disk, then start again" in said
        assert len(producer.acknowledged) > IN_ONE_BLOCK
        more = ["mount", "-o", f"remount,size={ROOMY_BYTES}", str(place)]
        subprocess.run([*inside, *more], check=True)
        with _running(node, inside):
            assert producer.forgotten() == []
            before = len(producer.acknowledged)
            assert producer.register(IN_ONE_BLOCK)
            assert len(producer.acknowledged) == before + IN_ONE_BLOCK


def test_a_disk_without_room_for_a_start_is_named(tmp_path: Path) -> None:
    node = make(tmp_path)
    with _small_filesystem(tmp_path / "full") as inside:
        home = tmp_path / "full" / "home"
        fill = 'cp -r "$0" "$1" && head -c 100000000 /dev/zero > "$1/ballast"'
        subprocess.run(
            [*inside, "sh", "-c", fill, str(node.home), str(home)],
            stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        command = [*inside, *calls.command("start", "--home", str(home))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert str(home) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_may_not_grow_stops_the_node_as_well(tmp_path: Path) -> None:
    node = make(tmp_path)
    producer = Producer(node)

    limited = ["sh", "-c", 'ulimit -f 1024; exec "$0" "$@"']  # half a MiB, or one in bash
    with _running(node, limited) as process:
        said = _until_it_ends(producer, process)
    assert "File too large" in said
    assert str(node.home / "data") in said
    with _running(node):
        assert producer.forgotten() == []
        assert producer.register(IN_ONE_BLOCK)
