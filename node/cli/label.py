"""`kilochain label`: labels for the packages of a batch, as files that printers take."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ledger.identifiers import parse_id
from ledger.limits import PASSPORT_BYTES_MAX
from node.cli.output import (
    EXIT_NOT_FOUND,
    EXIT_UNVERIFIED,
    Failure,
    emit,
    json_option,
    kilograms,
    printable,
    rpc_option,
    show_fields,
)
from node.labels.content import (
    SUFFIXES,
    Batch,
    Label,
    Style,
    Tick,
    Wanted,
    Written,
    batch_of,
    labels_of,
    parse_wanted,
)
from node.labels.limits import DOMAIN_CHARACTERS_MAX, LABELS_MAX, PACK_KG_DEFAULT

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_HOST}(?:\.{_HOST})*(?::[0-9]{{1,5}})?")
_RANGE = re.compile(r"([1-9][0-9]{0,6})-([1-9][0-9]{0,6})")


def _output(ctx: click.Context, parameter: click.Parameter, value: Path) -> Path:
    if value.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{value}: the name has to end in {', '.join(SUFFIXES)}")
    return value


def _domain(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    if not _DOMAIN.fullmatch(value) or len(value) > DOMAIN_CHARACTERS_MAX:
        raise click.BadParameter(
            f"{value!r}: a host name of at most {DOMAIN_CHARACTERS_MAX} characters, such as "
            "id.example.com; without https:// and without a path"
        )
    return value


def _selection(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    if value is None:
        return None
    found = _RANGE.fullmatch(value)
    if not found or int(found[1]) > int(found[2]):
        raise click.BadParameter(f"{value!r}: write it like 1-{LABELS_MAX}")
    return int(found[1]), int(found[2])


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    callback=_output,
    help="The file: .pdf holds all pages; of .svg and .png each page is a file.",
)
@click.option(
    "--pack",
    "pack_kg",
    type=click.IntRange(1, 1_048_575),
    metavar="N",
    help=f"Kilograms in a package; default the registered packages, else {PACK_KG_DEFAULT}.",
)
@click.option(
    "--labels",
    "selection",
    metavar="A-B",
    callback=_selection,
    help=f"Only these of the batch's labels, counted from 1; at most {LABELS_MAX}.",
)
@click.option(
    "--format",
    "sheet",
    type=click.Choice(("a4", "roll")),
    default="a4",
    show_default=True,
    help="A4 sheets of ten 99.1 x 57 mm labels, or a roll of 100 x 50 mm.",
)
@click.option(
    "--code",
    type=click.Choice(("qr", "datamatrix")),
    default="qr",
    show_default=True,
)
@click.option(
    "--domain",
    metavar="HOST",
    callback=_domain,
    help="Where the records are shown: codes hold HTTPS://HOST/K/ID. Without it "
    "they hold the ID alone.",
)
@click.option("--cut-marks", is_flag=True, help="Corners to cut along, on plain paper.")
@click.option(
    "--passport",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the record from this passport instead of asking a node.",
)
@click.option(
    "--genesis",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Verify the passport with this genesis document first.",
)
@rpc_option
@json_option
def label(
    id_: str | None,
    output: Path,
    pack_kg: int | None,
    selection: tuple[int, int] | None,
    sheet: str,
    code: str,
    domain: str | None,
    cut_marks: bool,
    passport: Path | None,
    genesis: Path | None,
    url: str,
    as_json: bool,
) -> None:
    """Labels with a code, one for each package of a batch, or one for a kilogram or package.

    ID is a batch, a kilogram, or a package as its label has it (ID+25). The ID on a label is that
    of the first kilogram in the package; the last package holds what remains.

    Example: kilochain label RE1-K77G-0001G-0000-GP --domain id.example.com -o labels.pdf
    """
    if passport is not None:
        wanted, batch = _from_passport(passport, id_, genesis)
    elif id_ is None or genesis is not None:
        raise click.UsageError("name an ID, or a passport with --passport (and its --genesis)")
    else:
        wanted = parse_wanted(id_)
        batch = _from_node(url, wanted)
    labels = labels_of(batch, wanted, pack_kg, selection)
    style = Style(sheet, code, domain, cut_marks)
    with _progress(len(labels)) as tick:
        written = _write(labels, output, style, tick)
    emit(_said(labels, style, written), as_json, _show)
    if written.missing:
        letters = printable(" ".join(written.missing))
        click.echo(f"warning: {output.suffix} has no letters for {letters}; .svg has", err=True)
    if passport is not None and genesis is None:
        click.echo("note: nobody verified the passport; --genesis FILE does", err=True)


def _from_node(url: str, wanted: Wanted) -> Batch:
    from node.cli.query import ask

    said = ask(url, "id.lookup", id=wanted.identifier.text)
    payload = ask(url, "batch.get", id=said["batch"])
    return batch_of(said["registered_by"], payload, said["registered_by_name"])


def _from_passport(path: Path, id_: str | None, genesis: Path | None) -> tuple[Wanted, Batch]:
    from ledger.passport import parse_passport, passport_document

    with path.open("rb") as file:
        data = file.read(PASSPORT_BYTES_MAX + 1)
    found = passport_document(parse_passport(data))
    names = {} if genesis is None else _verified_names(path, data, genesis)
    if found["claim"] != "registered":
        raise Failure(f"{path}: proves that {found['id']} is not registered", EXIT_NOT_FOUND)
    wanted, whole = parse_wanted(id_ or found["id"]), parse_id(found["record"]["batch"])
    if (wanted.identifier.producer, wanted.identifier.batch_no) != (
        whole.producer,
        whole.batch_no,
    ):
        raise Failure(f"{path}: is of the batch {whole.display}, not of {id_}")
    member = found["record"]["registered_by"]
    return wanted, batch_of(member, found["record"]["payload"], names.get(member, ""))


def _verified_names(path: Path, data: bytes, genesis: Path) -> dict[str, str]:
    """The members' names, once the passport holds under the genesis."""
    from ledger.passport_verifier import verify_passport
    from node.cli.genesis import read_genesis
    from node.keys import verify

    trusted = read_genesis(genesis)
    verdict = verify_passport(data, trusted.data, verify)
    if verdict.failed is not None:
        message = f"{path}: does not hold, at the step {verdict.failed.name}"
        raise Failure(message, EXIT_UNVERIFIED, f"see `kilochain verify {path}`")
    return {member.code: member.name for member in trusted.members}


def _write(labels: Sequence[Label], output: Path, style: Style, tick: Tick) -> Written:
    # Here, because the libraries behind it take longer to load than most verbs to run.
    from node.labels.files import write_labels

    return write_labels(labels, output, style, tick)


@contextmanager
def _progress(total: int) -> Iterator[Tick]:
    """A bar on stderr where somebody looks at it."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("drawing labels", total=total)
        yield lambda done: bars.update(task, completed=done)


def _said(labels: Sequence[Label], style: Style, written: Written) -> dict[str, Any]:
    return {
        "batch": labels[0].batch_id,
        "labels": len(labels),
        "first": labels[0].identifier.text,
        "last": labels[-1].identifier.text,
        "kilograms": sum(each.pack.count for each in labels),
        "mass_g": sum(each.pack.mass_g for each in labels),
        "format": style.sheet,
        "code": style.code,
        "domain": style.domain,
        "first_code": labels[0].code_text(style.domain),
        "cut_marks": style.cut_marks,
        "missing_characters": list(written.missing),
        "files": [str(path) for path in written.files],
    }


def _show(said: dict[str, Any]) -> None:
    files = said["files"]
    rest = f" … {files[-1]} ({len(files)} files)" if len(files) > 1 else ""
    show_fields(
        [
            ("batch", parse_id(said["batch"]).display),
            ("labels", said["labels"]),
            ("first", parse_id(said["first"]).display),
            ("last", parse_id(said["last"]).display),
            ("together", f"{said['kilograms']} IDs, {kilograms(said['mass_g'])}"),
            ("code", f"{said['code']}, holds {said['first_code']}"),
            ("written", printable(f"{files[0]}{rest}")),
        ]
    )
    if said["domain"] is None:
        click.echo("Codes hold the ID alone; with --domain HOST a telephone opens its record.")
