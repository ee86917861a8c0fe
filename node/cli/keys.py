"""`kilochain keys`: key files made, shown, and given another passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.cli.output import emit, json_option, show_fields
from node.cli.passphrase import (
    ask_new,
    choose_passphrase,
    no_passphrase_option,
    passphrase_file_option,
    read_passphrase,
    unlock,
)
from node.keys import KINDS, KeyFileError, KeyLabel, generate, read_label, replace_key, save_key

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")


@click.group()
def keys() -> None:
    """Key files: of members (transactions), nodes (identity) and validators (votes).

    Example: kilochain keys new member.key
    """


@keys.command()
@_FILE
@click.option("--kind", type=click.Choice(KINDS), default="member", show_default=True)
@passphrase_file_option
@no_passphrase_option
@json_option
def new(
    file: Path, kind: str, passphrase_file: Path | None, no_passphrase: bool, as_json: bool
) -> None:
    """Make a key and print its public part. An existing file is never overwritten.

    Example: kilochain keys new member.key --kind member
    """
    if file.exists():
        raise KeyFileError(f"{file}: a file is already there; name a new one")
    passphrase = choose_passphrase(no_passphrase, passphrase_file)
    save_key(file, generate(kind), passphrase)
    emit(_said(file, read_label(file)), as_json, _show)


@keys.command()
@_FILE
@json_option
def show(file: Path, as_json: bool) -> None:
    """The public part of a key file; needs no passphrase.

    Example: kilochain keys show member.key --json
    """
    emit(_said(file, read_label(file)), as_json, _show)


@keys.command()
@_FILE
@passphrase_file_option
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that holds the new passphrase; else a prompt.",
)
@no_passphrase_option
@json_option
def passwd(
    file: Path,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
    no_passphrase: bool,
    as_json: bool,
) -> None:
    """Give a key file another passphrase, or a first one, or none.

    Example: kilochain keys passwd member.key
    """
    [key] = unlock(file, passphrase_file=passphrase_file)
    passphrase = None
    if new_passphrase_file is not None:
        passphrase = read_passphrase(new_passphrase_file)
    elif not no_passphrase:
        passphrase = ask_new("--new-passphrase-file, or --no-passphrase")
    replace_key(file, key, passphrase)
    emit(_said(file, read_label(file)), as_json, _show)


def peer_id_of_label(label: KeyLabel) -> str | None:
    """The peer ID of a node key; None for another kind."""
    if label.kind != "node":
        return None
    from node.network.host import peer_id_of_public  # libp2p takes most of a second to import

    return peer_id_of_public(label.public)


def _said(file: Path, label: KeyLabel) -> dict[str, Any]:
    return {
        "file": str(file),
        "kind": label.kind,
        "public": label.public.hex(),
        "peer_id": peer_id_of_label(label),
        "passphrase": label.sealed,
    }


def _show(said: dict[str, Any]) -> None:
    fields = [("file", said["file"]), ("kind", said["kind"]), ("public", said["public"])]
    if said["peer_id"] is not None:
        fields.append(("peer ID", said["peer_id"]))
    fields.append(("passphrase", "yes" if said["passphrase"] else "no: the secret is readable"))
    show_fields(fields)
