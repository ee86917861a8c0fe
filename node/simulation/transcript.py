"""A small language for directed scenarios: a text that reads as a story, and runs.

One command per line; `#` starts prose. Replicas are r0, r1, …; links are `r0,r1->r2` with `*` for
all; kinds are the message kinds of the protocol, `status`, `block`, `transaction`, `request`,
`answer`, or `*`. Times are `300ms`, `5s`, `2m`, `1h`.

    replicas 4 [plus 1]            start four validators (and observers beside them)
    submit all|r0,r1 a b           pool the transactions named a and b
    change-set r0,r1,r2            pool everywhere a transaction that makes this the set
    drop KINDS LINK                from now on these messages are lost
    lose-once KINDS LINK           the first of each kind on each link is lost
    allow KINDS LINK               from now on these messages pass
    hold KINDS LINK                from now on these messages wait
    deliver KINDS LINK             those that wait arrive now, in the order in which they were sent
    pass                           no more loss or waiting; what waited is lost
    heartbeats off|on              whether anything is repeated each second
    partition r0,r1 | r2,r3        groups that do not reach each other
    heal                           undo every partition
    run TIME                       let time pass
    timeout r1,r2                  the view timer of each expires now
    crash r0 / restart r0 / kill r0   `kill` is for ever
    forget r0                      it restarts with an empty journal and votes: a liar
    lose-journal r0                it restarts with an empty journal, honestly
    fill N                         submit and commit N transactions, one after the other
    forge r0 view-change V         r0, a liar, sends all a VIEW-CHANGE for view V, nothing prepared
    forge r0 status N              … a STATUS with head N
    forge r0 pre-prepare V         … in view V a fresh block of its own on its head
    skew r0 3s                     its wall clock is ahead
    byzantine r0 ROLE              from now on it misbehaves
    stabilize TIME                 run until all that is pooled anywhere is committed everywhere
    expect head|view r0,r1 N       expect mode r0 active|changing      expect epoch r0 N
    expect committed|pending a r0,r1      expect same N r0,r1   (one block at height N)
    expect observing|voting r0     expect evidence r0
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from consensus.interface import ReplicaStatus, SendBlock, SendToAll
from node.simulation import forge
from node.simulation.application import note_transaction, set_transaction
from node.simulation.byzantine import corrupt
from node.simulation.cluster import make_cluster
from node.simulation.host import Host
from node.simulation.limits import TIMEOUT_STEPS_MAX
from node.simulation.machine import MachineFactory, real_replica
from node.simulation.network import LinkFaults
from node.simulation.shared import Cluster
from node.simulation.signatures import KeyedHashRing
from node.simulation.world import World

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


class ScenarioError(Exception):
    """An expectation does not hold; the message has the line and what was seen instead."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to messages of some kinds on some links: `drop` or `hold`."""

    action: str
    kinds: frozenset[str]
    sources: frozenset[str]
    targets: frozenset[str]

    def covers(self, source: str, target: str, kind: str) -> bool:
        """Whether the rule is about this message; `*` stands for all."""
        parts = ((self.kinds, kind), (self.sources, source), (self.targets, target))
        return all("*" in some or each in some for some, each in parts)


def run_transcript(path: Path, *, factory: MachineFactory = real_replica) -> list[str]:
    """Run a scenario file. Returns its trace. Raises ScenarioError with the line at fault."""
    return Transcript(factory).run(path.read_text(), path.name)


class Transcript:
    """The state of one scenario; each command is the method named after it."""

    def __init__(self, factory: MachineFactory = real_replica) -> None:
        self.trace: list[str] = []
        self.world = World(0, self.trace.append)
        self._factory = factory
        self._cluster: Cluster | None = None
        self._rules: list[Rule] = []
        self._held: list[tuple[str, str, str, Callable[[], None]]] = []
        self._lost: set[tuple[str, str, str]] = set()
        self._names: dict[str, bytes] = {}

    def run(self, text: str, name: str) -> list[str]:
        """Run the commands of `text`; `name` appears in errors."""
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            self.world.note(f"-- {' '.join(words)}")
            try:
                self._command(words)
            except ScenarioError as error:
                raise ScenarioError(f"{name}:{number}: {line.strip()}: {error}") from None
            if self.world.violations:
                raise ScenarioError(f"{name}:{number}: {self.world.violations[0]}")
        return self.trace

    @property
    def cluster(self) -> Cluster:
        """The replicas; a scenario begins with `replicas`."""
        if self._cluster is None:
            raise ScenarioError("a scenario begins with `replicas N`")
        return self._cluster

    def _command(self, words: list[str]) -> None:
        verb = words[0].replace("-", "_")
        method = getattr(self, f"do_{verb}", None)
        if method is None:
            raise ScenarioError(f"no such command: {words[0]}")
        method(*words[1:])

    def hosts(self, names: str) -> list[Host]:
        """The hosts that `r0,r2` or `all` stands for."""
        if names == "all":
            return [host for host in self.cluster.hosts.values() if host.alive]
        unknown = [name for name in names.split(",") if name not in self.cluster.hosts]
        if unknown:
            raise ScenarioError(f"no such replica: {unknown[0]}")
        return [self.cluster.hosts[name] for name in names.split(",")]

    # --- the cast and its network ---

    def do_replicas(self, count: str, plus: str = "plus", extra: str = "0") -> None:
        """Build and start."""
        cluster = make_cluster(self.world, int(count), int(extra), self._factory, KeyedHashRing())
        cluster.network.gate = self._gate
        cluster.network.faults = LinkFaults(delay_ms_min=10, delay_ms_max=10)
        self._cluster = cluster
        for host in cluster.hosts.values():
            host.start()
        self.world.run_for(100)

    def do_submit(self, names: str, *transactions: str) -> None:
        """Pool named transactions."""
        for name in transactions:
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
            self._names[name] = note_transaction(number)
            for host in self.hosts(names):
                host.submit(self._names[name])

    def do_change_set(self, names: str) -> None:
        """Pool a set change everywhere; it is named `change-set`."""
        transaction = set_transaction(len(self._names), names.split(","))
        self._names["change-set"] = transaction
        for host in self.hosts("all"):
            host.submit(transaction)

    def do_drop(self, kinds: str, link: str) -> None:
        """Lose messages from now on."""
        self._rules.append(_rule("drop", kinds, link))

    def do_hold(self, kinds: str, link: str) -> None:
        """Keep messages back from now on."""
        self._rules.append(_rule("hold", kinds, link))

    def do_lose_once(self, kinds: str, link: str) -> None:
        """Lose the first of each kind on each link."""
        self._rules.append(_rule("lose-once", kinds, link))

    def do_allow(self, kinds: str, link: str) -> None:
        """Let messages pass again."""
        self._rules.append(_rule("allow", kinds, link))

    def do_deliver(self, kinds: str, link: str) -> None:
        """Let held messages arrive."""
        wanted = _rule("deliver", kinds, link)
        arriving = [each for each in self._held if wanted.covers(*each[:3])]
        if not arriving:
            raise ScenarioError("nothing of that kind is held")
        self._held = [each for each in self._held if not wanted.covers(*each[:3])]
        for each in arriving:
            each[3]()
        self.world.run_for(8)

    def do_pass(self) -> None:
        """No more rules."""
        self._rules.clear()
        self._held.clear()

    def do_heartbeats(self, switch: str) -> None:
        """Whether replicas repeat themselves."""
        self.cluster.heartbeats = switch == "on"

    def do_partition(self, *words: str) -> None:
        """Split into groups."""
        groups = " ".join(words).split("|")
        self.cluster.network.partition([group.strip().split(",") for group in groups])

    def do_heal(self) -> None:
        """Join the groups again."""
        for source, target in _pairs(self.cluster.hosts):
            self.cluster.network.mend(source, target)

    def do_crash(self, names: str) -> None:
        """Volatile state is gone."""
        for host in self.hosts(names):
            host.crash()

    def do_kill(self, names: str) -> None:
        """Gone for ever."""
        self.do_crash(names)
        for host in self.hosts(names):
            host.stopped_for_ever = True

    def do_restart(self, names: str) -> None:
        """Come back from disk."""
        for host in self.hosts(names):
            host.crash()
            host.start()

    def do_forget(self, names: str) -> None:
        """Restart as a liar that has promised nothing."""
        for host in self.hosts(names):
            host.forget()

    def do_lose_journal(self, names: str) -> None:
        """Restart without the journal."""
        for host in self.hosts(names):
            host.crash()
            host.disk.wipe()
            host.start()

    def do_fill(self, count: str) -> None:
        """Commit many blocks."""
        for number in range(int(count)):
            self.do_submit("all", f"fill {number}")
            self.do_stabilize("10s")

    def do_forge(self, name: str, kind: str, value: str) -> None:
        """Send what only a liar sends."""
        host = self.hosts(name)[0]
        host.honest = False
        head, number = host.app.head, int(value)
        match kind:
            case "view-change":
                frame = forge.view_change(host, head.epoch, number, head.header, head.certificate)
            case "status":
                frame = forge.status(host, number)
            case "pre-prepare":
                frame = self._forge_proposal(host, number)
            case _:
                raise ScenarioError(f"nobody can forge {kind}")
        host.send(SendToAll(frame))

    def _forge_proposal(self, host: Host, view: int) -> bytes:
        index = view % len(host.app.head.validators)
        block = host.app.build([note_transaction(view)], host.now.wall_ms, index)
        if block is None:
            raise ScenarioError("that block is on the chain already")
        host.send(SendBlock(tuple(peer for peer in self.cluster.peers()), block))
        return forge.vote(host, "pre-prepare", view, block.height, block.digest, b"")

    def do_skew(self, names: str, time: str) -> None:
        """Put wall clocks ahead (or behind: -3s)."""
        for host in self.hosts(names):
            host.skew_ms = _milliseconds(time)

    def do_byzantine(self, name: str, role: str) -> None:
        """Let one lie."""
        corrupt(self.hosts(name)[0], role)

    # --- time ---

    def do_run(self, time: str) -> None:
        """Let time pass."""
        self.world.run_for(_milliseconds(time))

    def do_timeout(self, names: str) -> None:
        """Let view timers expire."""
        for host in self.hosts(names):
            before = self.status(host).view
            for _ in range(TIMEOUT_STEPS_MAX):
                if host.alive and self.status(host).view == before:
                    host.expire()
            if self.status(host).view == before:
                raise ScenarioError(f"the timer of {host.name} is not armed")

    def do_stabilize(self, time: str) -> None:
        """Everything pooled is committed by everybody who lives."""
        if not self.world.run_for(_milliseconds(time), self._settled):
            seen = ", ".join(f"{each.name} {self._describe(each)}" for each in self.hosts("all"))
            raise ScenarioError(f"not settled: {seen}")

    # --- expectations ---

    def do_expect(self, what: str, *words: str) -> None:
        """Check one thing."""
        match what, words:
            case (("head" | "view" | "epoch" | "mode"), (names, value)):
                for host in self.hosts(names):
                    seen = str(getattr(self.status(host), what))
                    _require(seen == value, f"{host.name} has {what} {seen}")
            case (("committed" | "pending"), (transaction, names)):
                for host in self.hosts(names):
                    open_still = host.app.admits(self._names[transaction])
                    _require(open_still == (what == "pending"), f"not so at {host.name}")
            case "same", (height, names):
                blocks = [host.app.stored(int(height)) for host in self.hosts(names)]
                digests = [each.block.digest for each in blocks if each is not None]
                same = len(digests) == len(blocks) and len(set(digests)) == 1
                _require(same, f"{len(set(digests))} blocks, {len(digests)} of {len(blocks)}")
            case (("observing" | "voting"), (names,)):
                for host in self.hosts(names):
                    reason = self.status(host).observe
                    _require((reason is None) == (what == "voting"), f"{host.name}: {reason}")
            case "evidence", (names,):
                for host in self.hosts(names):
                    _require(bool(host.evidence), f"{host.name} has none")
            case _:
                raise ScenarioError("no such expectation")

    def status(self, host: Host) -> ReplicaStatus:
        """What a live replica says of itself."""
        if host.machine is None:
            raise ScenarioError(f"{host.name} is not running")
        return host.machine.status(host.now)

    def _describe(self, host: Host) -> str:
        status = self.status(host)
        return f"h{status.head} v{status.view} {status.mode}"

    def _settled(self) -> bool:
        live = [host for host in self.hosts("all") if host.honest]
        heads = {host.app.head.header.height for host in live}
        waiting = any(host.app.admits(each) for host in live for each in self._names.values())
        return len(heads) == 1 and not waiting

    def _gate(self, source: str, target: str, kind: str, arrive: Callable[[], None]) -> bool:
        for rule in reversed(self._rules):
            if rule.covers(source, target, kind):
                if rule.action == "allow":
                    return False
                if rule.action == "lose-once":
                    first = (source, target, kind) not in self._lost
                    self._lost.add((source, target, kind))
                    return first
                self.world.note(f"{rule.action} {kind} {source}->{target}")
                if rule.action == "hold":
                    self._held.append((source, target, kind, arrive))
                return True
        return False


def _rule(action: str, kinds: str, link: str) -> Rule:
    source, arrow, target = link.partition("->")
    if not arrow:
        raise ScenarioError(f"a link is written r0->r1, not {link}")
    sets = (frozenset(part.split(",")) for part in (kinds, source, target))
    return Rule(action, *sets)


def _milliseconds(text: str) -> int:
    digits = text.rstrip("hms")
    try:
        return int(digits) * _UNITS_MS[text[len(digits) :]]
    except (ValueError, KeyError):
        raise ScenarioError(f"a time is written 300ms, 5s, 2m or 1h, not {text}") from None


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    every = list(names)
    return [(source, target) for source in every for target in every]


def _require(holds: bool, seen: str) -> None:
    if not holds:
        raise ScenarioError(seen)
