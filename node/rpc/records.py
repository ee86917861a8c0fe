"""The methods that read the chain: blocks, batches, kilograms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from consensus import ProtocolViolation, verify_commit_certificate
from ledger.blocks import encode_header, header_digest, parse_block
from ledger.errors import StoreCorrupted
from ledger.identifiers import format_id
from ledger.records import describe
from node.environment import NodeEnvironment, consensus_header, consensus_validators
from node.rpc.context import Context, not_found
from node.rpc.protocol import INVALID_PARAMS, RPCError
from node.rpc.shapes import (
    BatchPage,
    BlockAt,
    BlockPage,
    BlockRow,
    BlockSummary,
    CertificateRow,
    HeaderRow,
    RecordAt,
    TransactionRow,
    VoteRow,
)

if TYPE_CHECKING:
    from ledger.blocks import BlockHeader, ParsedBlock
    from ledger.chain import Chain
    from ledger.transactions import Transaction


async def block_get(context: Context, given: BlockAt) -> BlockRow:
    """One block by height or digest. Raises RPCError."""
    if (given.height is None) == (given.digest is None):
        message = "give the block's height or its digest, one of the two"
        raise RPCError(INVALID_PARAMS, message, code="E_PARAMS", field="height")
    return await context.read(partial(_block, context.node.chain, given))


async def block_list(context: Context, given: BlockPage) -> list[BlockSummary]:
    """The newest blocks below a height."""
    chain = context.node.chain
    last = chain.head.height
    if given.before is not None:
        last = min(last, given.before - 1)
    first = max(0, last - given.limit + 1)
    return await context.read(lambda: [_summary(chain, h) for h in range(last, first - 1, -1)])


async def batch_get(context: Context, given: RecordAt) -> dict[str, Any]:
    """A batch as registered, by its ID or that of one of its kilograms. Raises LedgerError."""
    return await context.read(partial(context.node.chain.batch_record, given.id))


async def batch_list(context: Context, given: BatchPage) -> dict[str, Any]:
    """A member's batches. Raises RPCError for a code that no member has."""
    chain = context.node.chain
    if all(member.code != given.member for member in context.node.genesis.members):
        raise not_found(f"no member has the code {given.member}", "member")
    return await context.read(partial(_batches, chain, given))


async def id_lookup(context: Context, given: RecordAt) -> dict[str, Any]:
    """The record of an ID. Raises InvalidIdentifier, NotRegistered."""
    node = context.node
    record = await context.read(partial(node.chain.lookup, given.id))
    names = {member.code: member.name for member in node.genesis.members}
    return {**record, "registered_by_name": names[str(record["registered_by"])]}


def _block(chain: Chain, given: BlockAt) -> BlockRow:
    height = given.height
    if given.digest is not None:
        height = chain.height_of(bytes.fromhex(given.digest))
        if height is None:
            raise not_found("this node has no block with that digest", "digest")
    assert height is not None
    stored = chain.stored_block(height)
    if stored is None:
        raise not_found(f"no block at height {height}: the head is {chain.head.height}", "height")
    block = parse_block(stored.data)
    return BlockRow(
        digest=block.digest.hex(),
        header=_header(block.header),
        certificate=_certificate(chain, block, stored.certificate) if height else None,
        transactions=[_transaction(each) for each in block.transactions],
    )


def _transaction(transaction: Transaction) -> TransactionRow:
    envelope = transaction.envelope
    payload = envelope.payload
    return TransactionRow(
        tx_id=transaction.tx_id.hex(),
        kind=envelope.kind,
        member=envelope.member,
        id=format_id(envelope.member, payload.batch_no, 0),
        product=payload.product,
        units=payload.units,
        net_mass_g=payload.net_mass_g,
    )


def _header(header: BlockHeader) -> HeaderRow:
    return HeaderRow(
        version=header.version,
        chain_id=header.chain_id,
        height=header.height,
        parent=header.parent.hex(),
        time_ms=header.time_ms,
        proposer=header.proposer,
        transactions=header.transactions,
        transactions_root=header.transactions_root.hex(),
        state_root=header.state_root.hex(),
        validators_hash=header.validators_hash.hex(),
        next_validators_hash=header.next_validators_hash.hex(),
    )


def _certificate(chain: Chain, block: ParsedBlock, certificate: bytes) -> CertificateRow:
    try:
        view, votes = verify_commit_certificate(
            consensus_header(block.header, block.header_bytes),
            certificate,
            consensus_validators(chain.validators),
            chain.genesis.chain_id,
            NodeEnvironment(None),
        )
    except ProtocolViolation as error:
        message = f"the stored certificate of block {block.header.height} does not verify: {error}"
        raise StoreCorrupted("E_CORRUPTED", message) from error
    return CertificateRow(view, [VoteRow(replica, vote.hex()) for replica, vote in votes])


def _summary(chain: Chain, height: int) -> BlockSummary:
    header = chain.header(height)
    if header is None:
        raise StoreCorrupted("E_CORRUPTED", f"block {height} is missing below the head")
    return BlockSummary(
        height=height,
        digest=header_digest(encode_header(header)).hex(),
        time_ms=header.time_ms,
        proposer=header.proposer,
        transactions=header.transactions,
    )


def _batches(chain: Chain, given: BatchPage) -> dict[str, Any]:
    # One more than asked for tells whether there is a next page.
    found = chain.batches(given.member, given.after, given.limit + 1)
    page = found[: given.limit]
    more = len(found) > given.limit
    return {
        "batches": [describe(each) for each in page],
        "next": page[-1].batch_no if more else None,
    }
