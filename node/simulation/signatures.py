"""Signatures that can be counted: who signed what, and which of it has left a process.

The stand-in is a keyed hash: unforgeable inside a simulation, and fast. The register remembers
each statement by its signature, so that checkers can read any frame, certificate or journal
without knowing its format: a 64-byte binary string in MessagePack is `c4 40` and the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import msgpack  # type: ignore[import-untyped, unused-ignore]

from node import keys

_BIN_64 = b"\xc4\x40"
_VIEW_FIELD = 3  # of what a VIEW-CHANGE and a NEW-VIEW sign: version, chain id, epoch, view, …


@dataclass(frozen=True, slots=True)
class Statement:
    """What one signature says. `digest` is nil for kinds that name none."""

    key: bytes
    kind: str
    view: int
    height: int
    digest: bytes
    message: bytes


class KeyRing(Protocol):
    """A signature scheme: `sign` by the public key's owner, and `verify`."""

    def public(self, seed: bytes) -> bytes:
        """The 32-byte public key of a 32-byte seed; the ring remembers the seed."""

    def sign(self, key: bytes, message: bytes) -> bytes:
        """The 64-byte signature by the owner of public key `key`."""

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is `key`'s over `message`."""


class KeyedHashRing:
    """BLAKE2b keyed by the secret seed, which only the ring knows."""

    def __init__(self) -> None:
        self._seeds: dict[bytes, bytes] = {}

    def public(self, seed: bytes) -> bytes:
        """The public key of `seed`, whose secret the ring keeps from now on."""
        key = hashlib.sha256(b"public" + seed).digest()
        self._seeds[key] = seed
        return key

    def sign(self, key: bytes, message: bytes) -> bytes:
        """The 64-byte signature by the owner of public key `key`."""
        return hashlib.blake2b(message, key=self._seeds[key], digest_size=64).digest()

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is `key`'s over `message`."""
        return key in self._seeds and self.sign(key, message) == signature


class Ed25519Ring:
    """Real Ed25519 signatures, as a node makes them."""

    def __init__(self) -> None:
        self._seeds: dict[bytes, bytes] = {}

    def public(self, seed: bytes) -> bytes:
        """The public key of `seed`, whose secret the ring keeps from now on."""
        key = keys.from_seed("validator", seed).public
        self._seeds[key] = seed
        return key

    def sign(self, key: bytes, message: bytes) -> bytes:
        """The 64-byte signature by the owner of public key `key`."""
        return keys.sign(self._seeds[key], key, message)

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is `key`'s over `message`."""
        return keys.verify(key, message, signature)


def read_statement(key: bytes, message: bytes) -> Statement:
    """Read `tag 00 map`; a message of another shape is a statement whose kind is its tag."""
    tag, _, data = message.partition(b"\x00")
    name = tag.decode("ascii", "replace")
    try:
        fields = msgpack.unpackb(data, raw=False, strict_map_key=False)
    except (ValueError, msgpack.UnpackException):
        fields = None
    if isinstance(fields, dict):
        kind = str(fields.get("kind", name)).replace("_", "-")
        view, height, digest = fields.get("view"), fields.get("height"), fields.get("digest")
    else:
        kind = name.removeprefix("kilochain/").removesuffix("/1")
        sealed = isinstance(fields, list) and len(fields) > _VIEW_FIELD
        view, height, digest = (fields[_VIEW_FIELD] if sealed else 0), 0, b""
    return Statement(
        key,
        kind,
        view if isinstance(view, int) else 0,
        height if isinstance(height, int) else 0,
        digest if isinstance(digest, bytes) else b"",
        message,
    )


def frame_kind(frame: bytes) -> str:
    """The kind that a frame begins with, or "garbage"."""
    try:
        unpacker = msgpack.Unpacker(raw=False)
        unpacker.feed(frame)
        unpacker.read_array_header()
        kind = unpacker.unpack()
    except (ValueError, msgpack.UnpackException):
        return "garbage"
    return kind if isinstance(kind, str) else "garbage"


class SignatureRegister:
    """Every statement ever signed in one run, by signature."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._statements: dict[bytes, Statement] = {}

    def sign(self, key: bytes, message: bytes) -> bytes:
        """Sign and remember."""
        signature = self.ring.sign(key, message)
        self._statements[signature] = read_statement(key, message)
        return signature

    def statements(self, data: bytes) -> Iterator[tuple[bytes, Statement]]:
        """Each known signature that occurs in `data`, with its statement, in order."""
        at = data.find(_BIN_64)
        while at >= 0:
            signature = data[at + 2 : at + 66]
            statement = self._statements.get(signature)
            if statement is not None:
                yield signature, statement
            at = data.find(_BIN_64, at + 1)
