"""Frames that only a liar sends, well-formed and signed with its own key."""

from __future__ import annotations

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


def _seal(host: Host, kind: str, domain: str, payload: bytes) -> bytes:
    signature = host.sign(domain.encode() + b"\x00" + payload)
    return wire.seal(kind, host.cluster.chain_id, payload, host.key, signature)
