"""Labels written to files: one PDF, or a picture for each page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.identifiers import parse_id
from node.labels.content import Label, Style, Tick, Written
from node.labels.layout import SHEETS, Mark, page_marks, pages
from node.labels.pdf import missing_in_pdf, write_pdf
from node.labels.png import missing_in_png, write_png
from node.labels.svg import write_svg


def write_labels(labels: Sequence[Label], output: Path, style: Style, tick: Tick) -> Written:
    """Write at least one label; the ending of `output` says how. Each file appears whole.

    `tick` is told how many labels are done. Raises OSError.
    """
    sheet = SHEETS[style.sheet]
    count = pages(labels, sheet)
    title = f"Labels of {parse_id(labels[0].batch_id).display}"

    kind = output.suffix.lower()
    lacks = {".pdf": missing_in_pdf, ".png": missing_in_png}.get(kind)
    missing = set[str]()

    def drawn() -> Iterator[list[Mark]]:
        for number in range(count):
            marks = list(page_marks(labels, number, sheet, style))
            missing.update(lacks(marks) if lacks else ())
            yield marks
            tick(min(len(labels), (number + 1) * sheet.places))

    if kind == ".pdf":
        _replace(output, write_pdf(drawn(), sheet, title))
        return Written((output,), tuple(sorted(missing)))
    files = _page_names(output, count)
    for path, marks in zip(files, drawn(), strict=True):
        if kind == ".svg":
            _replace(path, write_svg(marks, sheet, title))
        else:
            _replace(path, write_png(marks, sheet))
    return Written(files, tuple(sorted(missing)))


def _page_names(output: Path, count: int) -> tuple[Path, ...]:
    """The name itself for one page, else labels-01.svg, labels-02.svg, …"""
    if count == 1:
        return (output,)
    digits = len(str(count))
    numbers = (f"{number:0{digits}d}" for number in range(1, count + 1))
    return tuple(output.with_stem(f"{output.stem}-{number}") for number in numbers)


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
