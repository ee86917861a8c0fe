"""Every bound of the consensus room, each named once with its unit."""

from __future__ import annotations

VALIDATORS_MAX = 64
CHAIN_ID_CHARACTERS_MAX = 128
DIGEST_BYTES = 32
KEY_BYTES = 32
SIGNATURE_BYTES = 64
HEADER_BYTES_MAX = 4096
CERTIFICATE_BYTES_MAX = 16 * 1024
VIEW_CHANGE_BYTES_MAX = 48 * 1024
FRAME_BYTES_MAX = 4 * 1024 * 1024
RECORD_BYTES_MAX = 64 * 1024 * 1024
NUMBER_MAX = 2**53 - 1

VOTE_VIEWS_MAX = 4  # highest views kept per sender, kind and height
OWN_VIEWS_MAX = 8  # highest views whose own votes and bodies are kept at one height
UNASKED_BODIES_PER_PEER_MAX = 2
BODIES_MAX = 192  # volatile bodies, all peers together
PEERS_MAX = 1024  # peers whose STATUS is remembered
CHAIN_BLOCKS_MAX = 1024  # blocks taken from one ChainReceived
EXECUTED_MAX = 64  # results of executions on one head, newest kept
RECENT_DIGESTS_MAX = 256  # newest heights whose digest is remembered
EVIDENCE_MAX = 256  # cases reported by one process

TIMER_BASE_MS = 2_000
TIMER_MAX_MS = 60_000
SHARE_AGAIN_MS = 2_000  # between two sharings while no view timer runs
CENSORSHIP_MS = 40_000
PRIMARY_LOST_MS = 500
BLOCK_AGE_MS_MAX = 120_000
BLOCK_AHEAD_MS_MAX = 2_000
FETCH_MS_MAX = 10_000  # an unanswered fetch is given to the next peer
FETCH_AGAIN_MS = 1_000  # a peer that had nothing is asked again after this
CHAIN_AGAIN_MS = 5_000  # a peer that had no valid chain is asked again after this
CATCH_UP_REPLY_MS = 500  # at most one NEW-VIEW or certificate to one peer in this time
