"""QR codes and Data Matrix codes as dark runs of modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import segno
from pystrich.datamatrix import DataMatrixData, DataMatrixEncoder

QR_QUIET_MODULES = 4  # ISO/IEC 18004 asks for four
DATA_MATRIX_QUIET_MODULES = 2  # ISO/IEC 16022 asks for one; printers bleed
KINDS = ("qr", "datamatrix")

Run = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Code:
    """A square code. `runs`: (x, y, length) of dark modules; `size`: modules of a side.

    `quiet`: modules around it that have to stay white; neither `runs` nor `size` counts them.
    """

    runs: tuple[Run, ...]
    size: int
    quiet: int


def make_code(kind: str, text: str) -> Code:
    """The code of `kind` for an upper-case text of QR's alphanumeric mode."""
    return _qr(text) if kind == "qr" else _data_matrix(text)


def _qr(text: str) -> Code:
    # The level is fixed: a library that raises it where there is room would make codes of one
    # batch differ in how much damage they bear.
    found = segno.make_qr(text, error="m", mode="alphanumeric", boost_error=False)
    return Code(tuple(_runs(found.matrix)), len(found.matrix), QR_QUIET_MODULES)


def _runs(matrix: Sequence[bytearray]) -> Iterator[Run]:
    for y, row in enumerate(matrix):
        start: int | None = None
        for x, dark in enumerate((*row, 0)):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                yield start, y, x - start
                start = None


def _data_matrix(text: str) -> Code:
    encoder = DataMatrixEncoder(DataMatrixData(text, encoding="ascii"), quiet_zone=0)
    found = encoder.get_rect_marks()
    runs = tuple((x, y, length) for x, y, length, _ in found.marks)
    return Code(runs, found.width, DATA_MATRIX_QUIET_MODULES)
