"""Where a passphrase comes from: a file, the environment, or a person at a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from node.cli.output import Decorated
from node.keys import KeyFile, KeyFileError, PassphraseWrong, load_key, read_label

VARIABLE = "KILOCHAIN_PASSPHRASE"
TRIES_MAX = 3  # of a person who types a passphrase
PASSPHRASE_CHARACTERS_MAX = 1024
_WAYS = f"set {VARIABLE}, name a file with --passphrase-file, or run this on a terminal"


def passphrase_file_option(function: Decorated) -> Decorated:
    """`--passphrase-file FILE` as the argument `passphrase_file`."""
    option = click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"The file that holds the passphrase of the keys; else ${VARIABLE}, else a prompt.",
    )
    return option(function)


def no_passphrase_option(function: Decorated) -> Decorated:
    """`--no-passphrase` as the argument `no_passphrase`."""
    option = click.option(
        "--no-passphrase", is_flag=True, help="Leave the secret readable; for tests."
    )
    return option(function)


def unlock(*paths: Path, passphrase_file: Path | None = None) -> list[KeyFile]:
    """The keys in these files, in order; one passphrase is asked for once.

    A key without a passphrase is just read. Otherwise the passphrase is the content of
    `passphrase_file`, else KILOCHAIN_PASSPHRASE, else what a person types. Raises KeyFileError
    (PassphraseWrong), OSError.
    """
    given = _given(passphrase_file)
    may_ask = given is None and sys.stdin.isatty()
    found: list[KeyFile] = []
    for path in paths:
        if read_label(path).sealed:
            key, given = _open(path, given, may_ask)
        else:
            key = load_key(path)
        found.append(key)
    return found


def choose_passphrase(no_passphrase: bool, passphrase_file: Path | None) -> str | None:
    """The passphrase for a new key file; None when it is to have none. Raises KeyFileError."""
    if no_passphrase:
        return None
    return _given(passphrase_file) or ask_new("--no-passphrase to leave the secret readable")


def ask_new(otherwise: str) -> str:
    """A new passphrase, typed twice. Raises KeyFileError where nobody can type."""
    if not sys.stdin.isatty():
        raise KeyFileError(f"a new key needs a passphrase: {_WAYS}, or say {otherwise}")
    typed = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
    return _checked(str(typed), "the terminal")


def read_passphrase(path: Path) -> str:
    """The first line of a file. Raises KeyFileError, OSError."""
    with path.open(encoding="utf-8") as file:
        line = file.readline(PASSPHRASE_CHARACTERS_MAX + 1)
    return _checked(line.removesuffix("\n").removesuffix("\r"), str(path))


def _given(passphrase_file: Path | None) -> str | None:
    if passphrase_file is not None:
        return read_passphrase(passphrase_file)
    said = os.environ.get(VARIABLE)
    return None if not said else _checked(said, VARIABLE)


def _checked(passphrase: str, source: str) -> str:
    if not 0 < len(passphrase) <= PASSPHRASE_CHARACTERS_MAX:
        raise KeyFileError(
            f"{source}: a passphrase has 1 to {PASSPHRASE_CHARACTERS_MAX} characters"
        )
    return passphrase


def _open(path: Path, passphrase: str | None, may_ask: bool) -> tuple[KeyFile, str]:
    for _ in range(TRIES_MAX):
        try:
            if passphrase is not None:
                return load_key(path, passphrase), passphrase
        except PassphraseWrong as error:
            if not may_ask:
                raise
            click.echo(str(error), err=True)
        if not may_ask:
            raise PassphraseWrong(f"{path}: this key needs its passphrase: {_WAYS}")
        passphrase = str(click.prompt(f"Passphrase of {path}", hide_input=True, err=True))
    return load_key(path, passphrase), str(passphrase)
