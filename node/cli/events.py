"""The verb `events`: what the chain brings, as it comes, from where one was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import trio

from ledger.identifiers import parse_id
from node.cli.output import Failure, json_option, printable, rpc_option, when
from node.event_feed import Wanted, collapsed, open_events


@click.command()
@click.option("--after", default=None, help="HEIGHT.INDEX of the last event seen, now or start.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(["block", "transaction"]))
@click.option("--member", default=None, help="Only this member's transactions.")
@click.option(
    "--cursor",
    "cursor_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that remembers how far it came, and from which the next run goes on.",
)
@click.option("--until-head", is_flag=True, help="End at the newest block instead of waiting.")
@rpc_option
@json_option
def events(
    after: str | None,
    kinds: tuple[str, ...],
    member: str | None,
    cursor_path: Path | None,
    until_head: bool,
    url: str,
    as_json: bool,
) -> None:
    """Blocks and transactions as they are committed; Ctrl-C ends it.

    With --cursor, a run goes on after the last event that the run before it printed.

    Example: kilochain events --member K77G --cursor k77g.cursor --json
    """
    remembered = _remembered(cursor_path)
    if remembered is not None and after is None:
        after = remembered["after"]
    wanted = Wanted(after or "now", kinds, member)
    chain_id = None if remembered is None else remembered["chain_id"]
    listener = _Listener(cursor_path, as_json, until_head)
    with collapsed():
        trio.run(listener.listen, url, wanted, chain_id, not until_head)


class _Listener:
    def __init__(self, cursor_path: Path | None, as_json: bool, until_head: bool) -> None:
        self._path = cursor_path
        self._as_json = as_json
        self._until_head = until_head
        self._chain_id = ""
        self._head = 0

    async def listen(self, url: str, wanted: Wanted, chain_id: str | None, retry: bool) -> None:
        async with open_events(url, wanted, chain_id=chain_id, retry=retry) as messages:
            async for message in messages:
                if message["type"] == "hello":
                    self._chain_id, self._head = message["chain_id"], message["height"]
                elif message["type"] != "cursor":
                    self._print(message)
                self._remember(message["cursor"])
                if self._until_head and self._is_last(message):
                    return

    def _is_last(self, message: dict[str, Any]) -> bool:
        if message["type"] == "transaction":
            return False
        return bool(message["cursor"][0] >= self._head)

    def _print(self, message: dict[str, Any]) -> None:
        click.echo(json.dumps(message) if self._as_json else _line(message))

    def _remember(self, cursor: list[int]) -> None:
        if self._path is None or cursor[0] < 0:
            return
        text = json.dumps({"chain_id": self._chain_id, "after": f"{cursor[0]}.{cursor[1]}"})
        beside = self._path.with_name(self._path.name + ".new")
        beside.write_text(text + "\n")
        os.replace(beside, self._path)


def _line(message: dict[str, Any]) -> str:
    height, index = message["cursor"]
    at = f"{height}.{index}"
    if message["type"] == "block":
        what = f"block of {message['transactions']} by validator {message['proposer']}"
        return f"{at:>12}  {when(message['time_ms'])}  {what}  {message['digest'][:16]}"
    known = parse_id(message["id"]).display
    what = f"{message['member']} {message['product']}, {message['units']} kg"
    return printable(f"{at:>12}  {when(message['time_ms'])}  {known}  {what}")


def _remembered(path: Path | None) -> dict[str, str] | None:
    if path is None or not path.exists():
        return None
    try:
        found = json.loads(path.read_text())
        return {"chain_id": str(found["chain_id"]), "after": str(found["after"])}
    except (ValueError, TypeError, KeyError) as error:
        message = f"{path} holds no cursor"
        raise Failure(message, then="name another file, or remove it to begin anew") from error
