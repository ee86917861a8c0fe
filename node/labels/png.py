"""Labels as pictures: one a page, at the resolution of label printers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from node.labels.fonts import BOLD, FILES, REGULAR, has, nearest
from node.labels.layout import Line, Mark, Sheet, Square, Text
from node.labels.limits import PNG_DPI

DOTS_OF_ONE_MM = PNG_DPI / 25.4
WHITE, BLACK = 255, 0


def write_png(marks: Sequence[Mark], sheet: Sheet) -> bytes:
    """A page in shades of grey. A code's modules are whole dots, so that its edges stay sharp."""
    size = round(sheet.page_width * DOTS_OF_ONE_MM), round(sheet.page_height * DOTS_OF_ONE_MM)
    picture = Image.new("L", size, WHITE)
    draw = ImageDraw.Draw(picture)
    for mark in marks:
        if isinstance(mark, Line):
            points = [_dots(mark.x), _dots(mark.y), _dots(mark.to_x), _dots(mark.to_y)]
            draw.line(points, fill=BLACK, width=2)
        elif isinstance(mark, Square):
            _draw_code(draw, mark)
        else:
            _draw_text(draw, mark)
    kept = BytesIO()
    picture.save(kept, "PNG", dpi=(PNG_DPI, PNG_DPI))
    return kept.getvalue()


def missing_in_png(marks: Sequence[Mark]) -> set[str]:
    """What `write_png` shows otherwise than it is written."""
    lines = (mark for mark in marks if isinstance(mark, Text))
    return {c for line in lines for c in line.text if not has(c, line.bold)}


def _draw_code(draw: ImageDraw.ImageDraw, mark: Square) -> None:
    module = int(mark.side * DOTS_OF_ONE_MM) // mark.code.size
    spare = (mark.side * DOTS_OF_ONE_MM - module * mark.code.size) / 2
    left = round(mark.x * DOTS_OF_ONE_MM + spare)
    top = round(mark.y * DOTS_OF_ONE_MM + spare)
    for x, y, length in mark.code.runs:
        from_x, from_y = left + x * module, top + y * module
        to = (from_x + length * module - 1, from_y + module - 1)
        draw.rectangle((from_x, from_y, *to), fill=BLACK)


def _draw_text(draw: ImageDraw.ImageDraw, mark: Text) -> None:
    font = _font(mark.bold, mark.size * DOTS_OF_ONE_MM)
    place = (mark.x * DOTS_OF_ONE_MM, mark.y * DOTS_OF_ONE_MM)
    draw.text(place, nearest(mark.text, mark.bold), fill=BLACK, font=font, anchor="ls")


@cache
def _font(bold: bool, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FILES[BOLD if bold else REGULAR]), size)


def _dots(length: float) -> int:
    return round(length * DOTS_OF_ONE_MM)
