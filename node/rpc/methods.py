"""The one table of methods: dispatch, `rpc.discover` and docs/rpc.md all come from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from node.rpc import examples, network_methods, proofs, records, submissions
from node.rpc.context import Context
from node.rpc.diagnosis import Why, WhyValidator, chain_why
from node.rpc.passport_shapes import GenesisDocument, PassportRow, ProofAt
from node.rpc.shapes import (
    BatchList,
    BatchPage,
    BatchRow,
    BlockAt,
    BlockPage,
    BlockRow,
    BlockSummary,
    CertificateRow,
    ChainStatus,
    Cut,
    CutDone,
    Encoded,
    EnvelopeToEncode,
    Lookup,
    MemberRow,
    NodeInfo,
    NoParameters,
    Parameters,
    Peer,
    RecordAt,
    Submission,
    TransactionAt,
    TransactionState,
    ValidatorRow,
    VoteRow,
)

Handler = Callable[[Context, Any], Awaitable[object]]
LotHandler = Callable[[Context, Any], Awaitable[Sequence[object]]]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `given` and `shown` are an example; `writes` needs the right to write.

    `lot_handler`: performs the calls of one batch together; a result or an RPCError for each.
    """

    name: str
    parameters: type[Parameters]
    result: Any
    handler: Handler
    summary: str
    given: dict[str, object]
    shown: object
    writes: bool = False
    testnet: bool = False
    lot_handler: LotHandler | None = None


_ABOUT_THE_NODE = (
    Method(
        "chain.status",
        NoParameters,
        ChainStatus,
        network_methods.chain_status,
        "Where this node stands: head, view, validators, pool, and whether it is ready.",
        {},
        ChainStatus(
            chain_id=examples.CHAIN_ID,
            version="0.1.0",
            height=7,
            head=examples.DIGEST,
            head_time_ms=examples.TIME_MS,
            state_root=examples.ROOT,
            epoch=1,
            view=0,
            mode="active",
            primary=0,
            replica=2,
            n=4,
            f=1,
            quorum=3,
            pending=0,
            peers=3,
            syncing=False,
            ready=True,
            reason="ready",
        ),
    ),
    Method(
        "chain.why",
        NoParameters,
        Why,
        chain_why,
        "What the next block waits for, as this node sees it, and what would help.",
        {},
        Why(
            height=8,
            view=0,
            mode="active",
            quorum=3,
            pending=0,
            timer_ms=None,
            waits_for=["nothing: no transaction is waiting"],
            then=[],
            validators=[WhyValidator(0, "v0", True, 7, False, False, None)],
        ),
    ),
    Method(
        "node.info",
        NoParameters,
        NodeInfo,
        network_methods.node_info,
        "Who answers: name, peer ID, addresses, version, start time.",
        {},
        NodeInfo("v0", examples.PEER_ID, ["/ip4/127.0.0.1/tcp/8644"], "0.1.0", examples.TIME_MS),
    ),
    Method(
        "peer.list",
        NoParameters,
        list[Peer],
        network_methods.peer_list,
        "The peers that this node knows, connected or not.",
        {},
        [
            Peer(
                examples.PEER_ID,
                "v1",
                "K77G",
                "/ip4/127.0.0.1/tcp/8654",
                connected=True,
                height=7,
                round_trip_ms=0.9,
            )
        ],
    ),
    Method(
        "validator.list",
        NoParameters,
        list[ValidatorRow],
        network_methods.validator_list,
        "Who votes on the next block, by index.",
        {},
        [ValidatorRow(0, "v0", "K77G", examples.KEY, examples.PEER_ID)],
    ),
    Method(
        "member.list",
        NoParameters,
        list[MemberRow],
        network_methods.member_list,
        "The members of the consortium with their roles, keys and facilities.",
        {},
        [examples.MEMBER],
    ),
)
_CHAIN = (
    Method(
        "block.get",
        BlockAt,
        BlockRow,
        records.block_get,
        "One block, by height or by digest, with its commit certificate.",
        {"height": 7},
        BlockRow(
            examples.DIGEST,
            examples.HEADER,
            CertificateRow(0, [VoteRow(0, examples.SIGNATURE)]),
            [examples.TRANSACTION],
        ),
    ),
    Method(
        "block.list",
        BlockPage,
        list[BlockSummary],
        records.block_list,
        "Blocks, newest first.",
        {"limit": 1},
        [examples.SUMMARY],
    ),
    Method(
        "tx.submit",
        Submission,
        TransactionState,
        submissions.submit,
        "Submit a signed transaction. Sending it again is always safe: the answer is its status.",
        {"tx": "ksUB44ioY2hh…", "wait": "committed"},
        examples.COMMITTED,
        writes=True,
        lot_handler=submissions.submit_lot,
    ),
    Method(
        "tx.encode",
        EnvelopeToEncode,
        Encoded,
        submissions.encode,
        "The bytes to sign of an envelope in JSON; with the signature, the transaction to submit.",
        {"envelope": examples.ENVELOPE},
        Encoded("iKhjaGFpbl9pZLg…", "a2lsb2NoYWluL3R4LzEA…", examples.TX_ID, None),
    ),
    Method(
        "tx.get",
        TransactionAt,
        TransactionState,
        submissions.get,
        "What became of a transaction, as far as this node knows.",
        {"tx_id": examples.TX_ID},
        examples.COMMITTED,
    ),
    Method(
        "batch.get",
        RecordAt,
        BatchRow,
        records.batch_get,
        "A batch as registered, by its ID or that of one of its kilograms.",
        {"id": examples.BATCH},
        examples.BATCH_ROW,
    ),
    Method(
        "batch.list",
        BatchPage,
        BatchList,
        records.batch_list,
        "A member's batches in the order of their numbers.",
        {"member": "K77G", "limit": 1},
        BatchList([examples.BATCH_ROW], 48),
    ),
    Method(
        "id.lookup",
        RecordAt,
        Lookup,
        records.id_lookup,
        "The record of a kilogram or batch: origin, composition, mass, where it is anchored.",
        {"id": "RE1-K77G-0001G-0001-GK"},
        examples.LOOKUP,
    ),
    Method(
        "testnet.cut",
        Cut,
        CutDone,
        network_methods.testnet_cut,
        "Refuse and drop these peers; an empty list heals. Only on nodes of a testnet.",
        {"peers": [examples.PEER_ID]},
        CutDone([examples.PEER_ID], []),
        writes=True,
        testnet=True,
    ),
)
_PROOFS = (
    Method(
        "proof.get",
        ProofAt,
        PassportRow | str,
        proofs.proof_get,
        "The passport of an ID: proof that it is registered, or that it is not.",
        {"id": "RE1-K77G-0001G-0001-GK", "current": True},
        examples.PASSPORT,
    ),
    Method(
        "genesis.get",
        NoParameters,
        GenesisDocument,
        proofs.genesis_get,
        "The genesis document to the byte. Compare its digest with one that you have elsewhere.",
        {},
        GenesisDocument(examples.CHAIN_ID, examples.DIGEST, "eyJ2ZXJzaW9uIjox…"),
    ),
)
METHODS = (*_ABOUT_THE_NODE, *_CHAIN, *_PROOFS)
