"""Every limit of the testnet commands, named once with its unit."""

from __future__ import annotations

VALIDATORS_MAX = 32
OBSERVERS_DEFAULT = 2  # spare observer identities in the genesis
OBSERVERS_MAX = 16
READY_TIMEOUT_S = 60.0
SETTLE_S = 5.0  # left to the last nodes once a quorum can serve
TERM_TIMEOUT_S = 8.0  # between SIGTERM and SIGKILL
KILL_TIMEOUT_S = 5.0
POLL_S = 0.05
RPC_TIMEOUT_S = 3.0
VALID_FOR_MS = 6 * 60 * 60 * 1000  # the ledger allows at most 24 h
COMMAND_TIMEOUT_S = 60.0
LOG_TAIL_LINES = 12  # shown when a node does not come up
CALLS_PER_REQUEST = 100
COMMIT_TIMEOUT_S = 60.0
ARRAY_TIMEOUT_S = 30.0
