"""The `kilochain` command. Each verb's module is imported when the verb is used, not before."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, ClassVar

import click

EXIT_INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


class LazyGroup(click.Group):
    """A group whose commands are named as "module:attribute" and imported on use."""

    places: ClassVar[dict[str, str]] = {
        "init": "node.cli.home:init",
        "start": "node.cli.daemon:start",
        "keys": "node.cli.keys:keys",
        "genesis": "node.cli.genesis:genesis",
        "testnet": "node.testnet.commands:testnet",
        "status": "node.cli.query:status",
        "why": "node.cli.why:why",
        "peers": "node.cli.query:peers",
        "tx": "node.cli.query:tx",
        "lookup": "node.cli.query:lookup",
        "block": "node.cli.query:block",
        "events": "node.cli.events:events",
        "batch": "node.cli.batch:batch",
        "proof": "node.cli.proof:proof",
        "verify": "node.cli.proof:verify",
        "verifier": "node.cli.verifier:verifier",
        "label": "node.cli.label:label",
        "check": "node.cli.check:check",
        "simulate": "node.cli.simulate:simulate",
        "bench": "node.cli.bench:bench",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which somebody meets them."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module. None when there is no such verb."""
        place = self.places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what went wrong in a foreseen way ends it with its exit code."""
        from node.cli.output import endings

        with endings():
            return super().invoke(ctx)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kilochain")
def cli() -> None:
    """A permissioned ledger node on which every kilogram of rare earth has an ID.

    Example: kilochain testnet up, then kilochain testnet demo
    """


def main() -> None:
    """The entry point: runs the verb and exits with the code of its outcome."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
