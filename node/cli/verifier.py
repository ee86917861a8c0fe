"""`kilochain verifier`: the verifier page as a file, made here and not by a node."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click

from node.cli.genesis import read_genesis, write_new
from node.cli.output import emit, json_option, printable, show_fields

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--genesis", "source", type=_file, required=True, help="The network's genesis.json.")
@click.option(
    "-o",
    "--output",
    "target",
    type=_file,
    required=True,
    help="The file to write; one that exists is never overwritten.",
)
@json_option
def verifier(source: Path, target: Path, as_json: bool) -> None:
    """Write the page that verifies passports in a browser, without a network.

    It is the page that nodes of the same version give at /verifier.html, byte for byte: compare
    the SHA-256 to find out whether a node gave somebody another one.

    Example: kilochain verifier --genesis genesis.json -o verifier.html
    """
    from node.explorer.verifier_page import verifier_page

    genesis = read_genesis(source)
    page = verifier_page(genesis.data)
    write_new(target, page)
    said = {
        "file": str(target),
        "sha256": hashlib.sha256(page).hexdigest(),
        "bytes": len(page),
        "chain_id": genesis.chain_id,
        "genesis": genesis.digest.hex(),
    }
    emit(said, as_json, _show)


def _show(said: dict[str, Any]) -> None:
    show_fields(
        [
            ("written", printable(said["file"])),
            ("SHA-256", said["sha256"]),
            ("chain", said["chain_id"]),
            ("genesis", said["genesis"]),
        ]
    )
