"""One simulated process: the driver around a replica, its disk, its pool and its clocks.

An output is performed in the order of the real driver: persist → fsync → send → timer → work. A
crash may come between any two of these, and between any two frames.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from consensus import ProtocolViolation
from consensus.interface import (
    Block,
    BlockReceived,
    CommittedBlock,
    Event,
    FrameReceived,
    Header,
    Heartbeat,
    Now,
    Output,
    PeerConnected,
    PeerDisconnected,
    PoolChanged,
    Send,
    SendBlock,
    SendToAll,
    Start,
    Wake,
)
from consensus.sizes import Size
from ledger.errors import LedgerError
from node.journal import JournalDamaged
from node.simulation.application import Application
from node.simulation.disk import JournalDisk
from node.simulation.jobs import start_job
from node.simulation.limits import (
    EPOCH_MS,
    HEARTBEAT_JITTER_MS,
    HEARTBEAT_MS,
    JOURNAL_RECORDS_BEFORE_COMPACTION,
    POOL_TRANSACTIONS_MAX,
)
from node.simulation.machine import Machine, standing
from node.simulation.shared import Cluster
from node.simulation.signatures import frame_kind
from node.simulation.world import Action
from node.startup import lost_blocks, older_journal

P = ParamSpec("P")
Distortion = Callable[[list[CommittedBlock]], list[CommittedBlock]]
FrameFilter = Callable[["Host", str, bytes], list[tuple[int, bytes]]]


def send_faithfully(host: Host, target: str, frame: bytes) -> list[tuple[int, bytes]]:
    """What an honest host does with a frame: send it once, now. (delay_ms, frame) pairs."""
    return [(0, frame)]


class Host:
    """A process that may crash, pause and restart around one durable application and journal."""

    def __init__(
        self, cluster: Cluster, name: str, peer: str, key: bytes, app: Application
    ) -> None:
        self.cluster, self.name, self.peer, self.key, self.app = cluster, name, peer, key, app
        self.disk = JournalDisk()
        self.pool: dict[bytes, int] = {}
        self.alive = False
        self.honest = True
        self.refuses: Callable[[bytes], bool] | None = None
        self.stopped_for_ever = False
        self.skew_ms = 0
        self.ahead_ms = 0
        self.frozen_ms: int | None = None
        self.wake_at_ms: int | None = None
        self.filter: FrameFilter = send_faithfully
        self.distort: Distortion | None = None
        self.broken = False
        self.store_damaged = False
        self.waits_for: int | None = None
        self.dies_in: int | None = None
        self.evidence: dict[str, bytes] = {}
        self.machine: Machine | None = None
        self._life = 0
        self._observes = False
        self._wake = 0
        self._paused_until_ms = 0
        cluster.hosts[name] = self

    # --- the environment that a replica borrows ---

    def sign(self, message: bytes) -> bytes:
        """See `consensus.interface.Environment`."""
        return self.cluster.register.sign(self.key, message)

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """See `consensus.interface.Environment`."""
        return self.cluster.register.ring.verify(key, message, signature)

    def read_header(self, data: bytes) -> Header:
        """See `consensus.interface.Environment`."""
        return self.app.read_header(data)

    def read_block(self, data: bytes) -> Block:
        """See `consensus.interface.Environment`."""
        return self.app.read_block(data)

    # --- life and death ---

    @property
    def now(self) -> Now:
        """Both clocks of this host."""
        elapsed_ms = self.cluster.world.now_ms
        wall_ms = EPOCH_MS + (elapsed_ms if self.frozen_ms is None else self.frozen_ms)
        return Now(elapsed_ms + self.ahead_ms, wall_ms + self.skew_ms)

    def start(self) -> None:
        """Start or restart from what is durable; peers notice the connection."""
        assert not self.alive
        if not self._opens():
            return
        head = self.app.head
        if self.honest and not self.store_damaged:
            self.cluster.checkers.on_start(self.name, head.header.height)
        records, observe = self._read_journal(head.journal_record)
        self._observes = observe is not None
        start = Start(
            self.cluster.chain_id,
            self.key,
            head.header,
            head.certificate,
            head.validators,
            head.epoch,
            records,
            observe,
        )
        self._life += 1
        self.alive = True
        self.machine = self.cluster.factory(start, self)
        self.note(f"starts at head {head.header.height}{f', {observe}' if observe else ''}")
        self._perform(self.machine.resume(self.now))
        for peer in self._others():
            self.take(PeerConnected(peer))
            for host in self.cluster.at_peer(peer):
                host.take(PeerConnected(self.peer))
        self.take(self.pool_event())
        self._schedule_heartbeat()

    def _read_journal(self, recorded: int) -> tuple[tuple[bytes, ...], str | None]:
        """What the journal holds, or why this replica may only observe (PROTOCOL §7)."""
        self.waits_for = None
        if self.disk.gone:
            return (), "the journal is missing"
        try:
            records = self.disk.records
        except JournalDamaged as error:
            return (), f"the journal is damaged: {error}"
        last, height = self.disk.last_record, self.app.head.header.height
        older = older_journal(last, recorded)
        reason = older and f"the journal {older}"
        if reason is None:
            self.waits_for = lost_blocks(records, height)
        if self.waits_for is not None:
            reason = f"blocks were lost: it ends at {height}, its journal saw {self.waits_for}"
        return (() if reason else records), reason

    def _opens(self) -> bool:
        """Open the chain as a start does; one that does not read waits for `repair`."""
        try:
            self.app.reopen()
        except LedgerError as error:
            self.broken = True
            self.note(f"cannot open its chain: {error}")
        return not self.broken

    def store_fails(self, error: LedgerError) -> None:
        """The chain does not read: the process stops, whatever it was doing."""
        if self.honest and not self.store_damaged:
            self.cluster.world.violate(f"{self.name} {error}")
        self.note(f"stops: {error}")
        self.broken = True
        self.crash()

    def forget(self) -> None:
        """Lie from now on: restart as if nothing had ever been promised."""
        self.honest = False
        self.crash()
        self.disk.wipe()
        self.disk.last_record = self.app.head.journal_record
        self.start()

    def crash(self) -> None:
        """Die: volatile state and unsynced records are gone."""
        if not self.alive:
            return
        lost = self.disk.crash(self.cluster.world.random)
        self.alive, self.machine, self.dies_in = False, None, None
        self.pool.clear()
        self._paused_until_ms = 0
        self.note(f"crashes, {lost} unsynced bytes lost")
        for peer in self._others():
            for host in self.cluster.at_peer(peer):
                host.take(PeerDisconnected(self.peer))

    def pause(self, duration_ms: int) -> None:
        """Do nothing for a while; what arrives waits."""
        self._paused_until_ms = self.cluster.world.now_ms + duration_ms
        self.note(f"pauses {duration_ms} ms")

    def expire(self) -> None:
        """Let the monotonic clock jump to the next deadline, if there is one, and wake."""
        if self.wake_at_ms is not None:
            self.ahead_ms += max(0, self.wake_at_ms - self.now.mono_ms)
            self.take(Wake())

    def submit(self, transaction: bytes) -> None:
        """Pool a transaction, if it is valid, new and there is room."""
        full = len(self.pool) >= POOL_TRANSACTIONS_MAX
        if (
            not self.alive
            or (self.refuses is not None and self.refuses(transaction))
            or full
            or transaction in self.pool
            or not self.admits(transaction)
        ):
            return
        self.pool[transaction] = self.now.mono_ms
        self.take(self.pool_event())

    def admits(self, transaction: bytes) -> bool:
        """Whether a transaction could be in the next block; False where the chain does not read."""
        try:
            return self.app.admits(transaction)
        except LedgerError as error:
            self.store_fails(error)
            return False

    def take(self, event: Event) -> None:
        """Give one event to the replica, after a pause if there is one, and perform the output."""
        world = self.cluster.world
        if not self.alive or self.machine is None:
            return
        if world.now_ms < self._paused_until_ms:
            self.later(self._paused_until_ms - world.now_ms, lambda: self.take(event))
            return
        self._note_event(event)
        try:
            output = self.machine.step(event, self.now)
        except Exception as error:  # noqa: BLE001 - any other failure is the finding itself
            self.fail(error)
            return
        self._perform(output)

    def fail(self, error: Exception) -> None:
        """Take a step's exception: note a peer's fault; stop for ever at one of our own."""
        line = f"{type(error).__name__}: {error}"
        if isinstance(error, ProtocolViolation):
            self.note(line)
            return
        if self.honest:
            self.cluster.world.violate(f"{self.name} {line}")
        self.stopped_for_ever = True
        self.crash()

    # --- performing an output ---

    def _perform(self, output: Output) -> None:
        if self.dies():
            return
        if output.persist:
            self.disk.append(output.persist)
            if self.disk.scatters:
                self.crash()
            if self.dies() or self.disk_fails():
                return
            self.disk.sync()
        for send in output.send:
            if self.dies():
                return
            self.send(send)
        self._set_wake(output.wake_at_ms)
        for work in output.work:
            start_job(self, work)
        if self.disk.count > JOURNAL_RECORDS_BEFORE_COMPACTION:
            self.compact()

    def compact(self) -> None:
        """Write the journal anew; one that may not be used stays as it is."""
        if self.machine is not None and not self._observes:
            self.disk.compact(self.machine.durable_records())

    def dies(self) -> bool:
        """Whether the process is dead, after a crash was drawn or set for this moment."""
        permille = self.cluster.crash_permille
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in < 0:
                self.crash()
        if self.honest and permille and self.cluster.world.random.randrange(100_000) < permille:
            self.crash()
        return not self.alive

    def disk_fails(self) -> bool:
        """Whether a write or an fsync was refused: the process has then stopped, as a node does."""
        permille = self.cluster.disk_error_permille
        if not (self.honest and permille):
            return False
        if self.cluster.world.random.randrange(10_000) < permille:
            self.note("cannot write to its disk")
            self.crash()
        return not self.alive

    def send(self, send: Send | SendBlock | SendToAll) -> None:
        """Let a frame or a body leave this process."""
        if isinstance(send, SendBlock):
            for peer in send.to:
                self._transmit(peer, BlockReceived(self.peer, send.block))
            return
        if self.honest:
            self.cluster.checkers.on_send(self.name, self.key, self.disk, send.data)
        for peer in send.to if isinstance(send, Send) else self._others():
            for delay_ms, frame in self.filter(self, peer, send.data):
                transmit = partial(self._transmit, peer, FrameReceived(self.peer, frame))
                if delay_ms:
                    self.later(delay_ms, transmit)
                else:
                    transmit()

    def _transmit(self, peer: str, event: FrameReceived | BlockReceived) -> None:
        kind = "block"
        if isinstance(event, FrameReceived):
            kind = frame_kind(event.data)
        for target in self.cluster.hosts.values():
            if target.peer == peer and target is not self:
                arrive = partial(target.take, event)
                self.cluster.network.send(self.name, target.name, kind, arrive)

    def _set_wake(self, wake_at_ms: int | None) -> None:
        self._wake += 1
        self.wake_at_ms = wake_at_ms
        wake = self._wake
        if wake_at_ms is not None:
            delay_ms = max(0, wake_at_ms - self.now.mono_ms)
            self.later(delay_ms, lambda: self.take(Wake()) if wake == self._wake else None)

    def later(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Run `action` later, unless this life of the process has ended by then."""
        self.cluster.world.after(delay_ms, self.in_this_life(action))

    def in_this_life(self, action: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> Action:
        """`action` as something that does nothing after this life of the process."""
        life = self._life
        return lambda: action(*args, **kwargs) if self.alive and life == self._life else None

    def _schedule_heartbeat(self) -> None:
        jitter = self.cluster.world.random.randint(-HEARTBEAT_JITTER_MS, HEARTBEAT_JITTER_MS)

        def beat() -> None:
            self._measure()
            if self.cluster.heartbeats:
                self.take(Heartbeat())
            if self.alive:
                self._schedule_heartbeat()

        self.later(HEARTBEAT_MS + jitter, beat)

    def _measure(self) -> None:
        if self.machine is not None and self.honest:
            pool = Size("pooled transactions", len(self.pool), POOL_TRANSACTIONS_MAX)
            self.cluster.checkers.on_sizes(self.name, (pool, *self.machine.sizes()))

    def gossip(self, transaction: bytes) -> None:
        """Offer a transaction to every other host."""
        for target in self.cluster.hosts.values():
            if target is not self:
                arrive = partial(target.submit, transaction)
                self.cluster.network.send(self.name, target.name, "transaction", arrive)

    def _others(self) -> tuple[str, ...]:
        return tuple(peer for peer in self.cluster.peers() if peer != self.peer)

    def pool_event(self) -> PoolChanged:
        """What the pool holds, as the replica is told."""
        return PoolChanged(len(self.pool), min(self.pool.values(), default=None))

    def _note_event(self, event: Event) -> None:
        name = type(event).__name__
        if isinstance(event, FrameReceived):
            name = f"{frame_kind(event.data)} from {event.peer}"
        self.note(f"← {name}")

    def note(self, text: str) -> None:
        """A line of the trace about this host; explained, it also says where the host stands."""
        self.cluster.world.note(f"{self.name} {text}", partial(standing, self.machine, self.now))
