"""The view timer and the clocks beside it, as deadlines (PROTOCOL §5)."""

from __future__ import annotations

from .errors import invariant
from .interface import ShareOldest
from .limits import CENSORSHIP_MS, PRIMARY_LOST_MS, SHARE_AGAIN_MS, TIMER_BASE_MS, TIMER_MAX_MS
from .state import State


def timer_ms(k: int) -> int:
    """T(k) = min(2 s·2^k, 60 s)."""
    return min(TIMER_BASE_MS << min(k, 16), TIMER_MAX_MS)


def disarm(state: State) -> None:
    """Stop the view timer."""
    state.timer.deadline_ms = None
    state.timer.half_ms = None


def arm(state: State) -> None:
    """Start the view timer with T(k); at most 0.5 s when the primary is gone and k = 0."""
    invariant(state.timer.deadline_ms is None, "the timer is armed twice")
    length, now = timer_ms(state.timer.k), state.now.mono_ms
    state.timer.deadline_ms = now + length
    state.timer.half_ms = now + length // 2
    if state.replicas.primary(state.view).peer in state.lost:
        hurry(state)


def hurry(state: State) -> None:
    """The connection to the primary is lost: armed and k = 0 leaves at most 0.5 s."""
    deadline = state.timer.deadline_ms
    if deadline is not None and state.timer.k == 0:
        state.timer.deadline_ms = min(deadline, state.now.mono_ms + PRIMARY_LOST_MS)


def evaluate(state: State, proposed: bool) -> None:
    """Arm or disarm. `proposed`: there is a PRE-PREPARE at (view, H), even a refused one.

    1. Active and unarmed: armed if the pool is not empty or there is a PRE-PREPARE; 2. changing and
    unarmed: once q replicas, own included, have VIEW-CHANGEs for views ≥ view; 3. active without
    work: disarmed. Every replica runs it, the primary too; one that may not vote has none.
    """
    if state.index is None or state.observe is not None:
        disarm(state)
        return
    if state.active:
        work = state.pool.pending > 0 or proposed
        if not work:
            disarm(state)
        elif state.timer.deadline_ms is None:
            arm(state)
        return
    there = sum(1 for message in state.view_changes.values() if message.view >= state.view)
    if state.timer.deadline_ms is None and there >= state.replicas.quorum:
        arm(state)


def censorship_ms(state: State) -> int | None:
    """When the oldest pooled transaction has been pending, in this active view, for 40 s."""
    oldest = state.pool.oldest_since_ms
    if not state.active or oldest is None or state.pool.pending == 0:
        return None
    if state.index is None or state.observe is not None:
        return None
    return max(oldest, state.timer.active_since_ms) + CENSORSHIP_MS


def expired(state: State) -> bool:
    """Whether the view timer or the censorship clock has run out."""
    now, censored = state.now.mono_ms, censorship_ms(state)
    deadline = state.timer.deadline_ms
    return (deadline is not None and now >= deadline) or (censored is not None and now >= censored)


def share_oldest(state: State) -> None:
    """Half elapsed: send the oldest transactions to all, once per arming."""
    half = state.timer.half_ms
    if half is not None and state.now.mono_ms >= half:
        state.timer.half_ms = None
        if state.pool.pending > 0:
            state.out.work.append(ShareOldest())


def share_unheard(state: State) -> None:
    """Without a view timer, share the oldest transactions again while they wait.

    An observer has no timer, and neither has who changes to a view alone. What only its pool holds
    would otherwise wait for ever: nobody else knows that there is work (§10.10).
    """
    oldest, now = state.pool.oldest_since_ms, state.now.mono_ms
    if state.timer.deadline_ms is not None or state.pool.pending == 0 or oldest is None:
        return
    if now - max(oldest, state.timer.shared_ms) >= SHARE_AGAIN_MS:
        state.timer.shared_ms = now
        state.out.work.append(ShareOldest())


def wake_at_ms(state: State) -> int | None:
    """The next deadline. While ApplyBlock is unanswered an expired one waits for the answer."""
    timer = state.timer
    deadlines = [timer.half_ms, timer.deadline_ms, censorship_ms(state), timer.clock_retry_ms]
    coming = [d for d in deadlines if d is not None and d > state.now.mono_ms]
    return min(coming, default=None)
