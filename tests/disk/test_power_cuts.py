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
from pathlib import Path

import pytest
from homes import copy_without_data, opened
from recorded_run import EVERYTHING, RecordedRun, read_frame
from recording import Image, images, write_files

from consensus.interface import Now, Send, SendToAll
from consensus.messages import Vote
from consensus.wire import vote_bytes
from ledger.errors import StoreCorrupted
from node.guard import DoubleSign
from node.journal import scan
from node.node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
CUTS = int(os.environ.get("KILOCHAIN_CUTS", "500"))
FIRST_SEED = int(os.environ.get("KILOCHAIN_SEED", "0"))
JOURNAL = "data/journal/votes"
OTHER = hashlib.sha256(b"another block").digest()


def _outcome(recording: RecordedRun, image: Image, home: Path) -> str:
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


def _judge_promises(recording: RecordedRun, image: Image, node: Node) -> None:
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
            again = read_frame(node, send.data)
            if isinstance(again, Vote):
                assert sent.get((again.kind, again.view, again.height), again) == again


def test_after_any_power_cut_the_chain_is_there_and_no_vote_is_forgotten(
    recording: RecordedRun, tmp_path: Path
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
