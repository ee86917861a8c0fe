"""Canonical MessagePack, and digests and signed bytes with a domain tag."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import cast

import msgpack  # type: ignore[import-untyped]

from ledger.limits import CODEC_DEPTH_MAX, CODEC_ITEMS_MAX

Value = None | bool | int | str | bytes | list["Value"] | dict[str, "Value"]


class CodecError(ValueError):
    """Bytes or a value outside the canonical subset."""


def encode(value: object) -> bytes:
    """The one encoding of `value`; tuples count as arrays. Raises CodecError."""
    return cast(bytes, msgpack.packb(_ordered(value, CODEC_DEPTH_MAX), use_bin_type=True))


def _ordered(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | bytes):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise CodecError("an integer of more than 64 bits")
        return value
    if isinstance(value, str):
        return _text(value)
    if depth == 0:
        raise CodecError(f"nested deeper than {CODEC_DEPTH_MAX}")
    if isinstance(value, list | tuple):
        return [_ordered(item, depth - 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise CodecError("a map key that is not a string")
        return {_text(key): _ordered(value[key], depth - 1) for key in sorted(value)}
    raise CodecError(f"a value of type {type(value).__name__}")


def _text(text: str) -> str:
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise CodecError("a string that is not in Unicode form NFC")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CodecError("a string with a lone surrogate") from error
    return text


def decode(data: bytes, *, bytes_max: int, items_max: int = CODEC_ITEMS_MAX) -> Value:
    """The value of canonical `data`. Raises CodecError for anything else.

    `bytes_max`: the longest input in bytes; `items_max`: entries of one array or map.
    """
    if len(data) > bytes_max:
        raise CodecError(f"{len(data)} bytes, at most {bytes_max} are allowed")
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_array_len=min(items_max, len(data)),
            max_map_len=min(items_max, len(data)),
            max_ext_len=0,
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise CodecError(f"not MessagePack of the canonical kind: {error}") from error
    if encode(value) != data:
        raise CodecError("not the canonical encoding of its value")
    return cast(Value, value)


def digest(domain: str, data: bytes) -> bytes:
    """SHA-256 over domain ‖ 0x00 ‖ data: 32 bytes."""
    return hashlib.sha256(signing_bytes(domain, data)).digest()


def signing_bytes(domain: str, data: bytes) -> bytes:
    """What a signature of `data` covers: domain ‖ 0x00 ‖ data."""
    return domain.encode("ascii") + b"\x00" + data
