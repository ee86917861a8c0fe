"""Chains made by hand with real keys: any transactions, any validator sets, a state of its own.

Nothing checks what goes in, so that quorums can agree on what no correct one would. The state tree
is the recursive definition of docs/passport.md, not the ledger's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack

from ledger import merkle
from ledger.blocks import BlockHeader, encode_body, encode_header, header_digest, validators_hash
from ledger.chain import ProvenState
from ledger.codec import encode, signing_bytes
from ledger.genesis import Genesis, Validator, build_genesis, parse_genesis
from ledger.state_proof import EMPTY, StateProof, leaf_hash, node_hash, path_of
from ledger.stored_chain import StoredBlock
from ledger.transactions import (
    Envelope,
    assemble,
    encode_unsigned,
    payload_from_json,
    transaction_id,
)
from node.keys import KeyFile, from_seed

VECTORS = Path(__file__).parents[1] / "vectors" / "passports.json"
TIME_MS = 1_795_000_000_000  # 2026-11-18
HOUR_MS = 3_600_000
Entries = dict[bytes, bytes]


def key_of(name: str) -> KeyFile:
    """The key pair that belongs to a name."""
    return from_seed("validator", hashlib.sha256(f"passports {name}".encode()).digest())


def validator(name: str) -> Validator:
    """A validator of the member K77G."""
    return Validator(name, "K77G", key_of(name).public, f"peer-{name}", None)


def member(code: str, *roles: str, keys: Sequence[dict[str, Any]] = (), **more: Any) -> Any:
    """A member with two facilities and its own key besides `keys`."""
    own = {"key": key_of(code).public.hex(), "status": "active"}
    places = [{"id": f"{code}-0{i}", "name": f"works {i}", "country": "AU"} for i in (1, 2)]
    document = {"code": code, "name": f"Invented {code} Gänseblümchen", "country": "AU"}
    return {**document, "roles": list(roles), "facilities": places, "keys": [own, *keys], **more}


def genesis_of(n: int, name: str = "vectors") -> bytes:
    """genesis.json with n validators and members of every kind that matters here."""
    old = {"key": key_of("old").public.hex(), "status": "suspended"}
    second = {"key": key_of("second").public.hex(), "status": "active", "facilities": ["K77G-02"]}
    members = [
        member("K77G", "producer", keys=[old, second]),
        member("S3PA", "refiner"),
        member("QAB1", "lab"),
        member("GNE1", "producer", status="suspended"),
    ]
    voters = [
        {"name": v.name, "member": v.member, "key": v.key.hex(), "peer_id": v.peer_id}
        for v in map(validator, names(n))
    ]
    return build_genesis({"members": members}, voters, [], name, TIME_MS - HOUR_MS)


def names(n: int) -> list[str]:
    """v0 … v(n−1)."""
    return [f"v{i}" for i in range(n)]


def payload(batch_no: int, **changes: Any) -> dict[str, Any]:
    """A payload of 2.5 kg in JSON form; a change to None leaves the field out."""
    document = {
        "batch_no": batch_no,
        "facility": "K77G-01",
        "product": "nd2o3",
        "stage": "separated",
        "net_mass_g": 2500,
        "units": 3,
        "produced_on": "2026-11-01",
        "basis": "ignited",
        "total_ppm": 995_000,
        "ree": {"Nd": 995_000, "Pr": 5_000},
        "impurities": {"Fe2O3": 100},
        "origin": [{"country": "AU", "site": "Bärenberg", "share_ppm": 1_000_000}],
        "coc": "IP",
        "assay": {"lab": "QAB1", "method": "ICP-OES", "cert": "A-1", "sha256": "5a" * 32},
    }
    return {name: value for name, value in {**document, **changes}.items() if value is not None}


@dataclass
class World:
    """A chain in the making. `voters`: who signs the next block."""

    genesis: Genesis
    voters: list[Validator]
    entries: Entries = field(default_factory=dict)
    blocks: list[StoredBlock] = field(default_factory=list)
    sets: list[tuple[int, tuple[Validator, ...]]] = field(default_factory=list)
    salt: int = 0

    @staticmethod
    def of(data: bytes) -> World:
        """A chain of a genesis document, with nothing but height 0."""
        genesis = parse_genesis(data)
        found = World(genesis, list(genesis.validators), sets=[(1, genesis.validators)])
        found.blocks.append(StoredBlock(encode_body(b"", []), b""))
        return found

    @property
    def validator_sets(self) -> Sequence[tuple[int, tuple[Validator, ...]]]:
        """As a chain gives it."""
        return self.sets

    def stored_block(self, height: int) -> StoredBlock | None:
        """As a chain gives it."""
        return self.blocks[height] if 0 <= height < len(self.blocks) else None

    def state_proof(self, key: bytes) -> ProvenState:
        """As a chain gives it."""
        stored = self.blocks[-1]
        header = header_of(stored)
        return ProvenState(
            self.entries.get(key), prove(self.entries, key), header, stored.certificate
        )

    def transaction(self, document: dict[str, Any], signer: str = "K77G", **changes: Any) -> bytes:
        """A signed registration; `changes` to the envelope."""
        self.salt += 1
        fields: dict[str, Any] = {
            "chain_id": self.genesis.chain_id,
            "key": key_of(signer).public,
            "kind": "batch.register",
            "member": "K77G",
            "payload": payload_from_json(document),
            "salt": self.salt.to_bytes(16, "big"),
            "v": 1,
            "valid_until_ms": TIME_MS + HOUR_MS,
        }
        return sign(encode_unsigned(Envelope(**{**fields, **changes})), signer)

    def register(self, *batch_numbers: int, **changes: Any) -> int:
        """A block that registers these batches of K77G; its height."""
        return self.add([self.transaction(payload(each, **changes)) for each in batch_numbers])

    def add(
        self,
        signed: Sequence[bytes],
        following: Sequence[Validator] | None = None,
        keep_set: bool = False,
        **changes: Any,
    ) -> int:
        """A block of any bytes, agreed on by a quorum; its height.

        `following`: who signs from the next height on; `changes`: to the header.
        `keep_set`: the change is in the header only, so that the same validators go on.
        """
        height = len(self.blocks)
        self._write(signed, height)
        after = list(following) if following is not None else self.voters
        fields: dict[str, Any] = {
            "version": 1,
            "chain_id": self.genesis.chain_id,
            "height": height,
            "parent": hashlib.sha256(f"parent of {height}".encode()).digest(),
            "time_ms": TIME_MS + 1000 * height,
            "proposer": 0,
            "transactions": len(signed),
            "transactions_root": merkle.root(signed),
            "state_root": root(self.entries),
            "validators_hash": validators_hash(self.voters),
            "next_validators_hash": validators_hash(after),
        }
        header = encode_header(BlockHeader(**{**fields, **changes}))
        self.blocks.append(StoredBlock(encode_body(header, list(signed)), self.certificate(header)))
        if following is not None and not keep_set:
            self.voters = after
            self.sets.append((height + 1, tuple(after)))
        return height

    def certificate(self, header: bytes, voters: Sequence[int] = (), view: int = 2) -> bytes:
        """COMMITs for a header, of the last quorum of the set unless `voters` are named."""
        n = len(self.voters)
        who = voters or range(n - (n + (n - 1) // 3 + 2) // 2, n)
        height = json_header(header)["height"]
        votes = [[i, self.vote(i, view, height, header_digest(header))] for i in who]
        return encode([view, votes])

    def vote(self, index: int, view: int, height: int, block: bytes, kind: str = "commit") -> bytes:
        """One validator's vote."""
        vote = {"chain_id": self.genesis.chain_id, "digest": block, "height": height}
        said = encode({**vote, "kind": kind, "v": 1, "view": view})
        return key_of(self.voters[index].name).sign(signing_bytes("kilochain/vote/1", said))

    def _write(self, signed: Sequence[bytes], height: int) -> None:
        for index, each in enumerate(signed):
            found = registered(each)
            if found is not None:
                key, tx_id = found
                self.entries[key] = encode([tx_id, height, index])


def sign(unsigned: bytes, signer: str) -> bytes:
    """T of U."""
    return assemble(unsigned, key_of(signer).sign(signing_bytes("kilochain/tx/1", unsigned)))


def registered(signed: bytes) -> tuple[bytes, bytes] | None:
    """State key and transaction ID of a registration, None for other bytes."""
    try:
        unsigned, _ = msgpack.unpackb(signed)
        said = msgpack.unpackb(unsigned)
        number = said["payload"]["batch_no"]
        key = b"batch/" + said["member"].encode() + int(number).to_bytes(4, "big")
    except (ValueError, TypeError, KeyError):
        return None
    return key, transaction_id(unsigned)


def header_of(stored: StoredBlock) -> bytes:
    """The header inside a body."""
    return bytes(msgpack.unpackb(stored.data)[0])


def json_header(header: bytes) -> dict[str, Any]:
    """A header's fields."""
    return dict(msgpack.unpackb(header))


# --- the state tree, as the page defines it -------------------------------------------------------


def root(entries: Entries) -> bytes:
    """The root of a state."""
    return _subtree(_leaves(entries), 0)


def prove(entries: Entries, key: bytes) -> StateProof:
    """What stands beside a key's way, and where it ends."""
    path, here, siblings = path_of(key), _leaves(entries), []
    while len(here) > 1:
        depth = len(siblings)
        halves: tuple[list[Any], list[Any]] = ([], [])
        for leaf in here:
            halves[_bit(leaf[0], depth)].append(leaf)
        mine = _bit(path, depth)
        siblings.append(_subtree(halves[1 - mine], depth + 1))
        here = halves[mine]
    other = here[0] if here and here[0][0] != path else None
    return StateProof(tuple(siblings), other)


def _leaves(entries: Entries) -> list[tuple[bytes, bytes]]:
    return [(path_of(key), hashlib.sha256(value).digest()) for key, value in entries.items()]


def _subtree(leaves: list[tuple[bytes, bytes]], depth: int) -> bytes:
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaf_hash(*leaves[0])
    halves: tuple[list[Any], list[Any]] = ([], [])
    for leaf in leaves:
        halves[_bit(leaf[0], depth)].append(leaf)
    return node_hash(_subtree(halves[0], depth + 1), _subtree(halves[1], depth + 1))


def _bit(path: bytes, depth: int) -> int:
    return int.from_bytes(path, "big") >> (255 - depth) & 1


def compact(document: Any) -> str:
    """The text of a document that the vectors' replacements are applied to."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
