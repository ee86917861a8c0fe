"""The `kilochain testnet` group."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ledger.identifiers import parse_id
from node.testnet import calls, control, demo
from node.testnet.errors import TestnetError
from node.testnet.limits import OBSERVERS_DEFAULT

_SEEDS = Path(__file__).resolve().parents[2] / "seeds"
_DEFAULT_FOLDER = ".testnet"
_TOUR = (
    ("kill v0", "the primary dies; the others change view and go on"),
    ("start v0", "it catches up and votes again"),
    ("partition v0,v1/v2,v3", "no side has a quorum: nothing commits"),
    ("heal", "commits resume"),
    ("pause v3", "one frozen node; resume v3 lets it catch up"),
    ("start o0", "an observer follows without a vote"),
    ("demo", "registers what is missing, shows the record again"),
    ("down", "ends every process; up starts them again"),
)


class _Group(click.Group):
    """Turns a TestnetError into exit code 1 with its reason on stderr."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TestnetError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, name="testnet")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=_DEFAULT_FOLDER)
@click.pass_context
def testnet(ctx: click.Context, folder: Path) -> None:
    """Real nodes in the background on this machine. Example: kilochain testnet up"""
    ctx.obj = folder.absolute()


def _folder(function: Callable[..., None]) -> Callable[..., None]:
    """`--dir` after the verb too; `function` gets the folder first."""

    def run(ctx: click.Context, /, own: Path | None, **arguments: Any) -> None:
        function(ctx.obj if own is None else own.absolute(), **arguments)

    run.__doc__ = function.__doc__
    run.__name__ = function.__name__
    run.__dict__.update(function.__dict__)
    option = click.option(
        "--dir", "own", type=click.Path(path_type=Path), help="The testnet's folder."
    )
    return option(click.pass_context(run))


def _again(folder: Path, verb: str) -> str:
    """The command line of another verb for the same testnet."""
    usual = folder == Path(_DEFAULT_FOLDER).absolute()
    where = "" if usual else f" --dir {shlex.quote(str(folder))}"
    return f"{calls.typed()} testnet {verb}{where}"


@testnet.command()
@_folder
@click.option("--validators", default=4, show_default=True)
@click.option("--observers", default=OBSERVERS_DEFAULT, show_default=True, help="Spare identities.")
@click.option("--consortium", type=click.Path(path_type=Path), default=_SEEDS / "consortium")
def up(folder: Path, validators: int, observers: int, consortium: Path) -> None:
    """Bring the network up. Example: kilochain testnet up --validators 4"""
    began = time.monotonic()
    click.echo(f"Bringing the testnet up in {folder} ...", err=True)
    layout, started = control.up(folder, consortium, validators, observers)
    if not started:
        click.echo("The testnet is running already.")
    for row in control.status(folder):
        sort = "validator" if layout.node(row.name).validator else "observer"
        click.echo(f"  {row.name:4} {sort:10} {row.state:8} {layout.node(row.name).rpc}")
    if started:
        click.echo(f"Ready after {time.monotonic() - began:.1f} s.")
    click.echo(f"Explorer, in a browser: {layout.nodes[0].rpc}/ (each node has its own)")
    click.echo(f"Next: `{_again(folder, 'demo')}` registers sample batches and shows a kilogram.")


@testnet.command()
@_folder
def down(folder: Path) -> None:
    """End every process. Example: kilochain testnet down"""
    click.echo(f"Ended {control.down(folder)} processes.")


@testnet.command()
@_folder
@click.option("--json", "as_json", is_flag=True)
def status(folder: Path, as_json: bool) -> None:
    """One line per node. Example: kilochain testnet status"""
    rows = control.status(folder)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    click.echo(f"{'node':6}{'pid':>8}  {'state':9}{'height':>7}{'view':>6}{'peers':>6}  head")
    for row in rows:
        cells = ["-" if v is None else str(v) for v in (row.pid, row.height, row.view, row.peers)]
        click.echo(
            f"{row.name:6}{cells[0]:>8}  {row.state:9}{cells[1]:>7}{cells[2]:>6}{cells[3]:>6}"
            f"  {(row.head or '-')[:16]}"
        )


def _verb(name: str, function: Callable[[Path, str], None], done: str) -> None:
    def run(folder: Path, node: str) -> None:
        function(folder, node)
        click.echo(f"{node} {done}.")

    run.__doc__ = f"{(function.__doc__ or '').splitlines()[0]} Example: kilochain testnet {name} v1"
    testnet.command(name)(_folder(click.argument("node")(run)))


_verb("kill", control.kill, "is killed")
_verb("start", control.start, "is started")
_verb("pause", control.pause, "is paused")
_verb("resume", control.resume, "is resumed")


@testnet.command()
@_folder
@click.argument("groups")
def partition(folder: Path, groups: str) -> None:
    """Cut links between groups. Example: kilochain testnet partition v0,v1/v2,v3"""
    control.partition(folder, groups)
    click.echo(f"Cut. `{_again(folder, 'heal')}` joins them again.")


@testnet.command()
@_folder
def heal(folder: Path) -> None:
    """Undo every partition. Example: kilochain testnet heal"""
    control.heal(folder)
    click.echo("Healed.")


@testnet.command(name="demo")
@_folder
@click.option("--batches", type=click.Path(path_type=Path), default=_SEEDS / "batches")
def show(folder: Path, batches: Path) -> None:
    """Register sample batches and read one. Example: kilochain testnet demo"""
    began = time.monotonic()
    samples = demo.register_batches(folder, batches)
    for sample in samples:
        state = "registered" if sample.fresh else "on the chain already"
        click.echo(f"  {parse_id(sample.batch_id).display}  {sample.name}: {state}")
    click.echo(f"{len(samples)} batches are on the chain ({time.monotonic() - began:.1f} s).\n")
    url, kilogram = demo.running_urls(folder)[0], demo.kilogram_of(samples[0])
    click.echo(calls.run("lookup", kilogram, "--rpc", url))
    click.echo(f"The same in a browser, verified there:\n  {url}/K/{kilogram}\n")
    other = parse_id(samples[-1].batch_id).display
    click.echo(f"Ask about another:\n  {calls.typed()} lookup {other} --rpc {url}\n")
    click.echo(f"Break something, and watch with `{_again(folder, 'status')}`:")
    steps = [(_again(folder, verb), meaning) for verb, meaning in _TOUR]
    width = max(len(command) for command, _ in steps)
    for command, meaning in steps:
        click.echo(f"  {command:{width}}  {meaning}")


@testnet.command()
@_folder
def clean(folder: Path) -> None:
    """End the network and remove its folder. Example: kilochain testnet clean"""
    control.clean(folder)
    click.echo(f"Removed {folder}.")
