"""Which of our forms and languages a client prefers, by its Accept headers (RFC 9110 §12.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from node.explorer.limits import HEADER_CHARACTERS_MAX, HEADER_RANGES_MAX

_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)

Match = Callable[[str, str], int]
"""How exactly a range fits an offer; 0 when it does not. The most exact range decides."""


def choose_media(header: str | None, offers: Sequence[str]) -> str:
    """The media type to answer with: the first of `offers` where nothing else is preferred."""
    return _choose(header, offers, _media_match)


def choose_language(header: str | None, offers: Sequence[str]) -> str:
    """The language to answer in, by primary tag: zh-CN asks for zh."""
    return _choose(header, offers, _language_match)


def _choose(header: str | None, offers: Sequence[str], match: Match) -> str:
    ranges = _read(header or "")
    best, best_quality = offers[0], 0.0
    for offer in offers:
        fits = [(match(wanted, offer), quality) for wanted, quality in ranges]
        quality = max((fit for fit in fits if fit[0]), default=(0, 0.0))[1]
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def _read(header: str) -> list[tuple[str, float]]:
    """The ranges of a header with their qualities; what cannot be read is left out."""
    ranges = []
    for part in header[:HEADER_CHARACTERS_MAX].split(",")[:HEADER_RANGES_MAX]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if found := _QUALITY.fullmatch(parameter):
                quality = float(found[1])
        if name:
            ranges.append((name.lower(), quality))
    return ranges


def _media_match(wanted: str, offer: str) -> int:
    if wanted == offer:
        return 3
    if wanted == offer.split("/")[0] + "/*":
        return 2
    return 1 if wanted == "*/*" else 0


def _language_match(wanted: str, offer: str) -> int:
    if wanted.split("-")[0] == offer:
        return 2
    return 1 if wanted == "*" else 0
