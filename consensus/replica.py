"""The replica: one event in, one output out, rules until none is enabled (PROTOCOL §2)."""

from __future__ import annotations

from collections.abc import Callable

from . import bodies, committed, normal_case, sync, timers, view_change
from .errors import invariant
from .interface import (
    Block,
    BlockApplied,
    BlockBuilt,
    BlockExecuted,
    BlockMissing,
    BlockReceived,
    ChainReceived,
    Environment,
    Event,
    FrameReceived,
    Heartbeat,
    Now,
    Output,
    PeerConnected,
    PeerDisconnected,
    PoolChanged,
    ReplicaStatus,
    Start,
    Wake,
)
from .journal import durable_records
from .messages import COMMIT, PREPARE, NewView, Proof, Status, ViewChange, Vote
from .restart import restored
from .sizes import Size, sizes
from .state import Outbox, Pool, State
from .wire import decode_frame

RULES: tuple[Callable[[State], bool], ...] = (
    committed.apply_committed,
    committed.use_proof,
    sync.apply_chain,
    sync.request_chain,
    view_change.install_new_view,
    view_change.form_new_view,
    view_change.join,
    normal_case.propose,
    normal_case.prepare,
    normal_case.commit,
)
RULE_PASSES_MAX = 256


class Replica:
    """A PBFT replica, one height at a time: pure, deterministic, sans-IO."""

    def __init__(self, start: Start, environment: Environment) -> None:
        """Restore from chain and journal. Raises InvariantBroken if they disagree."""
        self._state = restored(start, environment)

    def resume(self, now: Now) -> Output:
        """The first output: what to repeat, arm and ask after a restart (PROTOCOL §7)."""
        state = self._state
        state.now, state.out = now, Outbox()
        state.timer.active_since_ms = now.mono_ms
        sync.heartbeat(state)
        return self._finish()

    def step(self, event: Event, now: Now) -> Output:
        """Take one event, then apply enabled rules until none is.

        Raises ProtocolViolation when the event is a peer's fault (the state is as before), and
        InvariantBroken when we must stop.
        """
        invariant(now.mono_ms >= self._state.now.mono_ms, "the monotonic clock went back")
        self._state.now, self._state.out = now, Outbox()
        self._dispatch(event)
        return self._finish()

    def durable_records(self) -> tuple[bytes, ...]:
        """The minimal journal equal to the present durable state."""
        return durable_records(self._state)

    def sizes(self) -> tuple[Size, ...]:
        """How many entries each growing part of the state has, and may have."""
        return sizes(self._state)

    def body(self, digest: bytes) -> Block | None:
        """A body that is held, for a peer that asks."""
        return self._state.body(digest)

    def status(self, now: Now) -> ReplicaStatus:
        """What the replica can say about itself."""
        state = self._state
        deadline = state.timer.deadline_ms
        messages = ((state.replicas.index_of(k), m) for k, m in state.view_changes.items())
        return ReplicaStatus(
            epoch=state.epoch,
            view=state.view,
            mode=state.mode,
            head=state.head.height,
            head_digest=state.head.digest,
            primary=state.view % state.replicas.n,
            index=state.index,
            n=state.replicas.n,
            f=state.replicas.f,
            quorum=state.replicas.quorum,
            observe=state.observe,
            prepares=self._voters(PREPARE),
            commits=self._voters(COMMIT),
            view_changes=tuple(sorted((i, m.view) for i, m in messages if i is not None)),
            timer_ms=None if deadline is None else max(0, deadline - now.mono_ms),
            syncing=state.chain.peer is not None or bool(state.chain.queue),
            heads=tuple((peer, status.head) for peer, status in state.heads.items()),
        )

    def _voters(self, kind: str) -> tuple[int, ...]:
        state = self._state
        votes = state.votes.at(kind, state.height, state.keys)
        indexes = [state.replicas.index_of(v.sender) for v in votes if v.view == state.view]
        return tuple(i for i in indexes if i is not None)

    def _dispatch(self, event: Event) -> None:
        state = self._state
        match event:
            case FrameReceived():
                self._on_frame(event)
            case BlockReceived():
                bodies.keep(state, event.peer, event.block)
            case BlockMissing():
                bodies.missing(state, event.peer, event.digest)
            case ChainReceived():
                sync.on_chain(state, event)
            case BlockBuilt():
                normal_case.on_block_built(state, event)
            case BlockExecuted():
                normal_case.on_block_executed(state, event)
            case BlockApplied():
                committed.on_block_applied(state, event)
            case PoolChanged():
                state.pool = Pool(event.pending, event.oldest_since_ms)
            case PeerConnected():
                sync.greet(state, event.peer)
            case PeerDisconnected():
                self._on_disconnected(event)
            case Heartbeat():
                sync.heartbeat(state)
                timers.share_unheard(state)
            case Wake():
                timers.share_oldest(state)

    def _on_frame(self, event: FrameReceived) -> None:
        """Decode and check first: whatever raises ProtocolViolation has changed nothing."""
        state = self._state
        message = decode_frame(event.data, state.chain_id, state.environment.read_header)
        match message:
            case Vote():
                normal_case.on_vote(state, message)
            case ViewChange():
                view_change.on_view_change(state, event.peer, message)
            case NewView():
                view_change.on_new_view(state, event.peer, message)
            case Status():
                sync.on_status(state, event.peer, message)
            case Proof():
                committed.on_proof(state, message)

    def _on_disconnected(self, event: PeerDisconnected) -> None:
        state = self._state
        sync.forget_peer(state, event.peer)
        if state.replicas.primary(state.view).peer == event.peer:
            timers.hurry(state)

    def _finish(self) -> Output:
        """Apply rules until none is enabled; then the timer, which may enable more."""
        state = self._state
        state.timer.clock_retry_ms = None
        for _ in range(RULE_PASSES_MAX):
            if any(rule(state) for rule in RULES):
                continue
            timers.evaluate(state, normal_case.proposal_at_head(state) is not None)
            if not view_change.expire(state):
                return state.out.close(timers.wake_at_ms(state))
        invariant(False, "the rules do not come to rest")
        raise AssertionError
