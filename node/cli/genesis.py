"""`kilochain genesis`: the network's first document, built from a folder and checked."""

from __future__ import annotations

import json
import os
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import click

from ledger.errors import GenesisError
from ledger.genesis import Genesis, build_from_documents, parse_genesis
from ledger.limits import GENESIS_BYTES_MAX
from node.cli.output import (
    Failure,
    emit,
    json_option,
    rpc_option,
    show_fields,
    show_table,
    when,
)
from node.client import Client

_LISTS = ("members.json", "validators.json", "peers.json")


@click.group()
def genesis() -> None:
    """The document that a network starts from. Example: kilochain genesis check genesis.json"""


@genesis.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="FOLDER"
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write; one that exists is never overwritten.",
)
@json_option
def build(folder: Path, target: Path, as_json: bool) -> None:
    """Build genesis.json from a consortium's folder.

    FOLDER holds network.json (name, parameters, time_ms), members.json or members/*.json,
    validators.json, and peers.json for nodes that do not vote. Every node needs the same bytes:
    build once and send the file around.

    Example: kilochain genesis build consortium/ -o genesis.json
    """
    if target.exists():
        raise Failure(f"{target}: a file is already there; name a new one")
    documents = _read_folder(folder)
    if not documents.get("validators.json"):
        then = "add what each operator's `kilochain init --validator` printed"
        raise Failure(f"{folder}/validators.json: no validators", then=then)
    try:
        data = build_from_documents(documents, int(time.time() * 1000))
    except (AttributeError, KeyError, TypeError) as error:
        raise GenesisError("E_GENESIS", f"{folder}: not of the expected form ({error})") from None
    write_new(target, data)
    emit(_said(parse_genesis(data)), as_json, _show)


@genesis.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check a genesis and say what it starts: compare the digest with the other operators.

    Example: kilochain genesis check genesis.json
    """
    emit(_said(read_genesis(file)), as_json, _show)


@genesis.command()
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write; one that exists is never overwritten.",
)
@rpc_option
@json_option
def get(target: Path, url: str, as_json: bool) -> None:
    """Fetch a network's genesis from a node, to verify passports with.

    The node could give another than you mean: compare the digest that is printed with one that you
    got by another way, from a member of the network.

    Example: kilochain genesis get -o genesis.json
    """
    if target.exists():
        raise Failure(f"{target}: a file is already there; name a new one")
    with Client(url) as client:
        data = b64decode(client.call("genesis.get")["document"])
    found = parse_genesis(data)
    write_new(target, data)
    emit(_said(found), as_json, _show)


def read_genesis(path: Path) -> Genesis:
    """The genesis in a file. Raises GenesisError, OSError."""
    with path.open("rb") as file:
        data = file.read(GENESIS_BYTES_MAX + 1)
    try:
        return parse_genesis(data)
    except GenesisError as error:
        raise GenesisError(error.code, f"{path}: {error}", error.field) from None


def write_new(path: Path, data: bytes) -> None:
    """Write a new file, durably, with mode 0644. Raises OSError when one is there."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_folder(folder: Path) -> dict[str, Any]:
    """The folder's documents by path. Raises GenesisError for one that does not belong there."""
    documents: dict[str, Any] = {}
    for path in sorted([*folder.glob("*.json"), *folder.glob("members/*.json")]):
        name = path.relative_to(folder).as_posix()
        if name not in (*_LISTS, "network.json") and not name.startswith("members/"):
            message = (
                f"{path}: not a part of a genesis; those are network.json, {', '.join(_LISTS)}"
            )
            raise GenesisError("E_GENESIS", message)
        kind, wanted = (list, "a list of objects") if name in _LISTS else (dict, "an object")
        try:
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise GenesisError("E_GENESIS", f"{path}: not readable as JSON: {error}") from None
        items = document if kind is list and isinstance(document, list) else [document]
        if not isinstance(document, kind) or not all(isinstance(item, dict) for item in items):
            raise GenesisError("E_GENESIS", f"{path}: must be {wanted}")
        documents[name] = document
    return documents


def _said(found: Genesis) -> dict[str, Any]:
    return {
        "chain_id": found.chain_id,
        "digest": found.digest.hex(),
        "time_ms": found.time_ms,
        "members": [{"code": m.code, "name": m.name, "roles": m.roles} for m in found.members],
        "validators": [
            {"name": v.name, "member": v.member, "key": v.key.hex(), "peer_id": v.peer_id}
            for v in found.validators
        ],
        "peers": [{"name": p.name, "member": p.member, "peer_id": p.peer_id} for p in found.peers],
    }


def _show(said: dict[str, Any]) -> None:
    show_fields(
        [
            ("chain", said["chain_id"]),
            ("digest", said["digest"]),
            ("time", when(said["time_ms"])),
            ("members", len(said["members"])),
            ("validators", len(said["validators"])),
            ("peers", len(said["peers"])),
        ]
    )
    click.echo()
    rows = [(m["code"], m["name"], ", ".join(m["roles"])) for m in said["members"]]
    show_table(("member", "name", "roles"), rows)
    click.echo()
    nodes = [(v["name"], v["member"], "votes", v["peer_id"]) for v in said["validators"]]
    nodes += [(p["name"], p["member"], "follows", p["peer_id"]) for p in said["peers"]]
    show_table(("node", "member", "", "peer ID"), nodes)
