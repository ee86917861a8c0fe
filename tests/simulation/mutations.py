"""Small-scope mutations of real messages, after ByzzFuzz (Winter et al., OOPSLA 2023).

A network runs under faults while everything that one replica is given is written down. Then that
life is walked again: in each state, copies of the replica are given messages of the run in which
one field is a near value, an older one, one of another message, or gone. What the liar says is
signed again, at each level; of the others' messages only the bytes change.
"""

from __future__ import annotations

import copy
import dataclasses
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from consensus import ProtocolViolation, Replica
from consensus.interface import (
    ApplyBlock,
    BlockReceived,
    Environment,
    Event,
    FrameReceived,
    Heartbeat,
    Now,
    Output,
    Start,
    Wake,
)
from consensus.messages import PRE_PREPARE, VOTE_KINDS
from consensus.state import State
from consensus.wire import (
    NEW_VIEW,
    NEW_VIEW_DOMAIN,
    VIEW_CHANGE,
    VIEW_CHANGE_DOMAIN,
    vote_bytes,
)
from ledger.codec import CodecError, decode, encode, signing_bytes
from node.simulation.application import ToyLedgers
from node.simulation.host import Host
from node.simulation.machine import Machine
from node.simulation.plan import draw_plan
from node.simulation.runner import Simulation
from node.simulation.signatures import KeyedHashRing, read_statement

SUBJECT = "r1"
LIARS = ("peer2", "peer0", "peer3")  # by turns: the primaries of other views than the subject's
EXPIRE_EVERY_MS = 3_000
FOLLOWING_EVENTS = 12  # of the recorded life, given to a replica that took a mutant in
DOMAINS = {VIEW_CHANGE: VIEW_CHANGE_DOMAIN, NEW_VIEW: NEW_VIEW_DOMAIN}


class Recorder(Replica):
    """A replica that writes down what it is given."""

    def __init__(self, start: Start, environment: Environment) -> None:
        super().__init__(start, environment)
        self.start, self.events = start, []

    def resume(self, now: Now) -> Output:
        self.events: list[tuple[Event | None, Now]] = [(None, now)]
        return super().resume(now)

    def step(self, event: Event, now: Now) -> Output:
        self.events.append((event, now))
        return super().step(event, now)


@dataclass
class Life:
    """The longest life of the subject, who it lived with, and what was agreed."""

    host: Host
    recorder: Recorder
    keys: dict[str, bytes]
    liar: bytes
    agreed: dict[int, bytes]
    frames: list[tuple[str, bytes]]


def submit_all(run: Simulation, transaction: bytes) -> None:
    for host in run.survivors():
        host.submit(transaction)


def expire_all(run: Simulation) -> None:
    """View timers run out everywhere: a life has many view changes."""
    for host in run.survivors():
        for _ in range(2):
            host.expire()


def record(seed: int) -> Life:
    """Run a network of four honest replicas under the faults of `seed`."""
    lives: list[Recorder] = []

    def factory(start: Start, environment: Environment) -> Machine:
        made = Recorder(start, environment)
        assert isinstance(environment, Host)
        if environment.name == SUBJECT:
            lives.append(made)
        return made

    plan = dataclasses.replace(
        draw_plan(random.Random(seed), 4),
        liars=(),
        damage="",
        real_ledger=False,
        crash_every_ms=0,
        crash_permille=0,
        partition_every_ms=2_000 if seed % 2 else 0,
        dead_for_ever=False,
    )
    ledgers = (KeyedHashRing(), None, ToyLedgers)
    run = Simulation(seed, 4, 12, factory, *ledgers, lambda chance, n: plan)
    for turn in range(1, plan.chaos_ms // EXPIRE_EVERY_MS):
        at_ms, transaction = turn * EXPIRE_EVERY_MS, run.cluster.ledgers.transaction(1_000 + turn)
        run.world.after(at_ms, partial(submit_all, run, transaction))
        # A little later each time: before anything is prepared, and in the midst of it.
        run.world.after(at_ms + turn % 6 * 6, partial(expire_all, run))
    run.run()
    assert run.world.violations == []
    hosts = run.cluster.hosts
    longest = max(lives, key=lambda each: len(each.events))
    frames = [
        (event.peer, event.data)
        for event, _ in longest.events
        if isinstance(event, FrameReceived) and not event.data.startswith(b"\x96\xa6status")
    ]
    statuses = [
        (event.peer, event.data) for event, _ in longest.events if isinstance(event, FrameReceived)
    ][:5]
    agreed = {}
    for height in range(1, hosts[SUBJECT].app.head.header.height + 1):
        stored = hosts[SUBJECT].app.stored(height)
        assert stored is not None
        agreed[height] = stored.block.digest
    keys = {host.peer: host.key for host in hosts.values()}
    liar = keys[LIARS[seed % len(LIARS)]]
    return Life(hosts[SUBJECT], longest, keys, liar, agreed, frames + statuses)


@dataclass
class Signer:
    """The subject's environment, which lets no two contents be signed at one place."""

    host: Host
    signed: dict[tuple[str, int, int], bytes] = field(default_factory=dict)

    def sign(self, message: bytes) -> bytes:
        said = read_statement(self.host.key, message)
        place = (said.kind, said.view, said.height)
        content = said.digest if said.kind in VOTE_KINDS else message
        assert self.signed.setdefault(place, content) == content, f"double sign: {place}"
        return self.host.sign(message)

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        return self.host.verify(key, message, signature)

    def read_header(self, data: bytes) -> Any:
        return self.host.read_header(data)

    def read_block(self, data: bytes) -> Any:
        return self.host.read_block(data)


def cloned(value: Any) -> Any:
    """A copy of what a replica may change; what is frozen is shared."""
    if isinstance(value, dict):
        return {key: cloned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [cloned(each) for each in value]
    parameters = getattr(value, "__dataclass_params__", None)
    if parameters is None or parameters.frozen or isinstance(value, type):
        return value
    made = copy.copy(value)
    for each in dataclasses.fields(value):
        setattr(made, each.name, cloned(getattr(value, each.name)))
    return made


def branch(replica: Replica) -> tuple[Replica, State]:
    """A replica in the same state with a signer of its own, and that state."""
    state = replica._state
    signer = state.environment
    assert isinstance(signer, Signer)
    made = copy.copy(replica)
    made._state = cloned(state)
    made._state.environment = Signer(signer.host, dict(signer.signed))
    return made, made._state


def walk(life: Life) -> Iterator[tuple[int, Replica]]:
    """The subject in each state of its life."""
    signer = Signer(life.host)
    replica = Replica(life.recorder.start, signer)
    for at, (event, now) in enumerate(life.recorder.events):
        try:
            replica.resume(now) if event is None else replica.step(event, now)
        except ProtocolViolation:
            continue
        yield at, replica


# --- trees of fields: bytes that hold messages are opened, so that each field has a path


class Opened(list):
    """What stood in a byte string, one level further in."""


def opened(value: Any) -> Any:
    if isinstance(value, bytes) and len(value) > 64:
        try:
            return Opened([opened(decode(value, bytes_max=len(value)))])
        except CodecError:
            return value
    if isinstance(value, list | tuple):
        return [opened(each) for each in value]
    if isinstance(value, dict):
        return {key: opened(each) for key, each in value.items()}
    return value


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field, also of those that hold others (to drop or to repeat them)."""
    if path:
        yield path
    if isinstance(tree, Opened):
        yield from leaves(tree[0], (*path, 0))
    elif isinstance(tree, list):
        for at, each in enumerate(tree):
            yield from leaves(each, (*path, at))
    elif isinstance(tree, dict):
        for key in sorted(tree):
            yield from leaves(tree[key], (*path, key))


def closed(tree: Any, signing: Host, key: bytes, chain_id: str) -> Any:
    """The value of a tree again; the liar's messages in it are signed anew, inside out."""
    if isinstance(tree, Opened):
        inner = closed(tree[0], signing, key, chain_id)
        return encode(inner)
    if isinstance(tree, dict):
        return {name: closed(each, signing, key, chain_id) for name, each in tree.items()}
    if not isinstance(tree, list):
        return tree
    made = [closed(each, signing, key, chain_id) for each in tree]
    return signed(made, signing, key, chain_id)


def signed(fields: list[Any], signing: Host, key: bytes, chain_id: str) -> list[Any]:
    """A message of the liar under a signature that fits what it says now."""
    sign = signing.cluster.register.sign
    try:
        if len(fields) == 8 and fields[0] in VOTE_KINDS and fields[5] == key:
            fields[6] = sign(key, vote_bytes(chain_id, *fields[:1], *fields[2:5]))
        elif len(fields) == 5 and fields[0] in DOMAINS and fields[3] == key:
            if fields[0] == NEW_VIEW:
                fields[2] = proposed(fields[2], signing, key, chain_id)
            fields[4] = sign(key, signing_bytes(DOMAINS[fields[0]], fields[2]))
    except (CodecError, KeyError, TypeError, ValueError):
        pass  # a field of another kind: what cannot be signed keeps its old signature
    return fields


def proposed(payload: bytes, signing: Host, key: bytes, chain_id: str) -> bytes:
    """A NEW-VIEW's payload with the PRE-PREPARE signature for what it requires now."""
    body: Any = decode(payload, bytes_max=len(payload))
    required, place = body["required"], (body["view"], body["base"] + 1, body["required"])
    body["proposal"] = b""
    if required is not None:
        vote = vote_bytes(chain_id, PRE_PREPARE, *place)
        body["proposal"] = signing.cluster.register.sign(key, vote)
    return encode(body)


@dataclass
class Mutator:
    """Draws mutants of the frames of one life. `values`: those seen at each path, by kind."""

    life: Life
    chance: random.Random
    values: dict[tuple[Any, ...], list[Any]] = field(default_factory=dict)
    digests: list[bytes] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.trees = [(peer, opened(decode(f, bytes_max=len(f)))) for peer, f in self.life.frames]
        for _, tree in self.trees:
            for path in leaves(tree):
                value = at_path(tree, path)
                if not isinstance(value, dict | list):
                    self.values.setdefault((tree[0], *path), []).append(value)
        self.kinds = list(dict.fromkeys(tree[0] for _, tree in self.trees))
        self.known = {frame for _, frame in self.life.frames}
        self.digests = [*self.life.agreed.values(), bytes(32), b"\xff" * 32]

    def draw(self) -> tuple[str, str, bytes]:
        """(peer that sends it, what was changed, frame)."""
        kind = self.chance.choice(self.kinds)
        peer, tree = self.chance.choice([each for each in self.trees if each[1][0] == kind])
        tree = copy.deepcopy(tree)
        path = self.chance.choice(list(leaves(tree)))
        value = self._another(tree[0], path, at_path(tree, path))
        set_path(tree, path, value)
        name = f"{tree[0] if tree else '?'}{list(path)}"
        made = closed(tree, self.life.host, self.life.liar, self.life.host.cluster.chain_id)
        try:
            frame = encode(made)
        except CodecError:
            return self.draw()
        return self.draw() if frame in self.known else (peer, name, frame)

    def _another(self, kind: Any, path: tuple[Any, ...], value: Any) -> Any:
        chance = self.chance
        seen = self.values.get((kind, *path), [])
        if isinstance(value, bool) or value is None:
            return chance.choice((0, None, chance.choice(self.digests)))
        if isinstance(value, int):
            near = [value + 1, max(0, value - 1), 0, value + 2, 2**53 - 1, 2**53]
            return chance.choice([*near, *seen[-3:], *seen[:3]])
        if isinstance(value, str):
            return chance.choice(
                [*VOTE_KINDS, VIEW_CHANGE, NEW_VIEW, "active", "changing", value + "x"]
            )
        if isinstance(value, bytes):
            cut = [value[:-1], value + b"\x00", b"", None]
            if len(value) == 32:
                return chance.choice([*self.digests, *self.life.keys.values(), *seen[:2], *cut])
            return chance.choice([flipped(value, chance), *seen[:3], *cut])
        if isinstance(value, Opened):
            return chance.choice([b"", None, Opened([[]])])
        if isinstance(value, list) and value:
            at = chance.randrange(len(value))
            changed = [
                value[:at] + value[at + 1 :],
                [*value[:at], value[at], *value[at:]],
                value[::-1],
            ]
            return chance.choice([*changed, [], None])
        return chance.choice([None, [], 0])


def flipped(value: bytes, chance: random.Random) -> bytes:
    if not value:
        return b"\x00"
    at = chance.randrange(len(value))
    return value[:at] + bytes([value[at] ^ (1 << chance.randrange(8))]) + value[at + 1 :]


def at_path(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def set_path(tree: Any, path: tuple[Any, ...], value: Any) -> None:
    at_path(tree, path[:-1])[path[-1]] = value


def follow(life: Life, replica: Replica, at: int) -> str | None:
    """Give a replica that took a mutant in what came next; what it would apply must be agreed."""
    for event, now in life.recorder.events[at + 1 : at + 1 + FOLLOWING_EVENTS]:
        if not isinstance(event, FrameReceived | BlockReceived | Heartbeat | Wake):
            return None  # an answer to what this one may not have asked
        try:
            fault = judged(life, replica.step(event, now))
        except ProtocolViolation:
            continue
        if fault is not None:
            return fault
    return None


def installed_wrongly(before: State, after: State) -> str | None:
    """Whether a NEW-VIEW was installed that its own VIEW-CHANGEs do not give (N2, N5)."""
    message = after.new_view
    if message is None or message is before.new_view:
        return None
    heads = [each.head.height for each in message.view_changes]
    prepared = [
        each.prepared
        for each in message.view_changes
        if each.prepared is not None and each.head.height == max(heads)
    ]
    required = max(prepared, key=lambda each: each.view).digest if prepared else None
    if len({each.sender for each in message.view_changes}) < 3:
        return "a NEW-VIEW without a quorum was installed"
    if (message.base, message.required) != (max(heads), required):
        return "a NEW-VIEW was installed that selects something else"
    return None


def judged(life: Life, output: Output) -> str | None:
    for work in output.work:
        if isinstance(work, ApplyBlock):
            agreed = life.agreed.get(work.block.height)
            if agreed is not None and agreed != work.block.digest:
                return f"another block at {work.block.height} would be applied"
    return None
