"""Files of labels, read again: every code gives its ID, nothing overlaps."""

from __future__ import annotations

from pathlib import Path

import pytest
from batches import BATCH, PAPER, REGISTERED, other, wanted
from label_reader import codes, pictures, texts

from ledger.identifiers import parse_id
from node.labels.codes import make_code
from node.labels.content import Label, Style, labels_of, parse_wanted
from node.labels.files import write_labels
from node.labels.fonts import text_width
from node.labels.layout import SHEETS, Mark, Sheet, Square, Text, fit, page_marks, wrap

LONG_NAME = "Vereinigte Seltenerdmetallaufbereitungsgesellschaften Bärenberg " * 2


def write(labels: list[Label], output: Path, style: Style) -> list[Path]:
    """The files; also that each label was counted."""
    done: list[int] = []
    written = write_labels(labels, output, style, done.append)
    assert done[-1] == len(labels)
    assert sorted(output.parent.iterdir()) == sorted(written.files)
    return list(written.files)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
@pytest.mark.parametrize("sheet", ["a4", "roll"])
@pytest.mark.parametrize(("kind", "symbol"), [("qr", "QR Code"), ("datamatrix", "Data Matrix")])
@pytest.mark.parametrize("domain", [None, "traceability.rare-earths.example:8443"])
def test_a_scanner_reads_every_code_as_what_its_label_says(
    tmp_path: Path, suffix: str, sheet: str, kind: str, symbol: str, domain: str | None
) -> None:
    labels = labels_of(BATCH, wanted(), 8, None)  # 13: the second sheet is not full
    style = Style(sheet, kind, domain, cut_marks=sheet == "a4")
    files = write(labels, tmp_path / f"labels{suffix}", style)
    pages = -(-len(labels) // SHEETS[sheet].places)
    assert len(files) == (1 if suffix == ".pdf" else pages)
    found = [code for path in files for code in codes(path)]
    assert [code.text for code in found] == [each.code_text(domain) for each in labels]
    assert {str(code.format) for code in found} == {symbol}
    for code, label in zip(found, labels, strict=True):
        again = parse_wanted(code.text)
        assert (again.identifier, again.count) == (label.identifier, label.pack.count)
        if kind == "qr":
            assert code.ec_level == "M"


def test_people_read_the_same_as_scanners(tmp_path: Path) -> None:
    labels = labels_of(BATCH, wanted(), None, None)
    [path] = write(labels, tmp_path / "labels.pdf", PAPER)
    [page] = texts(path)
    for label in labels:
        assert f"{label.identifier.display} {label.suffix}" in page
    for words in ("25 kg", "2.4 kg", "Neodymium oxide", "Bärenberg & Söhne", "kg 26–50 of 103"):
        assert words in page
    assert "Package 5 of 5" in page


def test_pages_have_the_size_of_their_paper(tmp_path: Path) -> None:
    labels = labels_of(BATCH, wanted(1), None, None)
    for sheet, millimetres in (("a4", (210, 297)), ("roll", (100, 50))):
        for suffix in (".pdf", ".svg", ".png"):
            folder = tmp_path / f"{sheet}{suffix}"
            folder.mkdir()
            style = Style(sheet, "qr", None, cut_marks=False)
            [path] = write(labels, folder / f"one{suffix}", style)
            [picture] = pictures(path)
            dots = 300 if suffix == ".png" else 200
            for found, wanted_mm in zip(picture.size, millimetres, strict=True):
                assert found == pytest.approx(wanted_mm / 25.4 * dots, abs=1.5)


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_the_same_labels_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    labels = labels_of(BATCH, wanted(), None, None)
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        [path] = write(labels, tmp_path / name / f"labels{suffix}", PAPER)
        made.append(path.read_bytes())
    assert made[0] == made[1]


def boxes(marks: list[Mark]) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of each line of text, and of the code with its quiet zone."""
    found = []
    for mark in marks:
        if isinstance(mark, Text):
            found.append((mark.x, mark.y - 0.73 * mark.size, mark.x + mark.width, mark.y))
        elif isinstance(mark, Square):
            quiet = mark.code.quiet * mark.side / mark.code.size * 0.999
            right, bottom = mark.x + mark.side + quiet, mark.y + mark.side + quiet
            found.append((mark.x - quiet, mark.y - quiet, right, bottom))
    return found


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))
@pytest.mark.parametrize("kind", ["qr", "datamatrix"])
@pytest.mark.parametrize("product", ["nd2o3", "prnd-dy-alloy", "of-another-catalogue-" * 6])
@pytest.mark.parametrize("name", ["", "Short", LONG_NAME, "稀土分离有限责任公司" * 6, "W" * 128])
def test_nothing_overlaps_and_everything_stays_inside(
    sheet: Sheet, kind: str, product: str, name: str
) -> None:
    batch = other(product=product, producer_name=name, packs=REGISTERED)
    style = Style("", kind, "a-host-name-of-the-greatest-length.xx:8443"[:40], cut_marks=False)
    [label, *_] = labels_of(batch, wanted(), None, None)
    assert label.pack.sscc
    found = boxes(list(page_marks([label], 0, sheet, style)))
    assert len(found) > 6
    left, top = sheet.corner(0)
    for box in found:
        assert left - 0.001 <= box[0] < box[2] <= left + sheet.width + 0.001
        assert top - 0.001 <= box[1] < box[3] <= top + sheet.height + 0.001
    for i, a in enumerate(found):
        for b in found[i + 1 :]:
            apart = a[2] <= b[0] + 0.01 or b[2] <= a[0] + 0.01 or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (a, b)


def test_the_id_is_large_enough_for_a_metre() -> None:
    # Normal sight needs capitals of 1.5 mm at a metre, five minutes of arc.
    for sheet in SHEETS.values():
        [label] = labels_of(other(units=1_048_575), wanted(1), 25, None)
        style = Style("", "qr", None, cut_marks=False)
        lines = [m for m in page_marks([label], 0, sheet, style) if isinstance(m, Text)]
        [line] = [m for m in lines if m.text.startswith("RE1-")]
        assert line.text == f"{parse_id(label.identifier.text).display} +25"
        assert line.size * 0.73 >= 3.5


def test_modules_of_a_picture_are_whole_dots(tmp_path: Path) -> None:
    labels = labels_of(BATCH, wanted(1), None, None)
    [path] = write(labels, tmp_path / "one.png", Style("roll", "qr", None, cut_marks=False))
    [code] = codes(path)
    corners = code.position
    [picture] = pictures(path)
    area = (corners.top_left.x, corners.top_left.y, corners.top_right.x, corners.bottom_left.y)
    assert {tone for _, tone in picture.crop(area).getcolors()} == {0, 255}


@pytest.mark.parametrize("kind", ["qr", "datamatrix"])
def test_a_longer_text_makes_a_larger_code_and_never_another_one(kind: str) -> None:
    sizes = [make_code(kind, "HTTPS://" + "A" * length + "/K/").size for length in range(1, 60)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_characters_that_a_typeface_lacks_are_named_and_nothing_else_is_lost(
    tmp_path: Path,
) -> None:
    labels = labels_of(other(producer_name="Győr 稀土 Ltd"), wanted(1), None, None)
    style = Style("roll", "qr", None, cut_marks=False)
    said = {
        suffix: write_labels(labels, tmp_path / f"one{suffix}", style, lambda done: None).missing
        for suffix in (".png", ".svg", ".pdf")
    }
    assert said == {".png": ("ő", "土", "稀"), ".svg": (), ".pdf": ("ő",)}
    assert "Győr 稀土 Ltd" in (tmp_path / "one.svg").read_text()
    assert "Gyor 稀土 Ltd" in texts(tmp_path / "one.pdf")[0]


def test_markup_in_a_name_stays_text(tmp_path: Path) -> None:
    labels = labels_of(other(producer_name='<script>"&'), wanted(1), None, None)
    [path] = write(labels, tmp_path / "one.svg", Style("roll", "qr", None, cut_marks=False))
    assert "&lt;script&gt;" in path.read_text()
    assert codes(path)


def test_control_characters_do_not_reach_a_label() -> None:
    line = fit("a\x00b\u202ec\n\u2028d", 0, 0, 3.0, 50.0, bold=False)
    assert line.text == "a b c d"


def test_a_line_is_broken_at_a_space_or_else_cut_short() -> None:
    assert wrap("one two", 1.0, 100.0, bold=False) == ["one two"]
    first, second = wrap("Invented Example: Northgate", 3.0, 40.0, bold=False)
    assert f"{first} {second}" == "Invented Example: Northgate"
    cut = fit("m" * 400, 0, 0, 3.0, 20.0, bold=False)
    assert cut.text.endswith("…")
    assert text_width(cut.text, False) * cut.size <= 20.01


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    labels = labels_of(BATCH, wanted(1), None, None)
    (tmp_path / "one.svg").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_labels(labels, tmp_path / "one.svg", PAPER, lambda done: None)
    assert [path.name for path in tmp_path.iterdir()] == ["one.svg"]


@pytest.mark.parametrize("kind", ["qr", "datamatrix"])
def test_modules_are_large_even_with_the_longest_address(kind: str) -> None:
    style = Style("", kind, "a" * 40, cut_marks=False)
    [label] = labels_of(other(units=1_048_575), wanted(1), 1000, None)
    for sheet in SHEETS.values():
        [square] = [m for m in page_marks([label], 0, sheet, style) if isinstance(m, Square)]
        assert square.side / square.code.size >= 0.9  # millimetres
