"""Every limit of the network room, named once with its unit."""

FRAME_BYTES_MAX = 8 * 1024 * 1024
"""Largest frame on a direct stream, type byte included."""
REQUEST_BYTES_MAX = 64 * 1024
"""Largest request."""
RESPONSE_BYTES_MAX = 16 * 1024 * 1024
"""Largest answer to a request."""
CHUNK_BYTES_MAX = 900_000
"""Largest gossip chunk; the library loses larger messages without a word."""
CHUNKS_PER_PEER_MAX = 64
"""Gossip chunks of one peer that wait for their validation; more are dropped."""
READ_BYTES = 64 * 1024
"""One read from a stream: each read costs a window update, so read much."""
WRITE_BYTES = 256 * 1024
"""One write to a stream; progress is watched from write to write."""
SEND_QUEUE_BYTES_MAX = 32 * 1024 * 1024
"""Frames waiting for one peer; more are dropped and counted."""
INBOUND_WORK_MAX = 8
"""Blocks and chunks of one peer waiting for their handler; when full, reading stops."""
LINKS_MAX = 256
"""Peers with a link at one time."""
CONNECTIONS_PER_PEER_MAX = 4
"""Connections one peer may hold; two appear when both sides dial at once."""
REQUESTS_SERVED_PER_PEER_MAX = 4
"""Requests of one peer served at one time."""
REQUESTS_SERVED_MAX = 32
"""Requests served at one time."""
FAULT_REASONS_MAX = 64
"""Distinct fault reasons counted apart; the rest count as "other"."""
SCORED_PEERS_MAX = 1024
"""Peers whose faults are remembered."""

HANDSHAKE_S = 5.0
"""Noise handshake, both directions."""
DIAL_S = 6.0
"""One dial, negotiation included."""
HELLO_S = 5.0
"""Wait for the hello of a stream."""
HEARTBEAT_S = 2.0
"""Silence after which a link sends a ping; they are most of what an idle node costs."""
ROUND_TRIP_S = 10.0
"""Between two pings on a link that is not silent: they measure the round trip."""
WATCH_S = 0.5
"""Between two looks of a link's watchdog, and at connections with no right to stay."""
DEAD_S = 4.5
"""Silence after which a peer is dead."""
STALL_S = 4.5
"""A write that makes no progress this long ends the connection."""
BACKOFF_MIN_S = 0.1
"""First wait before a redial."""
BACKOFF_MAX_S = 1.0
"""Longest wait before a redial; a restarted peer must be back within two seconds."""
DIAL_GRACE_S = 1.5
"""The peer with the higher ID leaves the other this long to dial."""
SERVE_S = 30.0
"""Serving one request."""
CLOSE_S = 2.0
"""Closing one connection."""
SHUTDOWN_S = 5.0
"""Closing everything at the end."""
FAULT_WINDOW_S = 60.0
"""Faults older than this are forgotten."""
FAULTS_MAX = 10
"""Faults within the window after which a peer is refused."""
REFUSAL_S = 60.0
"""How long a peer with too many faults is refused."""
WRONG_CHAIN_REFUSAL_S = 5.0
"""How long a peer of another chain is refused."""
COALESCE_YIELDS = 20
"""Turns the writer gives to other tasks before it flushes, so that frames share one write."""
COALESCE_S = 0.001
"""And how long at most: on a busy node a turn is long, and a vote must not wait for twenty."""
