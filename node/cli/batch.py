"""`kilochain batch`: batches registered, shown and listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ledger.identifiers import format_id, parse_id
from node.cli.output import (
    EXIT_FAILED,
    Failure,
    emit,
    json_option,
    kilograms,
    percent,
    rpc_option,
    show_fields,
    show_table,
    when,
)
from node.cli.passphrase import passphrase_file_option, unlock
from node.cli.query import ask, end_as, show_transaction
from node.client import Client, member_of

PAYLOAD_BYTES_MAX = 1_048_576
WAIT_S_DEFAULT = 60


@click.group()
def batch() -> None:
    """Batches of kilograms. Example: kilochain batch register batch.json --key member.key"""


@batch.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.json")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The member's key file, which signs.",
)
@click.option("--wait", is_flag=True, help="Return once a block holds it.")
@click.option(
    "--timeout",
    type=click.IntRange(0, 3600),
    default=WAIT_S_DEFAULT,
    show_default=True,
    help="Seconds to wait for the block.",
)
@click.option("--token", envvar="KILOCHAIN_RPC_TOKEN", help="The node's rpc.token, from afar.")
@passphrase_file_option
@rpc_option
@json_option
def register(
    file: Path,
    key_file: Path,
    wait: bool,
    timeout: int,
    token: str | None,
    passphrase_file: Path | None,
    url: str,
    as_json: bool,
) -> None:
    """Register a batch, and with it an ID for each of its kilograms.

    FILE.json is the batch as the files in seeds/batches are written. The member is the one that
    the key belongs to.

    Example: kilochain batch register batch.json --key member.key --wait
    """
    payload = _read_payload(file)
    [key] = unlock(key_file, passphrase_file=passphrase_file)
    with Client(url, token) as client:
        said = client.register(payload, key, wait_s=timeout if wait else None)
        member = None if as_json else member_of(client.call("member.list"), key.public)
    emit(said, as_json, show_transaction)
    if member is not None and said["status"] in ("pooled", "committed"):
        show_fields(_identifiers(member, payload))
    end_as(said)
    if wait and said["status"] != "committed":
        then = f"ask later with `kilochain tx {said['tx_id']}`; `kilochain status` tells more"
        raise Failure(f"not committed within {timeout} s", EXIT_FAILED, then)


def _identifiers(member: str, payload: dict[str, Any]) -> list[tuple[str, object]]:
    """The IDs that a registered batch brings."""
    serials = (("batch      ", 0), ("first kg   ", 1), ("last kg    ", payload["units"]))
    return [
        (name, parse_id(format_id(member, payload["batch_no"], serial)).display)
        for name, serial in serials
    ]


def _read_payload(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        data = opened.read(PAYLOAD_BYTES_MAX + 1)
    try:
        if len(data) > PAYLOAD_BYTES_MAX:
            raise ValueError(f"longer than {PAYLOAD_BYTES_MAX} bytes")
        payload = json.loads(data)
        if not isinstance(payload, dict):
            raise ValueError("a batch is a JSON object")
    except (ValueError, RecursionError) as error:
        raise Failure(f"{file}: not a batch ({error})") from None
    return payload


@batch.command()
@click.argument("id_", metavar="ID")
@rpc_option
@json_option
def show(id_: str, url: str, as_json: bool) -> None:
    """A batch as it was registered, by its ID or that of one of its kilograms.

    Example: kilochain batch show RE1-K77G-0001G-0000-GP
    """
    emit(ask(url, "batch.get", id=id_), as_json, _show_batch)


def _show_batch(said: dict[str, Any]) -> None:
    anchored = said["anchored"]
    rest = {key: value for key, value in said.items() if key not in ("id", "anchored", "ree")}
    fields: list[tuple[str, object]] = [("batch", parse_id(said["id"]).display)]
    fields += [
        (key, value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False))
        for key, value in rest.items()
    ]
    fields += [
        ("anchored", f"block {anchored['height']}, index {anchored['index']}"),
        ("time", when(anchored["time_ms"])),
        ("transaction", anchored["tx_id"]),
    ]
    show_fields(fields)
    click.echo()
    shares = [(element, percent(ppm)) for element, ppm in said["ree"].items()]
    show_table(("element", "share of the rare earths"), shares)


@batch.command(name="list")
@click.argument("member", metavar="MEMBER")
@click.option("--after", type=click.IntRange(0), default=0, help="Only batch numbers above this.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@rpc_option
@json_option
def list_batches(member: str, after: int, limit: int, url: str, as_json: bool) -> None:
    """A member's batches in the order of their numbers; MEMBER is its code of 4 characters.

    Example: kilochain batch list K77G
    """
    if len(member) != 4:
        raise click.BadParameter("a member's code has 4 characters", param_hint="MEMBER")
    said = ask(url, "batch.list", member=member.upper(), after=after, limit=limit)
    emit(said, as_json, _show_batches)


def _show_batches(said: dict[str, Any]) -> None:
    rows = [
        (
            each["batch_no"],
            parse_id(each["id"]).display,
            each["product"],
            kilograms(each["net_mass_g"]),
            each["units"],
            when(each["anchored"]["time_ms"]),
        )
        for each in said["batches"]
    ]
    show_table(("number", "batch", "product", "mass", "kilograms", "registered"), rows)
    if said["next"] is not None:
        click.echo(f"More: --after {said['next']}")
