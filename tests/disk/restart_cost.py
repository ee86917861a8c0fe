"""How long a node with a long chain and a full journal takes to open.

Usage: restart_cost.py [TRANSACTIONS]. Makes a home whose chain has so many registrations, in blocks
of a thousand, and a journal as long as one gets before it is rewritten; then opens it three times.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from homes import BATCH, MEMBER, ROOT, opened

from consensus.messages import COMMIT, Certificate, Vote
from consensus.wire import encode_certificate, encode_vote
from ledger.chain import Chain
from ledger.codec import encode
from ledger.genesis import parse_genesis
from ledger.leveldb_store import LevelDBStore
from ledger.transactions import parse_transaction
from node.config import load_config
from node.journal import Journal
from node.keys import load_key
from node.limits import JOURNAL_COMPACT_BYTES
from node.testnet.build import build
from node.testnet.signing import sign_batch

IN_A_BLOCK = 1_000
VALID_FOR_MS = 3_600_000
CERTIFICATE = encode_certificate(Certificate(0, tuple((i, bytes(64)) for i in range(3))))


def fill(home: Path, member_key: Path, transactions: int) -> None:
    """Give a home its chain and its journal."""
    config, key = load_config(home), load_key(member_key)
    genesis = parse_genesis(config.genesis_path.read_bytes())
    config.chain_path.parent.mkdir()
    store = LevelDBStore(config.chain_path, create=True)
    chain = Chain.create(store, genesis)
    journal = Journal.create(config.journal_path)
    document, now_ms = json.loads(BATCH.read_text()), int(time.time() * 1000)
    for first in range(1, transactions + 1, IN_A_BLOCK):
        numbers = range(first, min(first + IN_A_BLOCK, transactions + 1))
        until = {"valid_until_ms": now_ms + VALID_FOR_MS}
        signed = [
            sign_batch({**document, "batch_no": each}, genesis.chain_id, MEMBER, key, **until)
            for each in numbers
        ]
        lot = [parse_transaction(each.data) for each in signed]
        executed, refused = chain.build(lot, now_ms + chain.head.height + 1, 0)
        assert executed is not None, refused
        chain.append(executed, CERTIFICATE, journal.last_record)
        digest = executed.block.digest
        vote = Vote(COMMIT, 0, chain.head.height, digest, bytes(32), bytes(64))
        if journal.bytes_written < JOURNAL_COMPACT_BYTES - 2 * len(executed.block.data):
            frame = encode_vote(genesis.chain_id, vote)
            journal.append([encode(["body", executed.block.data]), encode(["vote", frame])])
            journal.sync()
    size = journal.bytes_written
    journal.close()
    store.close()
    print(f"{chain.head.height} blocks, {transactions} transactions, a journal of {size} bytes")


def main(transactions: int) -> None:
    """Make the home and measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = build(folder, ROOT / "seeds" / "consortium", 4, 0)
        home = Path(layout.nodes[0].home)
        member_key = next(Path(each.key) for each in layout.members if each.code == MEMBER)
        began = time.perf_counter()
        fill(home, member_key, transactions)
        print(f"made in {time.perf_counter() - began:.0f} s")
        for _ in range(3):
            began = time.perf_counter()
            with opened(home) as node:
                took = time.perf_counter() - began
                print(f"opened in {took:.2f} s: height {node.chain.head.height}")
        began = time.perf_counter()
        Journal.open(load_config(home).journal_path).close()
        print(f"the journal alone is read in {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
