"""A recorded validator's run as a whole: operations, frames, and what its chain held when."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from damage import Truth, truth_of
from homes import RecordedNetwork
from recording import Image, Operation, read_recording, write_files

from consensus.messages import Vote
from consensus.wire import decode_frame
from ledger.leveldb_store import LevelDBStore
from node.node import Node

EVERYTHING = 10**9


@dataclass
class RecordedRun:
    """What v0 did, and every entry of its store after each block, by height."""

    network: RecordedNetwork
    spare: Path

    def __post_init__(self) -> None:
        self.operations, self.frames = read_recording(self.network.record)
        self.home = self.network.home("v0")
        self.whole = self.spare.with_name("whole")
        shutil.copytree(self.home, self.whole)
        self.writes = [each for each in self.operations if each.what == "write"]
        self.contents = [self._content(each) for each in self.writes]
        self.truth = self._truth()

    def _truth(self) -> Truth:
        shutil.copytree(self.home, self.spare)
        found = truth_of(self.spare, next(self.network.numbers) - 1)
        shutil.rmtree(self.spare)
        return found

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
            message = read_frame(node, frame)
            if isinstance(message, Vote) and message.sender == voting_key(node):
                found[message.kind, message.view, message.height] = message
        return found


def read_frame(node: Node, frame: bytes) -> object:
    """A consensus frame as the node reads it."""
    return decode_frame(frame, node.genesis.chain_id, node._environment.read_header)


def voting_key(node: Node) -> bytes:
    """The public half of the key that votes."""
    assert node._identity.voting is not None
    return node._identity.voting.public
