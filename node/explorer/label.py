"""What stands on a label: an ID as printed, scanned or typed, of one kilogram or of a package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ledger.errors import InvalidIdentifier
from ledger.identifiers import RegistryId, format_id, parse_id
from ledger.limits import UNITS_MAX
from node.explorer.limits import SEARCH_CHARACTERS_MAX

_COUNT = re.compile(r"[1-9]\d{0,6}")
_LINK = re.compile(r"https?://[^/\s]+/k/([^/?#\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Label:
    """An ID, and how many kilograms from it on a package holds (1 for a plain ID)."""

    identifier: RegistryId
    count: int = 1

    @property
    def path(self) -> str:
        """The page of this label."""
        suffix = f"+{self.count}" if self.count > 1 else ""
        return f"/K/{self.identifier.text}{suffix}"

    @property
    def last(self) -> str:
        """The ID of the package's last kilogram."""
        first = self.identifier
        return format_id(first.producer, first.batch_no, first.serial + self.count - 1)


def parse_label(text: str) -> Label:
    """Read an ID, with or without a count after `+`, or the address that a QR code holds.

    Raises InvalidIdentifier (E_ID, E_CHECK).
    """
    link = _LINK.fullmatch(text.strip())
    text = unquote(link[1]) if link else text.strip()
    stem, plus, count = text[:SEARCH_CHARACTERS_MAX].partition("+")
    found = parse_id(stem.strip())
    if not plus:
        return Label(found)
    if not _COUNT.fullmatch(count.strip()) or not found.serial:
        message = "a package is a kilogram's ID, a plus sign and a number, as RE1…+25"
        raise InvalidIdentifier("E_ID", message, "id")
    if found.serial + int(count) - 1 > UNITS_MAX:
        message = f"no batch has as many kilograms as {text!r} says: read the label again"
        raise InvalidIdentifier("E_ID", message, "id")
    return Label(found, int(count))
