"""The words of the pages: one table per language, shared with the scripts in the browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from node.explorer.assets import Assets

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Texts:
    """The table of one language."""

    language: str
    table: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with its {places} filled. Raises KeyError for an unknown key."""
        text = self.table[key]
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def known(self, key: str, otherwise: str) -> str:
        """The text of `key`, or `otherwise` for what the table does not name."""
        return self.table.get(key, otherwise)


def load_texts(assets: Assets) -> dict[str, Texts]:
    """The tables by language, out of the static files."""
    return {
        language: Texts(language, json.loads(assets.files[f"strings/{language}.json"].content))
        for language in LANGUAGES
    }


def percent(ppm: int) -> str:
    """Parts per million as a percentage, exactly: 990025 is "99.0025"."""
    return f"{ppm // 10_000}.{ppm % 10_000:04d}".rstrip("0").rstrip(".")


def mass(grams: int) -> str:
    """Grams in the unit that a person would use: "800 g", "1,500.25 kg", "1,000 t"."""
    for unit, size, digits in (("t", 1_000_000, 6), ("kg", 1_000, 3)):
        if grams >= size and (unit == "kg" or grams >= 10 * size):
            rest = f"{grams % size:0{digits}d}".rstrip("0")
            return f"{grams // size:,}{'.' + rest if rest else ''} {unit}"
    return f"{grams} g"


def moment(time_ms: int) -> str:
    """A block's time for people, in UTC: "2026-11-25 10:54:02 UTC"."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def formula(text: str) -> list[tuple[str, bool]]:
    """A chemical formula in pieces, and which of them stand below the line.

    What does not look like a formula stays one piece.
    """
    if not (text.isascii() and text.isalnum() and text[:1].isupper()):
        return [(text, False)]
    pieces: list[tuple[str, bool]] = []
    for symbol in text:
        low = symbol.isdigit()
        if pieces and pieces[-1][1] == low:
            pieces[-1] = (pieces[-1][0] + symbol, low)
        else:
            pieces.append((symbol, low))
    return pieces
