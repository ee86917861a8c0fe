"""Every limit of the node's core, named once with its unit."""

from __future__ import annotations

INBOX_EVENTS_MAX = 8_192  # frames and bodies that wait for the replica
JOURNAL_RECORD_BYTES_MAX = 64 * 1024 * 1024
JOURNAL_COMPACT_BYTES = 8 * 1024 * 1024  # a longer journal is rewritten as the durable state

POOL_TRANSACTIONS_MAX = 50_000
POOL_BYTES_MAX = 64 * 1024 * 1024
POOL_SHARED_TRANSACTIONS = 8_000  # in a longer pool each member has an equal part of this many
POOL_SHARED_BYTES = 16 * 1024 * 1024
POOL_DOOR_TRANSACTIONS = 4_000  # the same at the RPC, lower: what is gossiped must still fit
POOL_DOOR_BYTES = 8 * 1024 * 1024
POOL_REFUSED_MAX = 20_000  # refusals remembered, so that tx.get can give the reason
POOL_RETRY_AFTER_MS = 500

SUBMIT_SLICE = 16  # transactions that are looked at before other tasks get their turn
VERIFY_THREADS = 2
VERIFY_CACHE_MAX = 200_000  # signed transactions known to be well signed
VERIFY_PENDING_MAX = 20_000  # submissions that wait for a verification

CHUNK_BYTES_MAX = 64 * 1024
CHUNK_BYTES_ACCEPTED_MAX = 256 * 1024
CHUNK_TRANSACTIONS_MAX = 2_000
CHUNK_LINGER_S = 0.025
WAITING_BYTES_MAX = 32 * 1024 * 1024  # that wait for gossip; above, half is let go
SHARE_OLDEST_BYTES = 64 * 1024

PROPOSER_LINGER_S = 0.015
PROPOSER_SMALL_POOL = 200  # transactions; a pool below this is given the linger to grow
BLOCK_FRAMING_BYTES = 1_024  # header and lengths, apart from the transactions

WAITERS_MAX = 10_000  # callers that wait for a commit
EXECUTED_CACHE_MAX = 4  # executed blocks kept for the apply that follows

SYNC_RESPONSE_BYTES_MAX = 2 * 1024 * 1024
SYNC_BLOCKS_MAX = 256  # in one answer
BLOCK_BYTES_MAX = 8 * 1024 * 1024  # a body on the wire, whatever the chain allows
REQUEST_TIMEOUT_S = 5.0

WATCH_S = 1.0  # between two looks at what expired and what the log should say
HEARTBEAT_S = 1.0
HEARTBEAT_JITTER_S = 0.2
DESCRIPTORS_MAX = 65_536  # open files and sockets of one process
MEMORY_BYTES_MAX = 4 << 30  # resident, of one node; an idle one holds about 0.1 GiB
