"""Images of a validator's home as power cuts leave it, from what a real one wrote.

Each image is opened as a node opens its home. Then the chain has every block that was durable
before the cut and no other bytes, and the validator votes, bound by every vote that it had sent.
Where a file grew before its bytes arrived, it may also refuse, or observe, and say why.
KILOCHAIN_CUTS: how many images; KILOCHAIN_SEED: of the first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from homes import RecordedNetwork, copy_without_data, opened, recorded_network
from recording import Image, Operation, images, read_recording, write_files

from consensus.interface import Now, Send, SendToAll
from consensus.messages import Vote
from consensus.wire import decode_frame, vote_bytes
from ledger.errors import StoreCorrupted
from ledger.leveldb_store import LevelDBStore
from node.guard import DoubleSign
from node.journal import scan
from node.node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
CUTS = int(os.environ.get("KILOCHAIN_CUTS", "500"))
FIRST_SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))
BLOCKS = 50
JOURNAL = "data/journal/votes"
EVERYTHING = 10**9
OTHER = hashlib.sha256(b"another block").digest()


@dataclass
class Recording:
    """What v0 did, and every entry of its store after each block, by height."""

    network: RecordedNetwork
    spare: Path

    def __post_init__(self) -> None:
        self.operations, self.frames = read_recording(self.network.record)
        self.home = self.network.home("v0")
        self.writes = [each for each in self.operations if each.what == "write"]
        self.contents = [self._content(each) for each in self.writes]

    def _content(self, operation: Operation) -> dict[bytes, bytes]:
        write_files(self.spare, operation.after)
        store = LevelDBStore(self.spare / "data" / "chain", create=False)
        found = dict(store.scan(b"", b"", EVERYTHING))
        store.close()
        shutil.rmtree(self.spare)
        return found

    def heights(self, image: Image) -> range:
        """The heights that the chain may have after a cut."""
        place = self.operations.index(image.operation)
        written = sum(each.what == "write" for each in self.operations[:place])
        block = image.operation.what == "write"
        least = written - 1 + (block and image.whole)
        return range(max(0, least), max(0, written - 1 + block) + 1)

    def sent_votes(self, image: Image, node: Node) -> dict[tuple[str, int, int], Vote]:
        """The own votes that had left before the operation that was cut began."""
        place = self.operations.index(image.operation)
        count = self.operations[place - 1].sent if place else 0
        found = {}
        for frame in self.frames[:count]:
            message = _read(node, frame)
            if isinstance(message, Vote) and message.sender == _key(node):
                found[message.kind, message.view, message.height] = message
        return found


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    folder = tmp_path_factory.mktemp("power")
    with recorded_network(folder / "net", BLOCKS) as network:
        yield Recording(network, folder / "spare")


def _read(node: Node, frame: bytes) -> object:
    return decode_frame(frame, node.genesis.chain_id, node._environment.read_header)


def _key(node: Node) -> bytes:
    assert node._identity.voting is not None
    return node._identity.voting.public


def _outcome(recording: Recording, image: Image, home: Path) -> str:
    copy_without_data(recording.home, home)
    write_files(home, image.files)
    try:
        with opened(home) as node:
            assert node.chain.head.height in recording.heights(image)
            stored = dict(node._store.scan(b"", b"", EVERYTHING))
            assert stored == recording.contents[node.chain.head.height]
            if image.zeros and node._observe is not None:
                assert str(home / JOURNAL) in node._observe
                return "observes"
            _judge_promises(recording, image, node)
            return "votes"
    except StoreCorrupted as error:
        told = str(error)
    assert image.zeros, image.said
    assert str(home / "data" / "chain") in told
    return "refuses"


def _judge_promises(recording: Recording, image: Image, node: Node) -> None:
    durable = image.operation.before.get(JOURNAL)
    assert node._observe is None
    assert node._journal is not None
    assert node._journal.last_record >= (scan(durable)[1] if durable else 0)
    sent = recording.sent_votes(image, node)
    for kind, view, height in sent:
        message = vote_bytes(node.genesis.chain_id, kind, view, height, OTHER)
        with pytest.raises(DoubleSign):
            node._environment.guard.check(message)
    for send in node.driver.replica.resume(Now(0, 0)).send:
        if isinstance(send, Send | SendToAll):
            again = _read(node, send.data)
            if isinstance(again, Vote):
                assert sent.get((again.kind, again.view, again.height), again) == again


def test_after_any_power_cut_the_chain_is_there_and_no_vote_is_forgotten(
    recording: Recording, tmp_path: Path
) -> None:
    kinds = Counter(each.what for each in recording.operations)
    assert kinds["compact"] > 0, "the journal was never rewritten"
    moved = [name for each in recording.writes for name in each.after if name.endswith(".ldb")]
    assert moved, "LevelDB never wrote a table"
    outcomes: Counter[str] = Counter()
    for seed, image in images(recording.operations, range(FIRST_SEED, FIRST_SEED + CUTS)):
        home = tmp_path / f"cut-{seed}"
        try:
            outcomes[_outcome(recording, image, home)] += 1
        except BaseException:
            print(f"KILOCHAIN_SEED={seed} KILOCHAIN_CUTS=1: {image.said}")
            raise
        shutil.rmtree(home)
    print(f"{len(recording.frames)} frames sent, operations {dict(kinds)}: {dict(outcomes)}")
    assert outcomes["votes"] > CUTS // 2
