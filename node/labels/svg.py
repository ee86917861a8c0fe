"""Labels as SVG: one document a page."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from node.labels.layout import Line, Mark, Sheet, Square

FAMILY = "'Bitstream Vera Sans','DejaVu Sans',Verdana,sans-serif"


def write_svg(marks: Sequence[Mark], sheet: Sheet, title: str) -> bytes:
    """A page. Lines of text keep their measured length whatever typeface shows them."""
    width, height = _number(sheet.page_width), _number(sheet.page_height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}" font-family="{FAMILY}">\n<title>{escape(title)}</title>\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
    )
    return (head + "".join(map(_element, marks)) + "</svg>\n").encode("utf-8")


def _element(mark: Mark) -> str:
    if isinstance(mark, Line):
        points = f"M{_number(mark.x)} {_number(mark.y)}L{_number(mark.to_x)} {_number(mark.to_y)}"
        return f'<path d="{points}" stroke="#000" stroke-width=".12"/>\n'
    if isinstance(mark, Square):
        path = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in mark.code.runs)
        scale = _number(mark.side / mark.code.size, 6)
        place = f"translate({_number(mark.x)} {_number(mark.y)}) scale({scale})"
        return f'<path transform="{place}" shape-rendering="crispEdges" d="{path}"/>\n'
    weight = ' font-weight="bold"' if mark.bold else ""
    return (
        f'<text x="{_number(mark.x)}" y="{_number(mark.y)}" font-size="{_number(mark.size)}"'
        f'{weight} textLength="{_number(mark.width)}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(mark.text)}</text>\n"
    )


def _number(value: float, digits: int = 4) -> str:
    """At most `digits` decimals, without needless zeros."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
