"""What the verbs share: how data is shown, where a node is found, and how a failure ends.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not found, 4 no node answers, 5 a proof
or a chain does not verify. A verb raises what went wrong; `failure_of` alone gives it its code.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from node.client import DEFAULT_URL

EXIT_FAILED = 1
EXIT_NOT_FOUND = 3
EXIT_NO_NODE = 4
EXIT_UNVERIFIED = 5
PPM_OF_ONE_PERCENT = 10_000

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_NO_NODE = (
    "start one with `kilochain start` or `kilochain testnet up`, or name another with --rpc or "
    "KILOCHAIN_RPC"
)
_OTHER_VERSION = (
    "run the version of kilochain that wrote this home (docs/operations.md, Upgrade); nothing was "
    "changed"
)
# By name, so that a verb does not import what it never uses: the first class of an error's
# ancestry that stands here gives its exit code and what to do next.
ENDINGS: dict[str, tuple[int, str]] = {
    "node.client:NodeUnreachable": (EXIT_NO_NODE, _NO_NODE),
    "node.client:ClientError": (EXIT_FAILED, ""),
    "node.config:ConfigError": (
        EXIT_FAILED,
        "mend that file; docs/operations.md lists every setting",
    ),
    "consensus.errors:InvariantBroken": (
        EXIT_FAILED,
        "keep this home as it is, run `kilochain check --home` on it, and report what it says",
    ),
    "node.guard:DoubleSign": (EXIT_FAILED, "keep this home as it is and report it"),
    "node.journal:JournalDamaged": (EXIT_FAILED, ""),
    "node.driver:StorageFailed": (EXIT_FAILED, "free or repair the disk, then start again"),
    "node.memory:MemoryExhausted": (
        EXIT_FAILED,
        "start it again; if it comes back, `kilochain peers` shows who sends most",
    ),
    "node.journal:HomeLocked": (EXIT_FAILED, "end that process, or name another --home"),
    "node.keys:KeyFileDamaged": (EXIT_FAILED, "put its backup back (docs/operations.md, Keys)"),
    "node.keys:KeyFileError": (EXIT_FAILED, ""),
    "node.labels.errors:LabelError": (EXIT_FAILED, ""),
    "node.network.interface:NetworkError": (EXIT_FAILED, "set p2p.listen in config.toml"),
    "node.rpc.server:ListenFailed": (EXIT_FAILED, ""),
    "node.startup:FormatRefused": (EXIT_FAILED, _OTHER_VERSION),
    "node.startup:HomeDamaged": (
        EXIT_FAILED,
        "look it up in docs/operations.md, A damaged file",
    ),
    "node.startup:StartRefused": (EXIT_FAILED, ""),
    "node.testnet.errors:TestnetError": (EXIT_FAILED, ""),
    "ledger.errors:NotRegistered": (EXIT_NOT_FOUND, ""),
    "ledger.errors:StoreCorrupted": (
        EXIT_UNVERIFIED,
        "look it up in docs/operations.md, A damaged file",
    ),
    "ledger.errors:FormatUnknown": (EXIT_FAILED, _OTHER_VERSION),
    "ledger.errors:LedgerError": (EXIT_FAILED, ""),
}
_EXIT_OF_CODE = {
    "E_NOT_REGISTERED": EXIT_NOT_FOUND,
    "E_NOT_FOUND": EXIT_NOT_FOUND,
    "E_CORRUPTED": EXIT_UNVERIFIED,
}


class Failure(click.ClickException):
    """A verb that ends with `exit_code`, its reason and what to do `next` on stderr."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED, then: str = "") -> None:
        super().__init__(f"{message}\nNext: {then}." if then else message)
        self.exit_code = exit_code  # type: ignore[misc]


def failure_of(error: BaseException) -> Failure | None:
    """How a verb ends on `error`; None when nobody foresaw it.

    Of a group of errors, as a node's tasks raise them, the first that was foreseen.
    """
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(failure_of, error.exceptions)), None)
    for kind in type(error).__mro__:
        ending = ENDINGS.get(f"{kind.__module__}:{kind.__qualname__}")
        if ending is not None:
            code = getattr(error, "code", None)
            where = f" ({code})" if code else ""
            exit_code = _EXIT_OF_CODE.get(str(code), ending[0])
            return Failure(printable(f"{error}{where}"), exit_code, ending[1])
    if isinstance(error, OSError):
        at = f"{error.filename}: " if error.filename else ""
        return Failure(printable(f"{at}{error.strerror or error}"))
    return None


@contextmanager
def endings() -> Iterator[None]:
    """Turn the foreseen errors of a verb into a Failure; the others go on."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError:
        # Whoever read us has seen enough; the flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(EXIT_FAILED) from None
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        raise failure from error


# --- options that several verbs have -------------------------------------------------------------


def _url(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise click.BadParameter(f"{value!r} is no URL; write it like {DEFAULT_URL}")
    return value


def rpc_option(function: Decorated) -> Decorated:
    """`--rpc URL` as the argument `url`."""
    option = click.option(
        "--rpc",
        "url",
        metavar="URL",
        envvar="KILOCHAIN_RPC",
        default=DEFAULT_URL,
        callback=_url,
        help=f"The node to ask; default $KILOCHAIN_RPC, else {DEFAULT_URL}.",
    )
    return option(function)


def json_option(function: Decorated) -> Decorated:
    """`--json` as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")(
        function
    )


def home_option(function: Decorated) -> Decorated:
    """`--home FOLDER` as the argument `home`, an absolute path."""
    option = click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
        envvar="KILOCHAIN_HOME",
        default=lambda: Path.home() / ".kilochain",
        help="The node's folder; default $KILOCHAIN_HOME, else ~/.kilochain.",
    )
    return option(function)


# --- showing -------------------------------------------------------------------------------------


def emit(value: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print `value` as one JSON document, or let `show` print it for a person."""
    if as_json:
        click.echo(json.dumps(value, indent=2))
    else:
        show(value)


def printable(value: object) -> str:
    """Text of a value without the control characters that could steer a terminal."""
    if value is None:
        return "-"
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def show_fields(fields: Sequence[tuple[str, object]]) -> None:
    """Names and values, one a line."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        click.echo(f"{click.style(name.ljust(width), dim=True)}  {printable(value)}")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table: drawn on a terminal, aligned text without any cut elsewhere."""
    texts = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, texts)
        return
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    for row in [columns, *texts]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def when(time_ms: int | None) -> str:
    """Unix milliseconds as a date and time in UTC."""
    if time_ms is None:
        return "-"
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d} UTC"


def kilograms(mass_g: int) -> str:
    """Grams as kilograms with three decimals."""
    return f"{mass_g // 1000:,}.{mass_g % 1000:03d} kg"


def percent(ppm: int) -> str:
    """Parts per million as a percentage with four decimals."""
    return f"{ppm // PPM_OF_ONE_PERCENT}.{ppm % PPM_OF_ONE_PERCENT:04d} %"
