"""Where things stand on a label and on a page, in millimetres from the top left corner."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.labels.codes import Code, make_code
from node.labels.content import PRODUCT_NAMES, Label, Style, mass_text
from node.labels.fonts import text_width

MM_OF_ONE_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Text:
    """A line whose baseline begins at (x, y); `size` in mm, `width` as measured."""

    x: float
    y: float
    size: float
    text: str
    bold: bool
    width: float


@dataclass(frozen=True, slots=True)
class Square:
    """A code whose dark part fills the square; its quiet zone lies around it."""

    x: float
    y: float
    side: float
    code: Code


@dataclass(frozen=True, slots=True)
class Line:
    """A thin line."""

    x: float
    y: float
    to_x: float
    to_y: float


Mark = Text | Square | Line
_FORMULA = re.compile(r"(?:[A-Z][a-z]?[0-9]*){2,}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of `columns` × `rows` labels of `width` × `height`; the first stands at (x, y)."""

    page_width: float
    page_height: float
    columns: int
    rows: int
    width: float
    height: float
    x: float
    y: float
    gap_x: float

    @property
    def places(self) -> int:
        """Labels on a page."""
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[float, float]:
        """The top left corner of a place, counted from 0 along the rows."""
        row, column = divmod(place, self.columns)
        return self.x + column * (self.width + self.gap_x), self.y + row * self.height


# Ten labels of 99.1 × 57 mm, as self-adhesive A4 sheets are cut.
A4 = Sheet(210.0, 297.0, 2, 5, 99.1, 57.0, 4.63, 6.0, 2.54)
ROLL = Sheet(100.0, 50.0, 1, 1, 100.0, 50.0, 0.0, 0.0, 0.0)
SHEETS = {"a4": A4, "roll": ROLL}

PADDING = 3.0
ID_LINE = 8.6  # the strip below the code, with the ID in large letters
ID_SIZE = 7.2
ID_DESCENT = 0.9  # from the baseline of the ID to the padding
LEADING = 1.28  # from line to line, in sizes of letters
DESCENT = 0.22  # below a baseline, in sizes of letters
SUBSCRIPT = 0.68  # of a formula's numbers, in sizes of its letters
GAP = 2.5
CUT_MARK = 2.0
SIZE_MIN = 2.2  # of letters; smaller ones are cut short instead


def pages(labels: Sequence[Label], sheet: Sheet) -> int:
    """How many pages the labels fill."""
    return -(-len(labels) // sheet.places)


def page_marks(labels: Sequence[Label], number: int, sheet: Sheet, style: Style) -> Iterator[Mark]:
    """All that stands on page `number`, counted from 0."""
    start = number * sheet.places
    for place, label in enumerate(labels[start : start + sheet.places]):
        x, y = sheet.corner(place)
        if style.cut_marks:
            yield from _cut_marks(x, y, sheet)
        yield from _label_marks(
            label, x, y, sheet, make_code(style.code, label.code_text(style.domain))
        )


def _cut_marks(x: float, y: float, sheet: Sheet) -> Iterator[Line]:
    for at_x, way_x in ((x, 1), (x + sheet.width, -1)):
        for at_y, way_y in ((y, 1), (y + sheet.height, -1)):
            yield Line(at_x, at_y, at_x + way_x * CUT_MARK, at_y)
            yield Line(at_x, at_y, at_x, at_y + way_y * CUT_MARK)


def _label_marks(label: Label, x: float, y: float, sheet: Sheet, code: Code) -> Iterator[Mark]:
    rule = sheet.height - PADDING - ID_LINE
    margin, side = _place_code(code, rule)
    yield Square(x + margin, y + margin, side, code)
    left = margin + side + max(GAP, code.quiet * side / code.size)
    width = sheet.width - PADDING - left
    yield from _facts(label, x + left, y + PADDING, width, rule - PADDING - GAP / 2)
    yield Line(x + PADDING, y + rule, x + sheet.width - PADDING, y + rule)
    text = label.identifier.display + (f" {label.suffix}" if label.suffix else "")
    baseline = y + sheet.height - PADDING - ID_DESCENT
    yield fit(text, x + PADDING, baseline, ID_SIZE, sheet.width - 2 * PADDING, bold=True)


def _place_code(code: Code, height: float) -> tuple[float, float]:
    """Margin above and beside the code, and its side, with its quiet zone inside `height`."""
    module = (height - PADDING) / (code.size + code.quiet)
    if code.quiet * module > PADDING:
        module = height / (code.size + 2 * code.quiet)
    return max(PADDING, code.quiet * module), code.size * module


def _facts(label: Label, x: float, y: float, width: float, height: float) -> Iterator[Mark]:
    """Product, mass, producer, and which kilograms these are, from the top down."""
    lines = list(_fact_lines(label, width))
    scale = min(1.0, height / sum(size * LEADING for size, _, _ in lines))
    at = y
    for size, text, bold in lines:
        size *= scale
        at += size * LEADING
        baseline = at - size * DESCENT
        if bold and _FORMULA.fullmatch(text):
            yield from _formula(text, x, baseline, size)
        else:
            yield fit(text, x, baseline, size, width, bold=bold)


def _fact_lines(label: Label, width: float) -> Iterator[tuple[float, str, bool]]:
    """(size, text, bold) of each line."""
    batch, pack = label.batch, label.pack
    name, formula = PRODUCT_NAMES.get(batch.product, (batch.product, ""))
    yield from ((4.2, line, True) for line in wrap(name, 4.2, width, bold=True))
    if formula:
        yield 4.2, formula, True
    yield 8.6, mass_text(pack.mass_g), True
    producer = batch.producer_name or f"Producer {batch.producer}"
    yield from ((3.2, line, False) for line in wrap(producer, 3.2, width, bold=False))
    last = pack.first + pack.count - 1
    which = f"kg {pack.first}" + (f"–{last}" if last > pack.first else "")
    yield 3.0, f"{which} of {batch.units}", False
    if label.of:
        yield 3.0, f"Package {label.number} of {label.of}", False
    yield 3.0, f"Produced {batch.produced_on}", False
    if pack.sscc:
        yield 3.0, f"SSCC {pack.sscc}", False


def _formula(text: str, x: float, y: float, size: float) -> Iterator[Text]:
    """A formula of one line, its numbers small and low."""
    for piece in re.findall(r"[A-Za-z]+|[0-9]+", text):
        low = piece.isdigit()
        height = size * SUBSCRIPT if low else size
        width = text_width(piece, True) * height
        yield Text(x, y + (size * DESCENT / 2 if low else 0.0), height, piece, True, width)
        x += width


def fit(text: str, x: float, y: float, size: float, width: float, *, bold: bool) -> Text:
    """A line that is at most `width` long: in smaller letters, then cut short with `…`."""
    text = _clean(text)
    natural = text_width(text, bold)
    size = min(size, max(SIZE_MIN, width / natural)) if natural else size
    while text_width(text, bold) * size > width * 1.0001:
        text = text.rstrip("…")[:-1].rstrip() + "…"
    return Text(x, y, size, text, bold, text_width(text, bold) * size)


def wrap(text: str, size: float, width: float, *, bold: bool) -> list[str]:
    """At most two lines, broken at a space or after a hyphen; what is still too long stays so."""
    text = _clean(text)
    if text_width(text, bold) * size <= width:
        return [text]
    breaks = [i + 1 for i, c in enumerate(text[:-1]) if c in " -"]
    fitting = [i for i in breaks if text_width(text[:i].rstrip(), bold) * size <= width]
    if not fitting:
        return [text]
    return [text[: fitting[-1]].rstrip(), text[fitting[-1] :]]


def _clean(text: str) -> str:
    """Text on one line, without control characters."""
    return " ".join("".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).split())
