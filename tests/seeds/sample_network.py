"""A small network of the sample consortium, in memory: the real ledger with real signatures."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.blocks import parse_block
from ledger.chain import Chain, ExecutedBlock
from ledger.codec import encode, signing_bytes
from ledger.genesis import Genesis, build_from_documents, parse_genesis
from ledger.store import MemoryStore
from ledger.transactions import Transaction, parse_transaction
from node.keys import KeyFile, from_seed, verify

SEEDS = Path(__file__).parents[2] / "seeds"
GENESIS_TIME_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, after every production date
BLOCK_TIME_MS = GENESIS_TIME_MS + 60_000
VALID_FOR_MS = 3_600_000
BATCHES = sorted((SEEDS / "batches").glob("*.json"))
BAD = sorted((SEEDS / "bad").glob("*.json"))


def read(path: Path) -> Any:
    """The JSON document at `path`."""
    return json.loads(path.read_text())


MEMBERS: list[dict[str, Any]] = read(SEEDS / "consortium" / "members.json")


def key_of(member: str) -> KeyFile:
    """A key for tests, from the member's code."""
    return from_seed("member", hashlib.sha256(f"seeds {member}".encode()).digest())


def sample_genesis() -> Genesis:
    """The consortium of seeds/consortium with a key for each member and one validator."""
    members = copy.deepcopy(MEMBERS)
    for member in members:
        member["keys"] = [{"key": key_of(member["code"]).public.hex(), "status": "active"}]
    voter = {
        "name": "v0",
        "member": members[0]["code"],
        "key": key_of("the validator").public.hex(),
        "peer_id": "a peer ID that nobody dials",
    }
    documents = {
        "network.json": read(SEEDS / "consortium" / "network.json"),
        "members.json": members,
        "validators.json": [voter],
    }
    return parse_genesis(build_from_documents(documents, GENESIS_TIME_MS))


def check_signatures(transactions: Sequence[Transaction]) -> list[bool]:
    """Whether each transaction is signed by the key that it names."""
    return [verify(t.envelope.key, t.signing_bytes, t.signature) for t in transactions]


def new_chain(genesis: Genesis) -> Chain:
    """A chain at height 0, in memory."""
    return Chain.create(MemoryStore(), genesis, check_signatures)


def _in_bytes(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _in_bytes(v, "sha256" if name == "hidden" else k) for k, v in value.items()}
    if isinstance(value, list):
        return [_in_bytes(item, name) for item in value]
    return bytes.fromhex(value) if name == "sha256" else value


@dataclass(frozen=True, slots=True)
class Case:
    """Who signs a payload and how; the defaults are what a careful producer does."""

    batch: dict[str, Any]
    member: str | None = None
    signed_by: str | None = None
    chain_id: str | None = None
    valid_for_ms: int = VALID_FOR_MS
    tamper: bool = False


def sign(genesis: Genesis, case: Case) -> bytes:
    """The signed bytes of `case`, made from the published format and not by the ledger."""
    member = case.member or case.batch["facility"][:4]
    key = key_of(case.signed_by or member)
    unsigned = encode(
        {
            "v": 1,
            "chain_id": case.chain_id or genesis.chain_id,
            "kind": "batch.register",
            "member": member,
            "key": key.public,
            "valid_until_ms": BLOCK_TIME_MS + case.valid_for_ms,
            "salt": bytes(16),
            "payload": _in_bytes(case.batch),
        }
    )
    signature = key.sign(signing_bytes("kilochain/tx/1", unsigned))
    if case.tamper:
        signature = bytes([signature[0] ^ 1]) + signature[1:]
    return encode([unsigned, signature])


def commit(chain: Chain, signed: Sequence[bytes]) -> ExecutedBlock:
    """One block of `signed`, built, parsed again from its bytes, executed and appended."""
    candidates = [parse_transaction(each) for each in signed]
    time_ms = max(BLOCK_TIME_MS, chain.head.time_ms + 1)
    built, refused = chain.build(candidates, time_ms, 0)
    if refused:
        raise refused[0][1]
    assert built is not None
    executed = chain.execute(parse_block(built.block.data))
    chain.append(executed, b"", 0)
    return executed
