"""Kilogram and batch IDs: RE1 + producer 4 + batch 5 + serial 4 + check 2, Crockford base 32.

Check characters: the ISO 7064 pure-system recursion with modulus 1021 and radix 32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.errors import InvalidIdentifier
from ledger.limits import BATCH_NO_MAX, UNITS_MAX

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_MODULUS = 1021
_FORM = re.compile(r"RE1[0-9A-HJKMNP-TV-Z]{15}")
_PRODUCER = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}")
_TYPED = str.maketrans({"-": None, " ": None, "I": "1", "L": "1", "O": "0"})
_HOW = "an ID is RE1 and 15 more characters, such as RE1-K77G-0001G-0001-GK"


@dataclass(frozen=True, slots=True)
class RegistryId:
    """An ID. `text`: 18 canonical characters; `serial` 0 is the batch itself."""

    text: str
    producer: str
    batch_no: int
    serial: int

    @property
    def kind(self) -> str:
        """ "batch" or "kilogram"."""
        return "kilogram" if self.serial else "batch"

    @property
    def display(self) -> str:
        """The form for people, in groups."""
        return "-".join((self.text[:3], *(self.text[a:b] for a, b in _GROUPS)))


_GROUPS = ((3, 7), (7, 12), (12, 16), (16, 18))


def parse_id(text: str) -> RegistryId:
    """Read an ID as a person types it. Raises InvalidIdentifier (E_ID, E_CHECK)."""
    if len(text) > 64:
        raise InvalidIdentifier("E_ID", f"too long for an ID; {_HOW}", "id")
    plain = text.upper().translate(_TYPED) if text.isascii() else ""
    if not _FORM.fullmatch(plain):
        raise InvalidIdentifier("E_ID", f"{text!r} is not an ID; {_HOW}", "id")
    remainder = 0
    for symbol in plain:
        remainder = (remainder * 32 + _VALUE[symbol]) % _MODULUS
    # Two symbols hold three values more than the modulus: without this an ID would have a double.
    if remainder != 1 or _number(plain[16:]) >= _MODULUS:
        message = f"check characters do not match in {text!r}: read the label again"
        raise InvalidIdentifier("E_CHECK", message, "id")
    return RegistryId(plain, plain[3:7], _number(plain[7:12]), _number(plain[12:16]))


def is_producer(code: str) -> bool:
    """Whether `code` has the form of a producer code."""
    return _PRODUCER.fullmatch(code) is not None


def format_id(producer: str, batch_no: int, serial: int) -> str:
    """The 18 characters of an ID. Raises InvalidIdentifier (E_ID)."""
    if not is_producer(producer):
        raise InvalidIdentifier("E_ID", f"{producer!r} is no producer code", "producer")
    if not 0 <= batch_no <= BATCH_NO_MAX or not 0 <= serial <= UNITS_MAX:
        raise InvalidIdentifier("E_ID", "batch number or serial out of range", "id")
    stem = f"RE1{producer}{_symbols(batch_no, 5)}{_symbols(serial, 4)}"
    remainder = 0
    for symbol in stem:
        remainder = (remainder + _VALUE[symbol]) * 32 % _MODULUS
    check = (1 - remainder * 32) % _MODULUS
    return stem + _symbols(check, 2)


def _number(symbols: str) -> int:
    number = 0
    for symbol in symbols:
        number = number * 32 + _VALUE[symbol]
    return number


def _symbols(number: int, width: int) -> str:
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(width)))
