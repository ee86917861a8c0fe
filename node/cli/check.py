"""`kilochain check`: the whole chain of a home recomputed, with no network and no trust."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import click

from consensus import ProtocolViolation, verify_commit_certificate
from ledger.blocks import BlockHeader, encode_header
from ledger.chain import Chain
from ledger.genesis import Genesis, Validator
from ledger.integrity import Progress, check_chain
from ledger.leveldb_store import LevelDBStore
from node.cli.genesis import read_genesis
from node.cli.output import (
    EXIT_UNVERIFIED,
    Failure,
    emit,
    home_option,
    json_option,
    printable,
    show_fields,
    when,
)
from node.config import Config, load_config
from node.environment import NodeEnvironment, consensus_header, consensus_validators
from node.journal import HomeLock
from node.verification import Verifier

_RESTORE = (
    "do not start this node on it; move data/chain away, and it fetches the chain again from the "
    "others (docs/operations.md, A damaged file)"
)


@click.command()
@home_option
@json_option
def check(home: Path, as_json: bool) -> None:
    """Recompute the whole chain of a home: blocks, signatures, certificates, state, indexes.

    Needs no network; the node must not be running. Exit code 5 names the first thing that is not
    what it must be.

    Example: kilochain check --home ~/.kilochain
    """
    config = load_config(home)
    genesis = read_genesis(config.genesis_path)
    if not config.chain_path.exists():
        raise Failure(f"{home}: this node has no chain yet", then="start it, then check")
    with ExitStack() as stack:
        lock = HomeLock(config.lock_path)
        stack.callback(lock.release)
        store = stack.enter_context(closing(LevelDBStore(config.chain_path, create=False)))
        verifier = stack.enter_context(closing(Verifier()))
        progress = stack.enter_context(_progress())
        fault = check_chain(store, genesis, verifier.check, _certificate_check(genesis), progress)
        said = None if fault else _said(config, Chain.open(store, genesis, verifier.check))
    if said is None:
        raise Failure(printable(f"{home}: {fault}"), EXIT_UNVERIFIED, _RESTORE)
    emit(said, as_json, _show)


def _certificate_check(
    genesis: Genesis,
) -> Callable[[BlockHeader, bytes, Sequence[Validator]], str | None]:
    environment = NodeEnvironment(None)

    def verify(header: BlockHeader, certificate: bytes, who: Sequence[Validator]) -> str | None:
        try:
            verify_commit_certificate(
                consensus_header(header, encode_header(header)),
                certificate,
                consensus_validators(tuple(who)),
                genesis.chain_id,
                environment,
            )
        except ProtocolViolation as error:
            return str(error)
        return None

    return verify


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr where somebody looks at it."""
    if not sys.stderr.isatty():
        yield lambda height, last: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("checking blocks", total=None)
        yield lambda height, last: bars.update(task, completed=height, total=last)


def _said(config: Config, chain: Chain) -> dict[str, Any]:
    head = chain.head
    return {
        "home": str(config.home),
        "chain_id": chain.genesis.chain_id,
        "height": head.height,
        "head": head.digest.hex(),
        "head_time_ms": head.time_ms,
        "state_root": head.state_root.hex(),
    }


def _show(said: dict[str, Any]) -> None:
    show_fields(
        [
            ("chain", said["chain_id"]),
            ("head", f"block {said['height']}, {when(said['head_time_ms'])}"),
            ("digest", said["head"]),
            ("state root", said["state_root"]),
        ]
    )
    click.echo(f"\nEvery block from 1 to {said['height']} is what it must be.")
