"""Random damage to one file of a home, and what a node then makes of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from homes import MEMBER, opened

from ledger.errors import LedgerError, NotRegistered, StoreCorrupted
from ledger.identifiers import format_id
from node.cli.output import failure_of
from node.node import Node

BLOCK_BYTES = 512
KINDS = ("bit", "byte", "zeros", "noise", "cut", "cut", "gone")
LEFT_ALONE = ("node.log",)


@dataclass(frozen=True)
class Damage:
    """What was done to which file of the home."""

    file: str
    said: str


def damage(home: Path, chance: random.Random) -> Damage:
    """Spoil one file: a bit, a byte, a block, its end, or all of it. Each file is as likely."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    path = chance.choice([path for path in files if path.name not in LEFT_ALONE])
    data = bytearray(path.read_bytes())
    kind = chance.choice(KINDS) if data else "gone"
    at = chance.randrange(len(data)) if data else 0
    start = at - at % BLOCK_BYTES
    end = min(start + BLOCK_BYTES, len(data))
    if kind == "gone":
        path.unlink()
    elif kind == "bit":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        data[at] ^= chance.randrange(1, 256)
    elif kind == "zeros":
        data[start:end] = bytes(end - start)
    elif kind == "noise":
        data[start:end] = chance.randbytes(end - start)
    else:
        del data[at:]
    if kind != "gone":
        path.write_bytes(bytes(data))
    name = str(path.relative_to(home))
    return Damage(name, f"{kind} at byte {at} of {name}")


@dataclass(frozen=True)
class Truth:
    """What an undamaged node answers: blocks by height, records by ID, and each one's height."""

    blocks: tuple[bytes, ...]
    records: dict[str, dict[str, object]]
    heights: dict[str, int]


def truth_of(home: Path, batches: int) -> Truth:
    """Ask a whole home about everything."""
    with opened(home) as node:
        chain = node.chain
        ids = [format_id(MEMBER, number, number % 2) for number in range(1, batches + 1)]
        records = {each: chain.lookup(each) for each in ids}
        heights = {each: record["anchored"]["height"] for each, record in records.items()}  # type: ignore[index]
        return Truth(tuple(_block(node, h) for h in range(chain.head.height + 1)), records, heights)


def _block(node: Node, height: int) -> bytes:
    stored = node.chain.stored_block(height)
    assert stored is not None, f"block {height} is missing"
    return stored.data


def outcome(home: Path, done: Damage, truth: Truth) -> str:
    """What a node does with a damaged home. Asserts that it is a right thing."""
    failure = None
    try:
        with opened(home) as node:
            refused = _judge_answers(home, node, truth)
            if node._observe is not None:
                assert str(home) in node._observe, node._observe
                return "observes"
            lags = node.chain.head.height + 1 < len(truth.blocks)
    except AssertionError:
        raise
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
    if failure is not None:
        _judge_refusal(failure.format_message(), home, home / done.file)
        return "stops"
    if refused:
        return "refuses reads"
    return "lags" if lags else "works"


def _judge_refusal(said: str, home: Path, file: Path) -> None:
    """It names the file or its folder, and says what to do."""
    assert str(file) in said or str(file.parent) in said.replace(f"{home} ", ""), said
    assert "docs/operations.md" in said or "kilochain init" in said, said


def _judge_answers(home: Path, node: Node, truth: Truth) -> int:
    """Each answer is the truth, or a refusal that names the folder. How many were refused."""
    head = node.chain.head.height
    refusals = []
    for height, data in enumerate(truth.blocks[: head + 1]):
        try:
            assert _block(node, height) == data, f"a wrong block {height}"
        except StoreCorrupted as error:
            refusals.append(str(error))
    for text, record in truth.records.items():
        try:
            assert node.chain.lookup(text) == record, f"a wrong answer for {text}"
        except NotRegistered:
            forgotten = truth.heights[text] <= head
            assert not forgotten, f"{text} is forgotten, the head is {head}"
        except LedgerError as error:
            refusals.append(str(error))
    assert all(str(home / "data" / "chain") in each for each in refusals), refusals
    return len(refusals)
