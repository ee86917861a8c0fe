"""What one run of the simulator shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What one run showed. `command` reproduces it; `recovery_ms` is from healing to the end.

    `byzantine`: the roles of the liars, joined by "+", or None."""

    seed: int
    validators: int
    trace_hash: str
    violations: tuple[str, ...]
    heights: tuple[int, ...]
    byzantine: str | None
    virtual_ms: int
    recovery_ms: int
    command: str

    @property
    def ok(self) -> bool:
        """Whether every property held."""
        return not self.violations
