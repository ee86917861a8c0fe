"""The ledger that a node runs, under a simulated replica: real batches, blocks, rules and roots.

Its store is in memory; that LevelDB keeps what was synced is tested with LevelDB.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Sequence

from consensus import ProtocolViolation, verify_commit_certificate
from consensus.interface import Block, CommittedBlock, Environment, Header, Validator
from ledger.blocks import (
    BlockHeader,
    ParsedBlock,
    build_block,
    encode_header,
)
from ledger.chain import Chain, ExecutedBlock
from ledger.codec import signing_bytes
from ledger.errors import InvalidBlock, InvalidTransaction
from ledger.genesis import Genesis, build_genesis, parse_genesis
from ledger.genesis import Validator as Member
from ledger.integrity import check_chain
from ledger.transactions import (
    Envelope,
    Transaction,
    assemble,
    encode_unsigned,
    parse_transaction,
    payload_from_json,
)
from node import keys
from node.environment import (
    NodeEnvironment,
    consensus_block,
    consensus_header,
    consensus_validators,
)
from node.simulation.application import AppHead
from node.simulation.limits import (
    BLOCK_TRANSACTIONS_MAX,
    EPOCH_MS,
    RIVAL_EVERY,
    VALIDITY_MS,
)
from node.simulation.store import CheckedStore

MEMBERS = ("K77G", "S3PA")
_CODE = MEMBERS[0]
_KEYS = {
    code: keys.from_seed("member", hashlib.sha256(b"a producer: " + code.encode()).digest())
    for code in MEMBERS
}


class RealLedgers:
    """Chains of one genesis; what any of them has parsed or verified, none does again."""

    def __init__(
        self,
        validators: tuple[Validator, ...],
        known: tuple[Validator, ...],
        environment: Environment,
    ) -> None:
        """`known` are the validators and, behind them, observers."""
        self.genesis = _genesis(validators, known[len(validators) :])
        self.chain_id = self.genesis.chain_id
        self.environment = environment
        self.parsed: dict[bytes, Transaction] = {}
        self.formats = NodeEnvironment(None, known=self.parsed.get)
        self._verdicts: dict[bytes, bool] = {}

    def new(self) -> RealLedger:
        """See `Ledgers`."""
        return RealLedger(self)

    def transaction(self, number: int, member: str = _CODE) -> bytes:
        """A registration. Each `RIVAL_EVERY`-th claims the batch number of the one before it."""
        rival = 1 if number % RIVAL_EVERY == RIVAL_EVERY - 1 else 0
        envelope = Envelope(
            chain_id=self.chain_id,
            key=_KEYS[member].public,
            kind="batch.register",
            member=member,
            payload=payload_from_json(_payload(member, 1 + number - rival)),
            salt=number.to_bytes(16, "big"),
            v=1,
            valid_until_ms=EPOCH_MS + VALIDITY_MS,
        )
        unsigned = encode_unsigned(envelope)
        return assemble(unsigned, _KEYS[member].sign(signing_bytes("kilochain/tx/1", unsigned)))

    def read(self, signed: bytes) -> Transaction | None:
        """A transaction, or None where the bytes are none."""
        found = self.parsed.get(signed)
        if found is None:
            try:
                found = self.parsed[signed] = parse_transaction(signed)
            except InvalidTransaction:
                return None
        return found

    def check(self, transactions: Sequence[Transaction]) -> list[bool]:
        """The ledger's SignatureCheck."""
        for each in transactions:
            if each.signed not in self._verdicts:
                key, message = each.envelope.key, each.signing_bytes
                self._verdicts[each.signed] = keys.verify(key, message, each.signature)
        return [self._verdicts[each.signed] for each in transactions]

    def check_certificate(
        self, header: BlockHeader, certificate: bytes, who: Sequence[Member]
    ) -> str | None:
        """The ledger's CertificateCheck."""
        read = consensus_header(header, encode_header(header))
        voters = consensus_validators(tuple(who))
        try:
            verify_commit_certificate(read, certificate, voters, self.chain_id, self.environment)
        except ProtocolViolation as error:
            return str(error)
        return None


class RealLedger:
    """One replica's chain. See `Application` for every method."""

    def __init__(self, ledgers: RealLedgers) -> None:
        self._ledgers = ledgers
        self._store = CheckedStore()
        self._chain = Chain.create(self._store, ledgers.genesis, ledgers.check)
        self._executed: dict[bytes, ExecutedBlock] = {}
        self._head: AppHead | None = None
        self.lies = False

    @property
    def head(self) -> AppHead:
        """See `Application`."""
        if self._head is None:
            chain = self._chain
            self._head = AppHead(
                self.read_header(chain.head.header_bytes),
                chain.head.certificate,
                consensus_validators(chain.validators),
                chain.epoch,
                chain.journal_record,
            )
        return self._head

    def read_header(self, data: bytes) -> Header:
        """See `Application`."""
        return self._ledgers.formats.read_header(data)

    def read_block(self, data: bytes) -> Block:
        """See `Application`."""
        return self._ledgers.formats.read_block(data)

    def admits(self, transaction: bytes) -> bool:
        """See `Application`."""
        read = self._ledgers.read(transaction)
        if read is None or not self._ledgers.check([read])[0]:
            return False
        try:
            self._chain.admit(read, EPOCH_MS)
        except InvalidTransaction:
            return False
        return True

    def build(self, pooled: Sequence[bytes], time_ms: int, proposer: int) -> Block | None:
        """See `Application`."""
        read = [each for each in map(self._ledgers.read, pooled) if each is not None]
        time_ms = max(time_ms, self._chain.head.time_ms + 1)
        executed, _ = self._chain.build(read, time_ms, proposer)
        if executed is None:
            return None
        if self.lies:
            return consensus_block(_misstated(executed.block))
        self._keep(executed)
        return consensus_block(executed.block)

    def execute(self, block: Block) -> str | None:
        """See `Application`."""
        assert isinstance(block.content, ParsedBlock)
        try:
            self._keep(self._chain.execute(block.content))
        except InvalidBlock as error:
            return str(error)
        return None

    def append(self, block: Block, certificate: bytes, journal_record: int) -> None:
        """See `Application`."""
        refusal = None if block.digest in self._executed else self.execute(block)
        if refusal is not None:
            raise ValueError(f"block {block.height} does not execute: {refusal}")
        self._chain.append(self._executed[block.digest], certificate, journal_record)
        self._executed.clear()
        self._head = None

    def stored(self, height: int) -> CommittedBlock | None:
        """See `Application`."""
        found = self._chain.stored_block(height) if height > 0 else None
        if found is None:
            return None
        return CommittedBlock(self.read_block(found.data), found.certificate)

    def find(self, digest: bytes) -> Block | None:
        """See `Application`."""
        stored = self.stored(self._chain.height_of(digest) or 0)
        return None if stored is None else stored.block

    def transactions(self, block: Block) -> tuple[bytes, ...]:
        """See `Application`."""
        assert isinstance(block.content, ParsedBlock)
        return tuple(each.signed for each in block.content.transactions)

    def audit(self) -> str | None:
        """See `Application`."""
        ledgers = self._ledgers
        checks = (ledgers.check, ledgers.check_certificate)
        return check_chain(self._store, ledgers.genesis, *checks, lambda height, last: None)

    def reopen(self) -> None:
        """See `Application`."""
        self._executed.clear()
        self._head = None
        self._chain = Chain.open(self._store, self._ledgers.genesis, self._ledgers.check)

    def reset(self) -> None:
        """See `Application`."""
        self._store = CheckedStore()
        Chain.create(self._store, self._ledgers.genesis, self._ledgers.check)
        self.reopen()

    def damage(self, kind: str, chance: random.Random) -> None:
        """See `Application`."""
        self._store.damage(kind, chance)

    def _keep(self, executed: ExecutedBlock) -> None:
        self._executed[executed.block.digest] = executed


def _misstated(block: ParsedBlock) -> ParsedBlock:
    header = dataclasses.replace(block.header, state_root=bytes(32))
    return build_block(header, block.transactions)


def _genesis(validators: Sequence[Validator], observers: Sequence[Validator]) -> Genesis:
    producers = [
        {
            "code": code,
            "name": f"Invented producer {code}",
            "country": "AU",
            "roles": ["producer"],
            "facilities": [{"id": f"{code}-01", "name": "works", "country": "AU"}],
            "keys": [{"key": key.public.hex(), "status": "active"}],
        }
        for code, key in _KEYS.items()
    ]
    voters = [
        {"name": each.name, "member": _CODE, "key": each.key.hex(), "peer_id": each.peer}
        for each in validators
    ]
    peers = [{"name": each.name, "member": _CODE, "peer_id": each.peer} for each in observers]
    parameters = {"block_transactions_max": BLOCK_TRANSACTIONS_MAX}
    consortium = {"members": producers, "parameters": parameters}
    return parse_genesis(build_genesis(consortium, voters, peers, "simulated", EPOCH_MS - 1))


def _payload(member: str, batch_no: int) -> dict[str, object]:
    return {
        "batch_no": batch_no,
        "facility": f"{member}-01",
        "product": "nd2o3",
        "stage": "separated",
        "net_mass_g": 2500,
        "units": 3,
        "produced_on": "2026-11-01",
        "basis": "ignited",
        "total_ppm": 995_000,
        "ree": {"Nd": 995_000, "Pr": 5_000},
        "impurities": {"Fe2O3": 100},
        "origin": [{"country": "AU", "site": "Invented", "share_ppm": 1_000_000}],
        "coc": "IP",
        "assay": {"lab": member, "method": "ICP-OES", "cert": "A-1", "sha256": "00" * 32},
    }
