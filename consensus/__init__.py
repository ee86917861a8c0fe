"""Agreement on the next block: a PBFT replica, one height at a time, pure and sans-IO."""

from .certificates import verify_commit_certificate
from .errors import InvariantBroken, ProtocolViolation
from .journal import journal_reach
from .replica import Replica

__all__ = [
    "InvariantBroken",
    "ProtocolViolation",
    "Replica",
    "journal_reach",
    "verify_commit_certificate",
]
