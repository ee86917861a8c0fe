"""Everything of the RPC that could grow, and how far it may."""

BODY_BYTES_MAX = 1_048_576  # of one request
BODIES_BYTES_MAX = 32 * 1_048_576  # of all requests that are being read or answered
BODY_TIMEOUT_S = 10.0  # for a slow client to finish its body
REQUESTS_AT_ONCE_MAX = 1_024  # those that wait for a commit included
THREADS_MAX = 4  # that read the store
BATCH_CALLS_MAX = 500
BATCH_TASKS_MAX = 16  # calls of one batch at the same time, submissions apart
ANSWER_BYTES_MAX = 16 * 1_048_576  # of a batch
JSON_DEPTH_MAX = 32
JSON_NUMBER_DIGITS_MAX = 20
JSON_FRACTION_CHARACTERS_MAX = 64  # of a number with a point or an exponent
BUSY_RETRY_AFTER_MS = 250
WAIT_MS_MAX = 60_000  # for a commit, in one call
WAIT_MS_DEFAULT = 30_000
LIST_LENGTH_MAX = 100
ID_CHARACTERS_MAX = 64  # of an identifier as typed, before it is parsed
CUT_PEERS_MAX = 256
BACKLOG = 1_024  # connections that wait to be accepted
KEEP_ALIVE_S = 30.0
KEEP_ALIVE_REQUESTS_MAX = 1_000_000  # on one connection
CONNECTIONS_MAX = 4_096  # open at once; one more is closed without a word
SEND_TIMEOUT_S = 10.0  # for a client to take a piece of its answer
