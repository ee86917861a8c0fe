"""Every limit of the ledger, once, with its unit."""

CODEC_DEPTH_MAX = 16  # nested arrays and maps
CODEC_ITEMS_MAX = 200_000  # entries of one array or map
BLOCK_BYTES_MAX = 8 * 1024 * 1024
BLOCK_TRANSACTIONS_MAX = 10_000
TRANSACTION_BYTES_MAX = 32 * 1024
HEADER_BYTES_MAX = 1024
GENESIS_BYTES_MAX = 4 * 1024 * 1024
VALIDITY_MS_MAX = 24 * 3600 * 1000  # valid_until_ms beyond the block's time
MASS_G_MAX = 1_048_575_000
UNITS_MAX = 1_048_575
BATCH_NO_MAX = 33_554_431
TIME_MS_MAX = 2**53
PPM = 1_000_000
REE_SUM_TOLERANCE_PPM = 500
CLOSURE_TOLERANCE_PPM = 5_000
ORIGINS_MAX = 16
DOCS_MAX = 16
PACKS_MAX = 256
IMPURITIES_MAX = 64
TEXT_CHARS_MAX = 128
LIST_MAX = 500  # entries of one page

BLOOM_FILTER_BITS = 10  # per key: one false positive in about a hundred, so absence costs no read
NEWEST_BYTES = 16 * 1024 * 1024  # bodies that an open looks for: more than LevelDB's log holds
STATE_CACHED_LEVELS = 4  # of pages kept in memory: at most 1 + 16 + 256 + 4096, about 10 MB
PASSPORT_BYTES_MAX = 128 * 1024
PASSPORT_DEPTH_MAX = 32  # nested arrays and objects
INCLUSION_PATH_MAX = 64  # digests; a tree of 2^53 entries needs 53
JSON_DIGITS_MAX = 16  # of an integer, a sign included; 2^53 - 1 has 16
