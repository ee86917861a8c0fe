"""What a mistyped ID may have been: one wrong symbol, or two that changed places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ledger.errors import InvalidIdentifier
from ledger.identifiers import ALPHABET, RegistryId, parse_id
from node.explorer.source import Refused, Source

_LENGTH = 18
_TRIED_MAX = 8  # candidates whose registration is looked up


async def registered_neighbours(source: Source, text: str) -> list[RegistryId]:
    """IDs one slip away from `text` that are registered. Empty for what is too far from an ID.

    An ID differs from every other one in two symbols at least, so there are few.
    """
    found = []
    for candidate in neighbours(text)[:_TRIED_MAX]:
        try:
            await source.ask("id.lookup", id=candidate.text)
        except Refused:
            continue
        found.append(candidate)
    return found


def neighbours(text: str) -> list[RegistryId]:
    """The well-formed IDs one slip away from `text`, in the order of their symbols."""
    plain = text.upper().replace("-", "").replace(" ", "")
    if len(plain) != _LENGTH or not plain.isascii():
        return []
    found: dict[str, RegistryId] = {}
    for slip in _slips(plain):
        try:
            candidate = parse_id(slip)
        except InvalidIdentifier:
            continue
        found[candidate.text] = candidate
    return [found[each] for each in sorted(found)]


def _slips(plain: str) -> Iterator[str]:
    for place in range(3, _LENGTH):
        for symbol in ALPHABET:
            yield plain[:place] + symbol + plain[place + 1 :]
    for first, second in combinations(range(3, _LENGTH), 2):
        swapped = list(plain)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        yield "".join(swapped)
