"""Every limit of the network room, named once with its unit."""

FRAME_BYTES_MAX = 8 * 1024 * 1024
"""Largest frame on a direct stream, type byte included."""
REQUEST_BYTES_MAX = 64 * 1024
"""Largest request."""
RESPONSE_BYTES_MAX = 16 * 1024 * 1024
"""Largest answer to a request."""
CHUNK_BYTES_MAX = 900_000
"""Largest gossip chunk; the library loses larger messages without a word."""
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
STREAMS_MAX = 64
"""Streams that one connection's peer may have open; honest peers need fewer than ten."""
STREAM_WINDOW_BYTES_MAX = 4 * 1024 * 1024
"""How far the window of a stream that a peer opened may grow; it begins at 256 KiB."""
UNREAD_BYTES_MAX = 32 * 1024 * 1024
"""Bytes of one connection that wait to be read, all its streams together."""
FRAMES_PER_S = 5_000
"""Multiplexer frames of one connection that are taken in a second; more wait in its socket."""
FRAMES_BURST = 5_000
"""Multiplexer frames that may come at once before the rate counts."""
STREAM_COST_FRAMES = 25
"""A new stream counts as this many frames: 200 in a second."""
DISCARD_BYTES = 64 * 1024
"""One read of what is thrown away."""
NEGOTIATION_BYTES_MAX = 4 * 1024
"""All that a peer may say to choose a protocol, a stream's or a connection's."""
HANDSHAKES_MAX = 256
"""Connections of peers not yet known; past it the oldest one makes room."""
GOSSIP_BYTES_MAX = 1024 * 1024
"""Largest gossip message on the wire; the library sends none larger."""
GOSSIP_MESSAGES_MAX = 256
"""Messages, and control entries, in one of those."""
GOSSIP_IDS_MAX = 5_000
"""Message IDs named in one of those."""
GOSSIP_ID_BYTES_MAX = 128
"""A message ID: a peer ID and eight bytes."""
GOSSIP_SEQUENCE_BYTES = 8
"""A message's sequence number."""
GOSSIP_PENDING_MAX = 64
"""Messages of one peer that are being checked; with more, its stream is not read."""
GOSSIP_WAITING_MAX = 16
"""Messages kept for a peer that has not subscribed yet."""
GOSSIP_BACKOFF_S_MAX = 600
"""Longest time that a peer may ask not to be grafted again."""
FAULT_REASONS_MAX = 64
"""Distinct fault reasons counted apart; the rest count as "other"."""
SCORED_PEERS_MAX = 1024
"""Peers whose faults are remembered."""

HANDSHAKE_S = 5.0
"""Noise handshake, both directions."""
DIAL_S = 6.0
"""One dial, negotiation included."""
NEGOTIATION_S = 10.0
"""Choosing a stream's protocol."""
FRAME_BODY_S = 60.0
"""Arrival of an announced multiplexer frame."""
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
BUSY_S = 2.0
"""Telling a peer that it asks too much at once."""
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
BREACH_FAULTS = 5
"""What a broken limit of the multiplexer counts as: it also ends the connection."""
REFUSAL_S = 60.0
"""How long a peer with too many faults is refused."""
WRONG_CHAIN_REFUSAL_S = 5.0
"""How long a peer of another chain is refused."""
COALESCE_YIELDS = 20
"""Turns the writer gives to other tasks before it flushes, so that frames share one write."""
COALESCE_S = 0.001
"""And how long at most: on a busy node a turn is long, and a vote must not wait for twenty."""
