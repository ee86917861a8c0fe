"""Frames that only a liar sends, well-formed and signed with its own key."""

from __future__ import annotations

import random

import msgpack  # type: ignore[import-untyped, unused-ignore]

from consensus import wire
from consensus.interface import Header
from consensus.messages import (
    ACTIVE,
    COMMIT,
    PRE_PREPARE,
    PREPARE,
    NewView,
    Status,
    ViewChange,
    Vote,
)
from node.simulation.host import Host


def read(host: Host, frame: bytes) -> object:
    """The message in one of the host's own frames."""
    return wire.decode_frame(frame, host.cluster.chain_id, host.read_header)


def vote(host: Host, kind: str, view: int, height: int, digest: bytes, attached: bytes) -> bytes:
    """A vote by this host for anything. `attached`: see `consensus.messages.Vote`."""
    chain_id = host.cluster.chain_id
    signature = host.sign(wire.vote_bytes(chain_id, kind, view, height, digest))
    return wire.encode_vote(
        chain_id, Vote(kind, view, height, digest, host.key, signature, attached)
    )


def status(host: Host, head: int) -> bytes:
    """A STATUS that claims `head`."""
    claim = Status(host.app.head.epoch, 0, ACTIVE, head)
    return wire.encode_status(host.cluster.chain_id, claim)


def view_change(host: Host, epoch: int, view: int, head: Header, certificate: bytes) -> bytes:
    """A VIEW-CHANGE that says that nothing is prepared above `head`."""
    chain_id = host.cluster.chain_id
    payload = wire.view_change_payload(chain_id, epoch, view, head, certificate, None)
    return _seal(host, "view-change", wire.VIEW_CHANGE_DOMAIN, payload)


def denied(host: Host, honest: ViewChange) -> bytes:
    """`honest`, but with nothing prepared."""
    return view_change(host, honest.epoch, honest.view, honest.head, honest.certificate)


def rewound(host: Host, honest: ViewChange) -> bytes:
    """`honest`, but from an older head of the same epoch, with nothing prepared."""
    stored = host.app.stored(max(honest.head.height - 2, honest.epoch))
    if stored is None or stored.block.height >= honest.head.height:
        return denied(host, honest)
    head = stored.block.header
    return view_change(host, honest.epoch, honest.view, head, stored.certificate)


def forged(host: Host, honest: NewView) -> bytes:
    """`honest`, but requiring nothing, or resting on too few VIEW-CHANGEs, or on one twice."""
    changes = honest.view_changes
    return host.cluster.world.random.choice(
        (
            unrequired(host, honest),
            _new_view(host, honest, changes[1:]),
            _new_view(host, honest, (*changes[1:], changes[-1])),
        )
    )


def _new_view(host: Host, honest: NewView, changes: tuple[ViewChange, ...]) -> bytes:
    chain_id, epoch, view = host.cluster.chain_id, honest.epoch, honest.view
    payload = wire.new_view_payload(
        chain_id, epoch, view, changes, honest.base, honest.required, honest.proposal
    )
    return _seal(host, "new-view", wire.NEW_VIEW_DOMAIN, payload)


def unrequired(host: Host, honest: NewView) -> bytes:
    """`honest`, but requiring nothing."""
    payload = wire.new_view_payload(
        host.cluster.chain_id,
        honest.epoch,
        honest.view,
        honest.view_changes,
        honest.base,
        None,
        b"",
    )
    return _seal(host, "new-view", wire.NEW_VIEW_DOMAIN, payload)


def contradicted(host: Host, honest: Vote) -> bytes:
    """`honest`, but for another digest; a PREPARE keeps an attachment that does not fit."""
    assert honest.kind in (PRE_PREPARE, PREPARE, COMMIT)
    other = bytes(byte ^ 0xFF for byte in honest.digest)
    return vote(host, honest.kind, honest.view, honest.height, other, honest.attached)


def mutated(host: Host, frame: bytes) -> bytes:
    """`frame` with one field changed by a little, a vote signed again with it."""
    chance = host.cluster.world.random
    message = read(host, frame)
    if isinstance(message, Vote) and chance.random() < 0.5:
        view = max(0, message.view + chance.choice((-1, 0, 1)))
        height = message.height + (0 if view != message.view else chance.choice((-1, 1)))
        return vote(host, message.kind, view, height, message.digest, message.attached)
    fields = msgpack.unpackb(frame, raw=False, strict_map_key=False)
    at = chance.randrange(len(fields))
    fields[at] = _another(chance, fields[at])
    return bytes(msgpack.packb(fields))


def _another(chance: random.Random, value: object) -> object:
    """A value near `value`, or one of another kind."""
    if isinstance(value, int) and chance.random() < 0.8:
        return value + chance.choice((-1, 1, 2**31, -(2**31)))
    if isinstance(value, bytes) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << chance.randrange(8))]) + value[at + 1 :]
    return chance.choice((None, True, -1, 2**63, b"", "", [], {}, [[]], 0.5))


def babble(chance: random.Random, frame: bytes) -> bytes:
    """Bytes that are no frame: cut, doubled, deep, long or by chance."""
    return chance.choice(
        (
            b"",
            frame[: chance.randrange(len(frame))],
            frame + frame,
            b"\x91" * 1_000,
            b"\xdd\xff\xff\xff\xff",
            b"\xc1" + chance.randbytes(chance.randrange(200)),
        )
    )


def _seal(host: Host, kind: str, domain: str, payload: bytes) -> bytes:
    signature = host.sign(domain.encode() + b"\x00" + payload)
    return wire.seal(kind, host.cluster.chain_id, payload, host.key, signature)
