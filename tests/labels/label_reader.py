"""Labels as a scanner sees them: drawn as pictures, codes read by a reader that is not ours."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import resvg_py
import zxingcpp
from PIL import Image

from node.labels.fonts import FILES

DPI = 200
POINTS_OF_ONE_INCH = 72


def pictures(path: Path) -> list[Image.Image]:
    """Each page of a file in shades of grey, on white."""
    if path.suffix == ".pdf":
        document = pypdfium2.PdfDocument(path)
        try:
            scale = DPI / POINTS_OF_ONE_INCH
            return [page.render(scale=scale).to_pil().convert("L") for page in document]
        finally:
            document.close()
    if path.suffix == ".svg":
        drawn = resvg_py.svg_to_bytes(
            svg_path=str(path),
            dpi=DPI,
            background="#ffffff",
            skip_system_fonts=True,
            font_files=[str(each) for each in FILES.values()],
        )
        return [_picture(bytes(drawn))]
    return [_picture(path.read_bytes())]


def _picture(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as picture:
        return picture.convert("L")


def codes(path: Path) -> list[Any]:
    """What the reader finds, page by page, from the top left to the bottom right."""
    found = []
    for picture in pictures(path):
        on_page = zxingcpp.read_barcodes(picture)
        row = picture.height / 8
        on_page.sort(key=lambda c: (round(c.position.top_left.y / row), c.position.top_left.x))
        found += on_page
    return found


def texts(path: Path) -> list[str]:
    """The text of each page of a PDF."""
    document = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
