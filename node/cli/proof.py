"""`kilochain proof` and `kilochain verify`: passports made by a node, verified without any."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import click

from ledger.errors import InvalidPassport
from ledger.genesis import genesis_digest
from ledger.identifiers import parse_id
from ledger.limits import GENESIS_BYTES_MAX, PASSPORT_BYTES_MAX
from ledger.passport_verifier import Verdict, unchanged_since, verify_passport
from node.cli.genesis import write_new
from node.cli.output import (
    EXIT_FAILED,
    EXIT_UNVERIFIED,
    Failure,
    emit,
    json_option,
    printable,
    rpc_option,
    show_fields,
)
from node.cli.query import ask
from node.keys import verify as check_signature

_COSE_TAG = b"\xd2"  # how a COSE_Sign1 begins
_file = click.Path(path_type=Path, dir_okay=False)
_NEXT = (
    "nothing is proven; ask for a new passport, and make sure that the genesis document is that of "
    "the network you mean"
)


@click.command()
@click.argument("id_", metavar="ID")
@click.option(
    "-o",
    "--output",
    "target",
    type=_file,
    required=True,
    help="The file to write; one that exists is never overwritten.",
)
@click.option("--current", is_flag=True, help="With the state now: that the batch still stands.")
@click.option("--cose", is_flag=True, help="A COSE receipt of a registered ID instead.")
@rpc_option
@json_option
def proof(id_: str, target: Path, current: bool, cose: bool, url: str, as_json: bool) -> None:
    """Write the passport of an ID: proof that it is registered, or that it is not.

    Whoever has the file and the genesis document can verify it without any node. An ID that nobody
    registered gets a passport too; it says so.

    Example: kilochain proof RE1-K77G-0001G-0001-GK -o kilogram.passport.json --current
    """
    if target.exists():
        raise Failure(f"{target}: a file is already there; name a new one")
    how = "cose" if cose else "json"
    found = ask(url, "proof.get", id=id_, current=current, format=how)
    if cose:
        data = b64decode(found)
        claim = "registered"
    else:
        data = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
        claim = str(found["claim"])
    write_new(target, data)
    text = parse_id(id_).text
    said = {"id": text, "claim": claim, "format": how, "file": str(target), "bytes": len(data)}
    emit(said, as_json, _show_proof)


def _show_proof(said: dict[str, Any]) -> None:
    claim = "registered" if said["claim"] == "registered" else "NOT registered"
    show_fields(
        [
            ("ID", parse_id(said["id"]).display),
            ("claim", claim),
            ("file", f"{said['file']}, {said['bytes']} bytes"),
        ]
    )
    if said["format"] == "json":
        click.echo(f"\nNext: kilochain verify {said['file']} --genesis genesis.json")


@click.command()
@click.argument("file", type=_file, metavar="FILE")
@click.option(
    "--genesis",
    "genesis_file",
    type=_file,
    required=True,
    help="The genesis document of the network that you mean.",
)
@click.option(
    "--unchanged-since",
    "old_file",
    type=_file,
    metavar="OLD",
    help="An older passport of the same batch: prove that nothing of it has changed.",
)
@json_option
def verify(file: Path, genesis_file: Path, old_file: Path | None, as_json: bool) -> None:
    """Verify a passport. Needs no node and no network; trusts the genesis document alone.

    `kilochain genesis get` fetches that document, and every member has it: compare the digest that
    is printed with one that you got by another way. Exit code 5 names the first step that fails.

    Example: kilochain verify kilogram.passport.json --genesis genesis.json
    """
    genesis = _read(genesis_file, GENESIS_BYTES_MAX)
    verdicts = []
    for path in (file, *([old_file] if old_file else [])):
        verdict = _verdict(path, genesis)
        verdicts.append(verdict)
        if not as_json:
            _show_verdict(path, verdict)
        if verdict.failed is not None:
            emit(_said(path, verdict, genesis), as_json, lambda said: None)
            message = f"{path}: {verdict.failed.name}: {verdict.failed.says}"
            raise Failure(printable(message), EXIT_UNVERIFIED, _NEXT)
    said = _said(file, verdicts[0], genesis)
    if old_file is not None:
        said["unchanged"] = _compare(verdicts[1], verdicts[0])
    emit(said, as_json, _show_proven)


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max + 1)


def _verdict(path: Path, genesis: bytes) -> Verdict:
    data = _read(path, PASSPORT_BYTES_MAX)
    if data.startswith(_COSE_TAG):
        then = "make the passport with `kilochain proof` without --cose"
        raise Failure(f"{path}: a COSE receipt, not a passport", EXIT_FAILED, then)
    return verify_passport(data, genesis, check_signature)


def _compare(old: Verdict, new: Verdict) -> str:
    try:
        return unchanged_since(old, new)
    except InvalidPassport as error:
        raise Failure(printable(f"unchanged: {error}"), EXIT_UNVERIFIED, _NEXT) from error


def _said(path: Path, verdict: Verdict, genesis: bytes) -> dict[str, Any]:
    return {
        "file": str(path),
        "valid": verdict.valid,
        "failed": None if verdict.failed is None else verdict.failed.name,
        "claim": verdict.claim,
        "id": verdict.id,
        "genesis": genesis_digest(genesis).hex(),
        "steps": [{"step": s.name, "passed": s.passed, "says": s.says} for s in verdict.steps],
        "proven": list(verdict.proven),
        "not_proven": list(verdict.not_proven),
    }


def _show_verdict(path: Path, verdict: Verdict) -> None:
    click.echo(printable(str(path)))
    width = max(len(step.name) for step in verdict.steps)
    for step in verdict.steps:
        mark = click.style("✓", fg="green") if step.passed else click.style("✗", fg="red")
        click.echo(f"{mark} {step.name.ljust(width)}  {printable(step.says)}")
    click.echo()


def _show_proven(said: dict[str, Any]) -> None:
    click.echo("Proven:")
    for sentence in [*said["proven"], *filter(None, [said.get("unchanged")])]:
        click.echo(f"  {printable(sentence)}")
    click.echo("Not proven:")
    for sentence in said["not_proven"]:
        click.echo(f"  {printable(sentence)}")
    click.echo(f"All of it rests on the genesis document with the digest\n  {said['genesis']}")
    click.echo("Compare that with what a member of the network tells you by another way.")
