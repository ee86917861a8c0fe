"""Random damage to any file of a validator's home: a right answer, or a reason, never a wrong one.

KILOCHAIN_DAMAGES: how many; KILOCHAIN_SEED: of the first.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from damage import Truth, damage, outcome
from homes import RecordedNetwork, opened, wait_until
from recorded_run import RecordedRun

from node.config import ConfigError, load_config
from node.testnet import calls
from node.testnet.errors import TestnetError

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
DAMAGES = int(os.environ.get("KILOCHAIN_DAMAGES", "300"))
FIRST_SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))
PROCESSES = 8


@pytest.fixture
def network(recording: RecordedRun) -> Iterator[RecordedNetwork]:
    """The network, all of whose nodes end with the test."""
    yield recording.network
    for name in list(recording.network.processes):
        recording.network.stop(name)


def test_a_node_with_a_damaged_file_answers_right_or_says_what_to_do(
    recording: RecordedRun, tmp_path: Path
) -> None:
    outcomes: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + DAMAGES):
        copy = tmp_path / f"damaged-{seed}"
        shutil.copytree(recording.whole, copy)
        done = damage(copy, random.Random(seed))
        files[done.file.split("/")[-1].split(".")[-1]] += 1
        try:
            outcomes[outcome(copy, done, recording.truth)] += 1
        except BaseException:
            print(f"KILOCHAIN_SEED={seed} KILOCHAIN_DAMAGES=1: {done.said}")
            raise
        shutil.rmtree(copy)
    print(dict(outcomes), dict(files))
    assert outcomes["stops"] > 0


def _lose_newest_blocks(home: Path) -> None:
    """The end of LevelDB's log, as a disk that lied about a sync may lose it."""
    log = max((home / "data" / "chain").glob("*.log"))
    data = log.read_bytes()
    log.write_bytes(data[: len(data) // 2])


def test_a_chain_that_lost_its_newest_blocks_gets_them_back_and_votes_again(
    network: RecordedNetwork,
) -> None:
    names = [entry.name for entry in network.layout.nodes]
    _lose_newest_blocks(network.home("v2"))
    with opened(network.home("v2")) as node:
        assert node._observe is not None
        assert "votes when it has caught up" in node._observe
        lost_at = node.chain.head.height
    for name in names:
        network.start(name)
    network.ready(names)
    network.processes["v3"].send_signal(signal.SIGKILL)  # now nothing commits without v2
    network.processes.pop("v3").wait()
    network.commit(1, "v1", "v2")
    assert _height(network, "v2") > lost_at


def test_a_chain_that_is_moved_away_is_fetched_again_before_anything_is_signed(
    network: RecordedNetwork,
) -> None:
    names = [entry.name for entry in network.layout.nodes]
    chain = network.home("v1") / "data" / "chain"
    chain.rename(chain.with_name("chain.damaged"))
    for name in names:
        network.start(name)
    network.ready(names)
    assert _height(network, "v1") == _height(network, "v2")


def _height(network: RecordedNetwork, name: str) -> int:
    return int(calls.call(network.layout.node(name).rpc, "chain.status")["height"])


def test_damaged_nodes_as_processes_in_a_network_answer_right_or_stop(
    recording: RecordedRun, network: RecordedNetwork, tmp_path: Path
) -> None:
    """Each damage is to v3 while the others run; what it says is compared with the truth."""
    kept = tmp_path / "kept"
    shutil.copytree(network.home("v3"), kept)
    outcomes: Counter[str] = Counter()
    for name in ("v0", "v1", "v2"):
        network.start(name)
    network.ready(["v0", "v1", "v2"])
    for seed in range(FIRST_SEED, FIRST_SEED + PROCESSES):
        home = network.home("v3")
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        done = damage(home, random.Random(seed))
        outcomes[_as_process(network, recording.truth, done.said)] += 1
    print(dict(outcomes))


def _as_process(network: RecordedNetwork, truth: Truth, said: str) -> str:
    (network.home("v3") / "node.log").unlink(missing_ok=True)
    network.start("v3")
    process = network.processes["v3"]
    last, answering = len(truth.blocks) - 1, f"v3 starts or ends ({said})"
    wait_until(lambda: process.poll() is not None or _reached(network, last), answering)
    if process.poll() is not None:
        del network.processes["v3"]
        told = (network.home("v3") / "node.log").read_text()
        assert process.returncode in (1, 5), told
        assert str(network.home("v3")) in told or "config.toml" in told, f"{said}: {told}"
        return "stops"
    url = _url(network)
    for text, record in list(truth.records.items())[::20]:
        answer = calls.call_many(url, "id.lookup", [{"id": text}])[0]
        found = answer.get("result")
        if found is None:
            assert answer["error"]["data"]["code"] == "E_CORRUPTED", f"{said}: {answer}"
        else:
            assert {key: found[key] for key in record} == record, f"{said}: {answer}"
    network.stop("v3")
    return "answers right"


def _url(network: RecordedNetwork) -> str:
    """Where v3 listens now: the damage may have been to its settings."""
    return f"http://{load_config(network.home('v3')).rpc.listen}"


def _reached(network: RecordedNetwork, height: int) -> bool:
    try:
        return int(calls.call(_url(network), "chain.status")["height"]) >= height
    except (TestnetError, ConfigError):
        return False
