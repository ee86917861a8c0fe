"""What recorded_node.py wrote, as operations; and the folders that a power cut may leave of one.

An operation changes files in steps. A cut keeps the steps before some point, a part of the step at
that point (its bytes cut, or zeros where they should be), and nothing behind it. LevelDB's own
thread works beside the caller: its steps (tables, then the manifest, then CURRENT, then removals)
are cut at a point of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgpack

Files = Mapping[str, bytes]
Change = tuple[str, int, bytes | None]
ZEROS = ", zeros behind them"


@dataclass(frozen=True)
class Step:
    """`data` written to `name` from byte `at` on; None: removed. `new`: a rename puts it there."""

    name: str
    at: int
    data: bytes | None
    renamed: bool = False


@dataclass(frozen=True)
class Operation:
    """One durable call. `sent`: how many frames had left before it was finished."""

    what: str
    before: Files
    after: Files
    lanes: tuple[tuple[Step, ...], ...]
    sent: int


@dataclass(frozen=True)
class Image:
    """A folder after a power cut within `operation`.

    `whole`: the caller's own steps were done; `zeros`: a file grew before its bytes arrived.
    """

    files: Files
    operation: Operation
    whole: bool
    zeros: bool
    said: str


def read_recording(path: Path) -> tuple[list[Operation], list[bytes]]:
    """The operations in order, and the frames that left in order."""
    operations: list[Operation] = []
    frames: list[bytes] = []
    files: dict[str, bytes] = {}
    unpacker = msgpack.Unpacker(max_buffer_size=0)
    unpacker.feed(path.read_bytes())
    for kind, *rest in unpacker:
        if kind == "base":
            files = dict(rest[0])
        elif kind == "sent":
            frames.append(rest[0])
        else:
            before, changes = dict(files), rest[1]
            for name, at, data in changes:
                if data is None:
                    del files[name]
                else:
                    files[name] = before.get(name, b"")[:at] + data
            lanes = tuple(filter(None, _lanes(before, changes)))
            operations.append(Operation(rest[0], before, dict(files), lanes, len(frames)))
    return operations, frames


def _lanes(before: Files, changes: Iterable[Change]) -> list[tuple[Step, ...]]:
    """The caller's steps, and those of LevelDB's own order: tables … removals."""
    caller, tables, manifest, current, removed = [], [], [], [], []
    for name, at, data in sorted(changes):
        path = Path(name)
        if data is None:
            removed.append(Step(name, 0, None))
        elif path.name == "CURRENT":
            current.append(Step(name, 0, data, renamed=True))
        elif path.name.startswith("MANIFEST"):
            manifest.append(Step(name, at, data))
        elif path.suffix == ".ldb":
            tables.append(Step(name, at, data))
        elif path.suffix == ".log":
            caller.append(Step(name, at, data))
        else:
            caller.append(Step(name, at, data, renamed=not at))
    return [tuple(caller), tuple(tables + manifest + current + removed)]


def cut(operation: Operation, chance: random.Random) -> Image:
    """One image of a power cut within an operation."""
    files = dict(operation.before)
    said = []
    whole = True
    for index, lane in enumerate(operation.lanes):
        done = chance.randint(0, len(lane))
        for step in lane[:done]:
            _apply(files, step, None if step.data is None else len(step.data), zeros=0)
        part = ""
        if done < len(lane):
            part = _tear(files, lane[done], chance)
            whole = whole and index > 0
        said.append(f"{done} of {len(lane)} steps{part}")
    zeros = any(part.endswith(ZEROS) for part in said)
    return Image(files, operation, whole, zeros, f"{operation.what}: {', '.join(said)}")


def _tear(files: dict[str, bytes], step: Step, chance: random.Random) -> str:
    if step.data is None:
        return ""
    size = len(step.data)
    length = min(size, chance.choice((0, 1, chance.randint(0, size), max(0, size - 1))))
    zeros = chance.choice((0, 0, 0, size - length))
    _apply(files, step, length, zeros=zeros, torn=True)
    return f" and {length} of {size} bytes of {step.name}{ZEROS if zeros else ''}"


def _apply(
    files: dict[str, bytes], step: Step, length: int | None, zeros: int, torn: bool = False
) -> None:
    if step.data is None or length is None:
        files.pop(step.name, None)
        return
    name = step.name
    if step.renamed and torn:  # what is renamed later was written beside its place
        name = _beside(name)
    old = b"" if step.renamed else files.get(name, b"")[: step.at]
    files[name] = old + step.data[:length] + bytes(zeros)


def _beside(name: str) -> str:
    path = Path(name)
    fresh = "000099.dbtmp" if path.name == "CURRENT" else path.name + ".new"
    return str(path.with_name(fresh))


def write_files(home: Path, files: Files) -> None:
    """Lay an image down as a home's data."""
    for name, data in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def images(operations: list[Operation], seeds: Iterable[int]) -> Iterator[tuple[int, Image]]:
    """For each seed one image, of an operation that the seed draws."""
    by_kind: dict[str, list[Operation]] = {}
    for operation in operations:
        if operation.lanes:
            background = "+" if len(operation.lanes) > 1 else ""
            by_kind.setdefault(operation.what + background, []).append(operation)
    for seed in seeds:
        chance = random.Random(seed)
        yield seed, cut(chance.choice(by_kind[chance.choice(sorted(by_kind))]), chance)
