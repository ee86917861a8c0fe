"""Every bound and every drawn range of the simulator, each named once with its unit."""

EPOCH_MS = 1_800_000_000_000  # wall clock at virtual time zero
HEARTBEAT_MS = 1_000
HEARTBEAT_JITTER_MS = 200
WORK_DELAY_MS_MAX = 5
FETCH_TIMEOUT_MS = 1_000
FETCH_BLOCKS_MAX = 16
DISCONNECT_NOTICE_MS_MAX = 5_000
BLOCK_TRANSACTIONS_MAX = 8
POOL_TRANSACTIONS_MAX = 1_000
JOURNAL_RECORDS_BEFORE_COMPACTION = 40
JOURNAL_BYTES_MAX = 4_000_000
REPLAY_FRAMES_MAX = 200
CLOGGED_MESSAGES_MAX = 2_000  # per link; what comes on top is lost
CLOCK_JUMP_MS_MAX = 3_600_000
VALIDITY_MS = 24 * 3_600_000
LAST_TRANSACTION = 1_000_000  # its number; submitted when everything is healed
RIVAL_EVERY = 5  # each fifth registration claims a batch number that is taken
CLAIMED_HEIGHTS = 1_000  # by how much a misleader overstates its head
CHAOS_MS_MIN = 10_000
CHAOS_MS_MAX = 40_000
HEALING_MS_MAX = 15 * 60_000
EVENTS_MAX = 2_000_000
EXTRA_REPLICAS = 1  # observers that a set change may admit
SEEDS_AT_ONCE = 4  # that one of several processes takes
REAL_KEYS_EVERY = 10  # each tenth seed signs with Ed25519
TIMEOUT_STEPS_MAX = 4  # deadlines until a view timer is over: half elapsed, then elapsed
