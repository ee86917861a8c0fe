"""The typeface of the labels: Bitstream Vera Sans, which comes with reportlab; its measures.

It has the letters of western and some of central Europe. PDF writes Chinese in a typeface that
readers bring along; a picture has none for what is missing, and says so.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import reportlab
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "KilochainRegular", "KilochainBold"
FOLDER = Path(reportlab.__file__).parent / "fonts"
FILES = {REGULAR: FOLDER / "Vera.ttf", BOLD: FOLDER / "VeraBd.ttf"}


@cache
def typeface(bold: bool) -> Any:
    """reportlab's font, with its widths and the characters that it has."""
    name = BOLD if bold else REGULAR
    return TTFont(name, str(FILES[name]))


def has(character: str, bold: bool) -> bool:
    """Whether the typeface can show a character."""
    return ord(character) in typeface(bold).face.charToGlyph


@lru_cache(maxsize=4096)  # most lines of a batch's labels are the same
def text_width(text: str, bold: bool) -> float:
    """The width of a line in letters of size 1; a character that is missing counts as square."""
    face = typeface(bold)
    shown = "".join(c for c in text if has(c, bold))
    return float(face.stringWidth(shown, 1.0)) + len(text) - len(shown)


def base_of(character: str, bold: bool) -> str | None:
    """The character, or its letter without an accent that the typeface lacks, or None."""
    if has(character, bold):
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if has(base, bold) else None


def nearest(text: str, bold: bool) -> str:
    """The text with what the typeface can show: without an accent that it lacks, else `?`."""
    return "".join(base_of(c, bold) or "?" for c in text)
