"""Passports whose bytes a real quorum signed, though no correct one would; each fails at a step."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgpack
from passport_parts import KILOGRAM, bare, block, change, registered, state
from passport_world import (
    World,
    genesis_of,
    header_of,
    json_header,
    key_of,
    payload,
    prove,
    root,
    sign,
    validator,
)

from ledger import merkle
from ledger.blocks import header_digest, validators_hash
from ledger.codec import encode
from ledger.genesis import Validator
from ledger.identifiers import format_id
from ledger.state_proof import StateProof, path_of
from ledger.stored_chain import StoredBlock

OF_5 = b"batch/K77G" + (5).to_bytes(4, "big")
OTHER_CHAIN = "other-" + "0" * 16
Named = Iterator[tuple[str, str, dict[str, Any]]]


def forged() -> Iterator[dict[str, Any]]:
    """Every forgery, all under the genesis of four validators."""
    for group in (_transactions, _members, _headers, _votes, _sets, _states):
        for name, step, document in group():
            yield {"name": name, "genesis": "n4", "passport": document, "step": step}


def _world() -> World:
    world = World.of(genesis_of(4))
    world.register(1, 2, 3)
    return world


def _with(make: Callable[[World], bytes], text: str = KILOGRAM) -> dict[str, Any]:
    """A passport of batch 5, whose registration is the bytes that are made."""
    world = _world()
    height = world.add([world.transaction(payload(4)), make(world)])
    return registered(world, height, 1, text)


# --- the forgeries --------------------------------------------------------------------------------


def _envelope(world: World, signer: str = "K77G", **changes: Any) -> bytes:
    """T of an envelope with any members, canonical or not."""
    fields = msgpack.unpackb(msgpack.unpackb(world.transaction(payload(5)))[0])
    fields.update(changes)
    unsigned = encode({name: value for name, value in fields.items() if value is not None})
    return sign(unsigned, signer)


def _payload_of(world: World, **changes: Any) -> bytes:
    fields = msgpack.unpackb(msgpack.unpackb(world.transaction(payload(5)))[0])["payload"]
    fields.update(changes)
    return _envelope(world, payload={n: v for n, v in fields.items() if v is not None})


def _transactions() -> Named:
    yield "signed by another key", "signature", _with(lambda w: _envelope(w, signer="S3PA"))
    yield (
        "of another chain",
        "signature",
        _with(lambda w: _envelope(w, chain_id=OTHER_CHAIN)),
    )
    for name, changes in (
        ("another version", {"v": 2}),
        ("another kind", {"kind": "batch.correct"}),
        ("one member more", {"x": 1}),
        ("no salt", {"salt": None}),
        ("a short salt", {"salt": bytes(15)}),
        ("a short key", {"key": bytes(31)}),
        ("a time as text", {"valid_until_ms": "later"}),
    ):
        yield f"an envelope with {name}", "signature", _with(lambda w, c=changes: _envelope(w, **c))
    for name, inner in (
        ("a field more", {"quality": "best"}),
        ("units as text", {"units": "3"}),
        ("units missing", {"units": None}),
        ("an unknown basis", {"basis": "wet"}),
    ):
        yield f"a payload with {name}", "signature", _broken_payload(inner)
    yield "an envelope in another order", "signature", _with(_disordered)
    yield "a transaction with a longer length", "signature", _with(_long)
    yield "a signature of 63 bytes", "signature", _with(lambda w: _cut(w, 63))
    yield "a signature of 65 bytes", "signature", _with(lambda w: _cut(w, 65))


def _broken_payload(inner: dict[str, Any]) -> dict[str, Any]:
    whole = _with(_envelope)
    return _with_record(lambda w: _payload_of(w, **inner), whole["record"])


def _with_record(make: Callable[[World], bytes], record: Any) -> dict[str, Any]:
    world = _world()
    height = world.add([world.transaction(payload(4)), _envelope(world)])
    document = registered(world, height, 1)
    other = _world()
    other.add([other.transaction(payload(4)), make(other)])
    signed = msgpack.unpackb(other.blocks[-1].data)[1]
    document["registration"]["transaction"] = base64.b64encode(signed[1]).decode()
    document["registration"]["path"] = [each.hex() for each in merkle.inclusion_proof(signed, 1)]
    document["registration"]["block"] = block(other.blocks[-1])
    return {**document, "record": record}


def _disordered(world: World) -> bytes:
    fields = msgpack.unpackb(msgpack.unpackb(_envelope(world))[0])
    return sign(msgpack.packb(dict(reversed(fields.items()))), "K77G")


def _long(world: World) -> bytes:
    unsigned, signature = msgpack.unpackb(_envelope(world))
    return b"\x92\xc6" + len(unsigned).to_bytes(4, "big") + unsigned + msgpack.packb(signature)


def _cut(world: World, length: int) -> bytes:
    unsigned, signature = msgpack.unpackb(_envelope(world))
    return bytes(msgpack.packb([unsigned, (signature + b"\0")[:length]]))


def _members() -> Named:
    for name, signer, code, place in (
        ("a member that the genesis does not list", "K77G", "N4VA", "K77G-01"),
        ("a suspended member", "GNE1", "GNE1", "GNE1-01"),
        ("a laboratory", "QAB1", "QAB1", "QAB1-01"),
        ("a suspended key", "old", "K77G", "K77G-01"),
        ("the key of another member", "S3PA", "K77G", "K77G-01"),
        ("a key that nobody knows", "nobody", "K77G", "K77G-01"),
        ("a key of another facility", "second", "K77G", "K77G-01"),
        ("the facility of another member", "K77G", "K77G", "S3PA-01"),
        ("a facility that is none", "K77G", "K77G", "K77G-03"),
    ):
        make = _by(signer, code, place)
        yield f"signed by {name}", "member", _with(make, format_id(code, 5, 1))
    ids = format_id("S3PA", 5, 1)
    yield "a batch of another member than its ID", "record", _with(_envelope, ids)
    allowed = _with(_by("second", "K77G", "K77G-02"))
    other = {**allowed, "id": format_id("K77G", 6, 1)}
    yield "another batch number than its ID", "record", other


def _by(signer: str, code: str, facility: str) -> Callable[[World], bytes]:
    return lambda world: world.transaction(
        payload(5, facility=facility), signer, key=key_of(signer).public, member=code
    )


def _headers() -> Named:
    def one(**changes: Any) -> dict[str, Any]:
        world = _world()
        height = world.add([world.transaction(payload(5))], **changes)
        return registered(world, height, 0)

    yield "a block of another chain", "agreement", one(chain_id=OTHER_CHAIN)
    yield "a header of version 2", "agreement", one(version=2)
    yield "a height that is negative", "agreement", one(height=-1)
    early = one(time_ms=-1)
    early["record"]["registered_ms"] = 0
    yield "a time that is negative", "agreement", early
    yield "a root of 31 bytes", "agreement", one(state_root=bytes(31))
    yield "another validator set", "agreement", one(validators_hash=bytes(32))
    yield "more transactions than there are", "inclusion", one(transactions=2)
    yield "no transactions", "inclusion", one(transactions=0)
    for name, shape in (
        ("one field more", lambda fields: {**fields, "x": 1}),
        ("one field less", lambda fields: {n: v for n, v in fields.items() if n != "proposer"}),
        ("another order", lambda fields: dict(reversed(fields.items()))),
        ("more than 1,024 bytes", lambda fields: {**fields, "chain_id": "x" * 1024}),
    ):
        yield f"a header with {name}", "agreement", _reshaped(shape)


def _reshaped(shape: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    world = _world()
    height = world.add([world.transaction(payload(5))])
    document = registered(world, height, 0)
    header = bytes(msgpack.packb(shape(json_header(header_of(world.blocks[height])))))
    stored = StoredBlock(msgpack.packb([header, []]), world.certificate(header))
    document["registration"]["block"] = block(stored)
    return document


def _votes() -> Named:
    world = _world()
    height = world.add([world.transaction(payload(5))])
    document = registered(world, height, 0)
    header = header_of(world.blocks[height])
    own = header_digest(header)

    def signed(votes: list[tuple[int, bytes]], view: int = 2) -> dict[str, Any]:
        rows = [{"replica": i, "signature": vote.hex()} for i, vote in votes]
        part = {**document["registration"]["block"], "certificate": {"view": view, "votes": rows}}
        return {**document, "registration": {**document["registration"], "block": part}}

    def vote(index: int, view: int = 2, at: int = height, kind: str = "commit") -> Any:
        return index, world.vote(index, view, at, own, kind)

    yield "too few votes", "agreement", signed([vote(0), vote(1)])
    yield "all votes twice", "agreement", signed([vote(i // 2) for i in range(8)])
    yield "two voters three times", "agreement", signed([vote(0), vote(1), vote(1)])
    yield "votes out of order", "agreement", signed([vote(2), vote(1), vote(3)])
    yield "prepares", "agreement", signed([vote(i, kind="prepare") for i in range(3)])
    yield "one prepare", "agreement", signed([vote(0), vote(1), vote(2, kind="prepare")])
    yield "pre-prepares", "agreement", signed([vote(i, kind="pre-prepare") for i in range(3)])
    yield "votes of two views", "agreement", signed([vote(0), vote(1), vote(2, view=3)])
    yield "votes of another view", "agreement", signed([vote(i) for i in range(3)], view=3)
    yield "votes of another height", "agreement", signed([vote(i, at=9) for i in range(3)])
    strange = (3, key_of("nobody").sign(b"kilochain/vote/1\0"))
    yield "the vote of a key that nobody knows", "agreement", signed([vote(0), vote(1), strange])
    yield "a vote of a fifth of four", "agreement", signed([vote(0), vote(1), (4, vote(0)[1])])
    shifted = [(i + 1, vote(i)[1]) for i in range(3)]
    yield "votes under the names of others", "agreement", signed(shifted)
    one_bad = [vote(0), vote(1), vote(2), (3, bytes(64))]
    yield "a quorum and a wrong vote besides", "agreement", signed(one_bad)


def _sets() -> Named:
    four, fifth = list(World.of(genesis_of(4)).voters), validator("v4")

    def changed(*following: Sequence[Validator]) -> tuple[World, list[dict[str, Any]]]:
        world, changes = _world(), []
        for each in following:
            world.add([world.transaction(payload(10 + len(changes)))], following=each)
            changes.append(change(world.blocks[-1], each))
        return world, changes

    def finished(world: World, changes: list[dict[str, Any]]) -> dict[str, Any]:
        height = world.add([world.transaction(payload(5))])
        return {**registered(world, height, 0), "validator_changes": changes}

    twice = [*four, replace(fifth, key=four[0].key, name="v0")]
    yield "a set with a key twice", "validators", finished(*changed(twice))
    yield "a change that changes nothing", "validators", finished(*changed(four))
    world, _ = changed()
    world.add([world.transaction(payload(10))], following=[], keep_set=True)
    empty = [change(world.blocks[-1], [])]
    yield "a set of nobody", "validators", finished(world, empty)
    world, _ = changed()
    height = len(world.blocks)
    world.add([world.transaction(payload(10))], [*four, fifth], height=7)
    first = change(world.blocks[-1], world.voters)
    world.add([world.transaction(payload(11))], four, height=7)
    second = change(world.blocks[-1], four)
    yield "two changes at one height", "validators", finished(world, [first, second])
    assert height == 2
    world, changes = changed([*four, fifth])
    world.voters = four
    yield "a block by those that were voted out", "agreement", finished(world, changes)
    world, _ = changed()
    world.add([world.transaction(payload(10))], [*four, fifth], keep_set=True)
    ahead = change(world.blocks[-1], [*four, fifth])
    world.voters = [*four, fifth]
    world.add([world.transaction(payload(11))], height=2)
    document = registered(world, 3, 0, format_id("K77G", 11, 1))
    document["validator_changes"] = [ahead]
    yield "a change that counts in its own block", "agreement", document
    world, _ = changed([*four, fifth])
    world.voters = [validator(f"w{i}") for i in range(4)]
    foisted = [change(world.blocks[-1], world.voters)]
    yield "a set that the block does not bring in", "validators", finished(world, foisted)
    world = _world()
    world.voters = [validator(f"w{i}") for i in range(4)]
    yield "a block by validators from nowhere", "agreement", finished(world, [])
    world = _world()
    world.voters = [validator(f"w{i}") for i in range(4)]
    before = validators_hash(four)
    world.add([world.transaction(payload(10))], world.voters, validators_hash=before)
    usurped = [change(world.blocks[-1], world.voters)]
    yield "a change by those that come", "validators", finished(world, usurped)


def _states() -> Named:
    world = _world()
    height = world.add([world.transaction(payload(4)), world.transaction(payload(5))])
    document = registered(world, height, 1)
    own = world.entries[OF_5]
    tx_id, _, _ = msgpack.unpackb(own)
    for name, value in (
        ("another transaction", encode([bytes(32), height, 1])),
        ("another height", encode([tx_id, height + 1, 1])),
        ("another place", encode([tx_id, height, 0])),
        ("one thing more", encode([tx_id, height, 1, 0])),
        ("another encoding", b"\x93" + msgpack.packb(tx_id) + b"\xcc\x02\x01"),
        ("no bytes", b""),
    ):
        entries = {**world.entries, OF_5: value}
        yield f"a state with {name}", "state", _at(world, document, entries, value, height + 3)
    same = _at(world, document, world.entries, own, 1)
    yield "a state before the registration", "state", same
    gone = {key: value for key, value in world.entries.items() if key != OF_5}
    yield "a state without the registration", "state", _at(world, document, gone, None, 9)
    absent = bare(world, KILOGRAM, "not_registered")
    mine = (path_of(OF_5), b"\1" * 32)
    alone = {OF_5: own}
    own_leaf = StateProof((), mine)
    yield "absent by its own entry", "state", _at(world, absent, alone, None, 9, own_leaf)
    far = next(k for k in _keys() if path_of(k)[0] >> 7 != path_of(OF_5)[0] >> 7)
    proof = prove({OF_5: own, far: b"far"}, OF_5)
    wrong = StateProof(proof.siblings, (path_of(far), mine[1]))
    both = {OF_5: own, far: b"far"}
    yield "absent by an entry of the other half", "state", _at(world, absent, both, None, 9, wrong)


def _keys() -> Iterator[bytes]:
    return (b"batch/S3PA" + number.to_bytes(4, "big") for number in range(1, 99))


def _at(
    world: World,
    document: dict[str, Any],
    entries: dict[bytes, bytes],
    value: bytes | None,
    height: int,
    proof: StateProof | None = None,
) -> dict[str, Any]:
    """The passport with a state of these entries, agreed on at any height."""
    other = World.of(world.genesis.data)
    other.register(77)
    other.add([b"no transaction"], state_root=root(entries), height=height)
    found = prove(entries, OF_5) if proof is None else proof
    return {**document, "state": state(other.blocks[-1], value, found)}
