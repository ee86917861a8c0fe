"""A js-libp2p peer that speaks the documented protocol is served, and a stranger is not."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from node.keys import generate, load_key
from node.testnet import control

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
from whole_network import ROOT, SEEDS, Net, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("node") is None or shutil.which("npm") is None,
        reason="needs Node.js and npm; install them to run this test",
    ),
]

HERE = Path(__file__).parent
INSTALL_TIMEOUT_S = 300
SAYS_TIMEOUT_S = 60
GOSSIP_TRIES = 20


@pytest.fixture(scope="module")
def peer_program() -> Path:
    """peer.mjs beside its packages, which are installed once for each lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = ROOT / ".interop" / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "peer.mjs"):
        shutil.copyfile(HERE / name, folder / name)
    if not (folder / "installed").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(
            command, cwd=folder, check=True, timeout=INSTALL_TIMEOUT_S, capture_output=True
        )
        (folder / "installed").touch()
    return folder / "peer.mjs"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    folder = tmp_path_factory.mktemp("interop") / "net"
    try:
        control.up(folder, SEEDS / "consortium", 2, 1)
        yield Net(folder)
    finally:
        if (folder / "testnet.json").exists():
            control.down(folder)


class Said:
    """What a running peer has said, in order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._seen: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait(self, name: str, wanted: Any = lambda _: True) -> Any:
        """The first thing of this name that is as wanted, said already or within a minute."""
        found = self.heard(name, wanted, SAYS_TIMEOUT_S)
        if found is None:
            pytest.fail(f"the peer did not say {name}; it said {self._seen[-20:]}")
        return found

    def heard(self, name: str, wanted: Any, within_s: float) -> Any:
        """The same, or None after that time however much else the peer says."""
        until = time.monotonic() + within_s
        for said in self._seen:
            if name in said and wanted(said[name]):
                return said[name]
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                return None
            if line is None:
                assert self._process.stderr is not None
                pytest.fail(f"the peer ended without {name}: {self._process.stderr.read()[-2000:]}")
            said = json.loads(line)
            self._seen.append(said)
            if name in said and wanted(said[name]):
                return said[name]
        return None


@contextmanager
def running(program: Path, net: Net, seed: bytes, transaction: bytes) -> Iterator[Said]:
    given = {
        "address": net.layout.node("v0").p2p,
        "chain_id": net.layout.chain_id,
        "seed": seed.hex(),
        "genesis": net.layout.genesis,
        "transaction": transaction.hex(),
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(
        ["node", str(program)], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(given) + "\n")
            process.stdin.flush()
            yield Said(process)
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_a_js_libp2p_peer_written_from_the_formats_page_is_served(
    net: Net, peer_program: Path
) -> None:
    for _ in range(3):
        net.commit("v0")
    head = net.chain("v0")["head"]
    [theirs] = net.fresh(1)
    seed = load_key(Path(net.layout.node("o0").home) / "keys" / "node.key").seed
    with running(peer_program, net, seed, theirs.data) as said:
        assert said.wait("hello") == net.layout.chain_id
        status = said.wait("status")
        assert status == {"chain": net.layout.chain_id, "view": 0, "mode": "active", "head": 3}
        assert said.wait("pong") == "0011223344556677"
        blocks = said.wait("blocks")
        assert len(blocks) == 3
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            assert following is None or following["parent"] == block["digest"]
            names = ("height", "chain", "transactions", "validators", "certificate")
            assert all(block[name] for name in names), block
        assert blocks[-1]["digest"] == head
        assert said.wait("body") is True
        assert "no such request" in said.wait("refusal")
        assert said.wait("published") == 1
        wait_until(lambda: net.committed("v0", theirs), "what it gossiped is committed")
        control.kill(net.folder, "v1")  # what is committed at once is not gossiped any more
        assert _gossiped(net, said)["nonce"] == 8
        wait_until(lambda: net.chain("v0")["peers"] == 1, "only the js-libp2p peer is linked")
    control.start(net.folder, "v1")
    wait_until(lambda: net.chain("v0")["pending"] == 0, "what waited is committed")


def _gossiped(net: Net, said: Said) -> Any:
    """The chunk of a transaction that the peer gets. Gossip sends once, and not before the two
    have met in its mesh: a first chunk may be lost, one of the next is not."""
    for _ in range(GOSSIP_TRIES):
        [ours] = net.fresh(1)
        assert net.submitted("v0", ours)
        signed = ours.data.hex()
        chunk = said.heard("chunk", lambda chunk: signed in chunk["transactions"], 3)  # noqa: B023
        if chunk is not None:
            return chunk
    pytest.fail(f"none of {GOSSIP_TRIES} transactions came by gossip")


def test_the_same_peer_with_a_key_that_the_genesis_does_not_name_is_refused(
    net: Net, peer_program: Path
) -> None:
    height = net.chain("v0")["height"]
    with running(peer_program, net, generate("node").seed, b"nothing") as said:
        said.wait("refused")
    assert net.chain("v0")["height"] == height
    net.commit("v0")
