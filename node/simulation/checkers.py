"""The properties that must hold in every run, checked while it runs.

Checkers read signatures, not formats: they share no code with the room that they check.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consensus.interface import Block, Validator
from consensus.sizes import Size
from node.simulation.application import Application
from node.simulation.disk import JournalDisk
from node.simulation.limits import JOURNAL_BYTES_MAX
from node.simulation.signatures import SignatureRegister, Statement
from node.simulation.world import World

VOTES = ("pre-prepare", "prepare", "commit")


def quorum_of(n: int) -> int:
    """⌈(n + f + 1) / 2⌉ with f = ⌊(n − 1) / 3⌋, in integers."""
    return (n + (n - 1) // 3 + 2) // 2


class Checkers:
    """What all honest replicas of one run did, and whether it fits together."""

    def __init__(self, world: World, register: SignatureRegister) -> None:
        self._world = world
        self._register = register
        self._chain: dict[int, bytes] = {}
        self._committed: dict[bytes, int] = {}
        self._released: dict[tuple[bytes, str, int, int], bytes] = {}
        self._acknowledged: dict[str, int] = {}
        self._seen: set[tuple[str, bytes]] = set()

    @property
    def height(self) -> int:
        """The greatest height that any honest replica applied."""
        return max(self._chain, default=0)

    def on_append(self, name: str, app: Application, block: Block, certificate: bytes) -> None:
        """Agreement, hash chain, validity once and sound certificates; call before the append."""
        agreed = self._chain.setdefault(block.height, block.digest)
        if agreed != block.digest:
            self._world.violate(f"agreement: {name} applied another block at {block.height}")
        if block.header.parent != app.head.header.digest:
            self._world.violate(f"hash chain: {name} applied {block.height} on another parent")
        for transaction in app.transactions(block):
            if self._committed.setdefault(transaction, block.height) != block.height:
                self._world.violate(f"validity: {name} applied a transaction twice")
        voters = self._voters(block, certificate, app.head.validators)
        if voters < quorum_of(len(app.head.validators)):
            self._world.violate(f"certificate: {name} applied {block.height} with {voters} COMMITs")

    def on_send(self, name: str, key: bytes | None, disk: JournalDisk, frame: bytes) -> None:
        """No double sign, and persisted before sent; call as an honest host sends a frame."""
        for signature, statement in self._register.statements(frame):
            if statement.key != key or (name, signature) in self._seen:
                continue
            self._seen.add((name, signature))
            self._check_single(name, statement)
            if not disk.holds(signature):
                self._world.violate(f"persisted before sent: {name} sent {describe(statement)}")

    def on_applied(self, name: str, height: int) -> None:
        """From now on a client may be told that what is in block `height` is committed."""
        self._acknowledged[name] = max(height, self._acknowledged.get(name, 0))

    def on_start(self, name: str, height: int) -> None:
        """What was acknowledged is durable: a restart finds no lower head."""
        if height < self._acknowledged.get(name, 0):
            self._world.violate(f"durability: {name} lost a block that it had acknowledged")

    def on_sizes(self, name: str, sizes: Iterable[Size]) -> None:
        """Bounded memory: no part of a process has more entries than its limit."""
        for size in sizes:
            if size.count > size.limit:
                self._world.violate(
                    f"bounded memory: {name} has {size.count} {size.name}, {size.limit} are allowed"
                )

    def on_end(self, name: str, app: Application, disk: JournalDisk) -> None:
        """Bounded memory after a last compaction; durability; the chain replays to what it is."""
        if disk.size > JOURNAL_BYTES_MAX:
            self._world.violate(f"bounded memory: the journal of {name} has {disk.size} bytes")
        for height, digest in self._chain.items():
            stored = app.stored(height)
            if stored is None or stored.block.digest != digest:
                self._world.violate(f"durability: {name} lacks block {height}, which was applied")
        fault = app.audit()
        if fault is not None:
            self._world.violate(f"replay: {name}: {fault}")

    def _check_single(self, name: str, statement: Statement) -> None:
        content = statement.digest if statement.kind in VOTES else statement.message
        place = (statement.key, statement.kind, statement.view, statement.height)
        if statement.kind in VOTES and self._released.setdefault(place, content) != content:
            self._world.violate(f"double sign: {name} signed twice {describe(statement)}")

    def _voters(self, block: Block, certificate: bytes, validators: Sequence[Validator]) -> int:
        """The most distinct members whose COMMITs of one view for `block` the bytes hold."""
        members = {validator.key for validator in validators}
        by_view: dict[int, set[bytes]] = {}
        for _, statement in self._register.statements(certificate):
            fits = statement.kind == "commit" and statement.digest == block.digest
            if fits and statement.height == block.height and statement.key in members:
                by_view.setdefault(statement.view, set()).add(statement.key)
        return max((len(voters) for voters in by_view.values()), default=0)


def describe(statement: Statement) -> str:
    """A statement in the short form of traces."""
    short = statement.digest.hex()[:6] or "-"
    return f"{statement.kind}(v{statement.view} h{statement.height} {short})"
