"""The verbs that ask a node: `status`, `peers`, `tx`, `lookup`, `block`."""

from __future__ import annotations

import re
from typing import Any

import click

from ledger.identifiers import parse_id
from node.cli.output import (
    EXIT_FAILED,
    EXIT_NOT_FOUND,
    Failure,
    emit,
    json_option,
    kilograms,
    percent,
    printable,
    rpc_option,
    show_fields,
    show_table,
    when,
)
from node.client import Client

_HEX32 = re.compile(r"[0-9a-f]{64}")
_CUSTODY = {
    "IP": "identity preserved",
    "SG": "segregated",
    "CB": "controlled blending",
    "MB": "mass balance",
    "BC": "book and claim",
}


def ask(url: str, method: str, **parameters: object) -> Any:
    """The result of one call to the node at `url`. Raises CallRefused, NodeUnreachable."""
    with Client(url) as client:
        return client.call(method, **parameters)


@click.command()
@rpc_option
@json_option
def status(url: str, as_json: bool) -> None:
    """Where a node stands: its head, its view, who votes, and whether it is ready.

    Example: kilochain status --rpc http://127.0.0.1:8645
    """
    emit(ask(url, "chain.status"), as_json, _show_status)


def _show_status(said: dict[str, Any]) -> None:
    replica, primary = said["replica"], said["primary"]
    role = "observer" if replica is None else f"replica {replica}"
    if replica == primary:
        role += ", the primary"
    show_fields(
        [
            ("chain", said["chain_id"]),
            ("head", f"block {said['height']}, {when(said['head_time_ms'])}"),
            ("digest", said["head"]),
            ("state root", said["state_root"]),
            ("this node", f"{role}; version {said['version']}"),
            ("view", f"{said['view']} ({said['mode']}), epoch {said['epoch']}, primary {primary}"),
            ("validators", f"{said['n']}, quorum {said['quorum']}, f {said['f']}"),
            ("peers", said["peers"]),
            ("pending", f"{said['pending']} transactions"),
            ("ready", "yes" if said["ready"] else f"no: {said['reason']}"),
        ]
    )


@click.command()
@rpc_option
@json_option
def peers(url: str, as_json: bool) -> None:
    """The peers that a node knows, connected or not.

    Example: kilochain peers --json
    """
    emit(ask(url, "peer.list"), as_json, _show_peers)


def _show_peers(said: list[dict[str, Any]]) -> None:
    if not said:
        click.echo("No peers: this node is alone.")
        return
    columns = ("name", "member", "link", "height", "round trip", "peer ID", "address")
    rows = [
        (
            each["name"],
            each["member"],
            "up" if each["connected"] else "down",
            each["height"],
            None if each["round_trip_ms"] is None else f"{each['round_trip_ms']:.1f} ms",
            each["peer_id"],
            each["address"],
        )
        for each in said
    ]
    show_table(columns, rows)


@click.command()
@click.argument("tx_id", metavar="TXID")
@rpc_option
@json_option
def tx(tx_id: str, url: str, as_json: bool) -> None:
    """What became of a transaction. Exit code 3 when the node does not know it.

    Example: kilochain tx 5f0c…64 hex digits
    """
    if not _HEX32.fullmatch(tx_id.lower()):
        raise click.BadParameter("a transaction's ID is 64 hex digits", param_hint="TXID")
    said = ask(url, "tx.get", tx_id=tx_id.lower())
    emit(said, as_json, show_transaction)
    end_as(said)


def show_transaction(said: dict[str, Any]) -> None:
    """Print what `tx.get` gives."""
    fields: list[tuple[str, object]] = [("transaction", said["tx_id"]), ("status", said["status"])]
    if said["height"] is not None:
        fields.append(("block", f"{said['height']}, index {said['index']}"))
        fields.append(("time", when(said["time_ms"])))
    show_fields(fields)


def end_as(said: dict[str, Any]) -> None:
    """Raise Failure for what `tx.get` says of a transaction that is not on its way."""
    if said["status"] == "unknown":
        message = f"this node does not know the transaction {said['tx_id']}"
        raise Failure(message, EXIT_NOT_FOUND, "ask the node that it was submitted to")
    if said["error"] is not None:
        error = said["error"]
        raise Failure(printable(f"{said['status']}: {error['message']} ({error['code']})"))
    if said["status"] in ("refused", "expired"):
        raise Failure(f"the transaction is {said['status']}", EXIT_FAILED)


@click.command()
@click.argument("id_", metavar="ID")
@rpc_option
@json_option
def lookup(id_: str, url: str, as_json: bool) -> None:
    """The record of a kilogram or of a batch: origin, composition, where it is anchored.

    Dashes, spaces and lower case are fine. Exit code 3 when nobody registered the ID.

    Example: kilochain lookup RE1-K77G-0001G-0001-GK
    """
    emit(ask(url, "id.lookup", id=id_), as_json, _show_record)


def _show_record(said: dict[str, Any]) -> None:
    anchored = said["anchored"]
    coc = said["coc"]
    registrant = f"{said['registered_by_name']} ({said['registered_by']})"
    fields: list[tuple[str, object]] = [
        (said["kind"], parse_id(said["id"]).display),
        ("status", said["status"]),
        ("product", said["product"]),
        ("mass", kilograms(said["mass_g"])),
    ]
    if said["kind"] == "kilogram":
        fields.append(("batch", parse_id(said["batch"]).display))
    fields += [
        ("facility", said["facility"]),
        ("produced on", said["produced_on"]),
        *(("origin", _origin(each)) for each in said["origin"]),
        ("custody", f"{coc} ({_CUSTODY.get(coc, 'unknown model')})"),
        ("registered by", registrant),
        ("anchored", f"block {anchored['height']}, index {anchored['index']}"),
        ("", when(anchored["time_ms"])),
        ("transaction", anchored["tx_id"]),
    ]
    for hidden in said["committed_not_validated"]:
        fields.append(("hidden", f"{hidden}: committed to by the registrant, validated by nobody"))
    show_fields(fields)
    click.echo()
    show_table(
        ("element", "share", "as oxide", "share"),
        [
            (
                each["element"],
                percent(each["element_ppm"]),
                each["oxide"],
                percent(each["oxide_ppm"]),
            )
            for each in said["composition"]
        ],
    )


def _origin(said: dict[str, Any]) -> str:
    where = ", ".join(said[key] for key in ("country", "site", "ore") if said.get(key))
    return f"{percent(said['share_ppm'])}  {where}"


@click.group()
def block() -> None:
    """Blocks of the chain. Example: kilochain block list"""


@block.command(name="list")
@click.option("--before", type=click.IntRange(0), help="Only blocks below this height.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@rpc_option
@json_option
def list_blocks(before: int | None, limit: int, url: str, as_json: bool) -> None:
    """Blocks, newest first.

    Example: kilochain block list --limit 5
    """
    said = ask(url, "block.list", before=before, limit=limit)
    emit(said, as_json, _show_blocks)


def _show_blocks(said: list[dict[str, Any]]) -> None:
    keys = ("height", "time_ms", "proposer", "transactions", "digest")
    rows = [[when(each[k]) if k == "time_ms" else each[k] for k in keys] for each in said]
    show_table(("height", "time", "proposer", "transactions", "digest"), rows)


@block.command(name="show")
@click.argument("which", metavar="HEIGHT|DIGEST")
@rpc_option
@json_option
def show_block(which: str, url: str, as_json: bool) -> None:
    """One block, by its height or its digest, with who committed it.

    Example: kilochain block show 7
    """
    if _HEX32.fullmatch(which.lower()):
        said = ask(url, "block.get", digest=which.lower())
    elif which.isascii() and which.isdigit():
        said = ask(url, "block.get", height=int(which))
    else:
        raise click.BadParameter("give a height or 64 hex digits", param_hint="HEIGHT|DIGEST")
    emit(said, as_json, _show_block)


def _show_block(said: dict[str, Any]) -> None:
    header, certificate = said["header"], said["certificate"]
    committed = "by the genesis"
    if certificate is not None:
        voters = ", ".join(str(vote["replica"]) for vote in certificate["votes"])
        committed = f"in view {certificate['view']} by replicas {voters}"
    show_fields(
        [
            ("block", header["height"]),
            ("digest", said["digest"]),
            ("parent", header["parent"]),
            ("time", when(header["time_ms"])),
            ("proposer", header["proposer"]),
            ("committed", committed),
            ("state root", header["state_root"]),
            ("transactions", header["transactions"]),
        ]
    )
    if said["transactions"]:
        click.echo()
        rows = [(i, e["kind"], e["member"], e["tx_id"]) for i, e in enumerate(said["transactions"])]
        show_table(("index", "kind", "member", "transaction"), rows)
