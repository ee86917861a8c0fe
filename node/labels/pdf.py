"""Labels as PDF, in vectors, with the typeface inside."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from node.labels.fonts import BOLD, REGULAR, base_of, typeface
from node.labels.layout import MM_OF_ONE_POINT, Line, Mark, Sheet, Square, Text

CHINESE = "STSong-Light"  # a typeface of Adobe-GB1, which PDF readers bring along
LINE_POINTS = 0.35


def write_pdf(pages: Iterable[Sequence[Mark]], sheet: Sheet, title: str) -> bytes:
    """A document of all the pages. The same labels give the same bytes."""
    for bold in (False, True):
        pdfmetrics.registerFont(typeface(bold))
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    kept = BytesIO()
    size = (sheet.page_width / MM_OF_ONE_POINT, sheet.page_height / MM_OF_ONE_POINT)
    canvas = Canvas(kept, pagesize=size, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("Kilochain")
    for marks in pages:
        canvas.setLineWidth(LINE_POINTS)
        for mark in marks:
            _draw(canvas, mark, sheet.page_height)
        canvas.showPage()
    canvas.save()
    return kept.getvalue()


def _draw(canvas: Any, mark: Mark, height: float) -> None:
    def point(x: float, y: float) -> tuple[float, float]:
        return x / MM_OF_ONE_POINT, (height - y) / MM_OF_ONE_POINT

    if isinstance(mark, Line):
        canvas.line(*point(mark.x, mark.y), *point(mark.to_x, mark.to_y))
    elif isinstance(mark, Square):
        canvas.addLiteral(_code_operators(mark, *point(mark.x, mark.y)))
    else:
        text = canvas.beginText(*point(mark.x, mark.y))
        for font, characters in _in_fonts(mark):
            text.setFont(font, mark.size / MM_OF_ONE_POINT)
            text.textOut(characters)
        canvas.drawText(text)


def _code_operators(mark: Square, x: float, y: float) -> str:
    """PDF operators that fill a code's runs, in a space whose unit is a module, from the top."""
    scale = mark.side / mark.code.size / MM_OF_ONE_POINT
    runs = " ".join(f"{x} {y} {length} 1 re" for x, y, length in mark.code.runs)
    return f"q {scale:.6f} 0 0 {-scale:.6f} {x:.4f} {y:.4f} cm {runs} f Q"


def _in_fonts(mark: Text) -> Iterable[tuple[str, str]]:
    """The line in pieces of one font each."""
    shown = [base_of(c, mark.bold) for c in mark.text]
    for ours, pieces in itertools.groupby(zip(shown, mark.text, strict=True), lambda p: bool(p[0])):
        font = (BOLD if mark.bold else REGULAR) if ours else CHINESE
        yield font, "".join(base or character for base, character in pieces)


def missing_in_pdf(marks: Sequence[Mark]) -> set[str]:
    """What `write_pdf` shows otherwise than it is written: accents that the typeface lacks."""
    lines = (mark for mark in marks if isinstance(mark, Text))
    return {c for line in lines for c in line.text if base_of(c, line.bold) not in (c, None)}
