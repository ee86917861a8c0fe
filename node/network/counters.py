"""Plain counters for the metrics."""

from dataclasses import dataclass, field

from node.network import limits


@dataclass(slots=True)
class Counters:
    """Totals since start; bytes are payload bytes of frames, faults are per reason."""

    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    dropped: int = 0
    requests_in: int = 0
    requests_out: int = 0
    chunks_in: int = 0
    chunks_out: int = 0
    refused: int = 0
    dials: int = 0
    dial_failures: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def fault(self, reason: str) -> None:
        """Count a fault under its reason."""
        if reason not in self.faults and len(self.faults) >= limits.FAULT_REASONS_MAX:
            reason = "other"
        self.faults[reason] = self.faults.get(reason, 0) + 1
