"""Blocks for whoever is behind: what is answered to peers, and how their answers are read.

Request "chain": canonical MessagePack of the first height wanted. Answer: [[body, certificate], …],
consecutive from there, bounded by bytes. Request "block": a digest. Answer: the body.
"""

from __future__ import annotations

from collections.abc import Callable

from consensus.interface import Block, CommittedBlock
from ledger.chain import Chain
from ledger.codec import CodecError, decode, encode
from node.limits import BLOCK_BYTES_MAX, SYNC_BLOCKS_MAX, SYNC_RESPONSE_BYTES_MAX

_ANSWER_BYTES_MAX = SYNC_RESPONSE_BYTES_MAX + BLOCK_BYTES_MAX


class BadRequest(Exception):  # noqa: N818 - the name says what happened
    """A request that cannot be answered; the message goes back to the peer."""


def serve_chain(chain: Chain, payload: bytes) -> bytes:
    """Answer a "chain" request: at least one block if there is one. Raises BadRequest."""
    try:
        first = decode(payload, bytes_max=16)
    except CodecError as error:
        raise BadRequest(str(error)) from error
    if not isinstance(first, int) or isinstance(first, bool) or first < 1:
        raise BadRequest("a height is an integer from 1")
    found: list[list[bytes]] = []
    size = 0
    head = chain.head.height
    for height in range(first, min(head, first + SYNC_BLOCKS_MAX - 1) + 1):
        stored = chain.stored_block(height)
        if stored is None:
            break
        size += len(stored.data) + len(stored.certificate)
        if found and size > SYNC_RESPONSE_BYTES_MAX:
            break
        found.append([stored.data, stored.certificate])
    return encode(found)


def serve_block(chain: Chain, held: Callable[[bytes], Block | None], digest: bytes) -> bytes:
    """Answer a "block" request from what the replica holds or the chain. Raises BadRequest."""
    if len(digest) != 32:
        raise BadRequest("a digest is 32 bytes")
    block = held(digest)
    if block is not None:
        return block.data
    height = chain.height_of(digest)
    stored = None if height is None else chain.stored_block(height)
    if stored is None:
        raise BadRequest("no such block here")
    return stored.data


def chain_request(first: int) -> bytes:
    """The payload that asks for blocks from `first` on."""
    return encode(first)


def read_chain(data: bytes, read_block: Callable[[bytes], Block]) -> tuple[CommittedBlock, ...]:
    """Decode the answer to a "chain" request. Raises ValueError; blocks, so call in a thread."""
    value = decode(data, bytes_max=_ANSWER_BYTES_MAX)
    if not isinstance(value, list) or len(value) > SYNC_BLOCKS_MAX:
        raise ValueError("not a list of blocks")
    blocks: list[CommittedBlock] = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("not a block with its certificate")
        body, certificate = pair
        if not isinstance(body, bytes) or not isinstance(certificate, bytes):
            raise ValueError("not a block with its certificate")
        blocks.append(CommittedBlock(read_block(body), certificate))
    return tuple(blocks)
