"""What the tests of the command share: running it, and a network of one real node."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click.testing
import pytest

from node.cli import cli
from node.testnet import calls
from node.testnet.layout import free_ports

ROOT = Path(__file__).parents[2]
BATCH = ROOT / "seeds" / "batches" / "02-K77G-ree-concentrate.json"
MEMBERS = ROOT / "seeds" / "consortium" / "members.json"
MEMBER = "K77G"
START_TIMEOUT_S = 60.0


def run(*arguments: str | Path, env: Mapping[str, str] | None = None) -> click.testing.Result:
    """Run the command in this process; exceptions that nobody foresaw fail the test."""
    found = click.testing.CliRunner(env={"KILOCHAIN_RPC": None, **(env or {})}).invoke(
        cli, [str(each) for each in arguments]
    )
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def said(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Any:
    """What the command prints with --json; it has to succeed."""
    found = run(*arguments, "--json", env=env)
    assert found.exit_code == 0, found.stderr
    return json.loads(found.stdout)


def batch(number: int, folder: Path) -> Path:
    """A batch of the sample's member under another number, as a file."""
    path = folder / f"batch-{number}.json"
    path.write_text(json.dumps({**json.loads(BATCH.read_text()), "batch_no": number}))
    return path


@dataclass(frozen=True)
class OneNode:
    """A network whose only validator lives in `home`; `key` signs for the member K77G."""

    home: Path
    genesis: Path
    key: Path
    url: str

    @contextmanager
    def running(self) -> Iterator[None]:
        """The node as a process for as long as the block runs; it has to end well."""
        with (self.home.parent / "node.log").open("a") as log:
            process = subprocess.Popen(
                calls.command("start", "--home", str(self.home)), stdout=log, stderr=log
            )
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not calls.ready(self.url):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail((self.home.parent / "node.log").read_text())
                time.sleep(0.1)
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


def make(folder: Path) -> OneNode:
    """A home, its genesis and a member's key, made by the command as an operator makes them."""
    rpc, p2p = free_ports(2)
    home, key, genesis = folder / "v0", folder / "member.key", folder / "genesis.json"
    consortium = folder / "consortium"
    consortium.mkdir()
    listen = ("--rpc-listen", f"127.0.0.1:{rpc}", "--p2p-listen", f"/ip4/127.0.0.1/tcp/{p2p}")
    made = said("init", "--home", home, "--validator", "--no-passphrase", *listen)
    public = said("keys", "new", key, "--no-passphrase")["public"]
    members = json.loads(MEMBERS.read_text())
    for member in members:
        if member["code"] == MEMBER:
            member["keys"] = [{"key": public, "status": "active"}]
    voter = {
        "name": made["name"],
        "member": MEMBER,
        "key": made["validator_key"],
        "peer_id": made["peer_id"],
        "address": made["p2p"],
    }
    (consortium / "network.json").write_text(json.dumps({"name": "one"}))
    (consortium / "members.json").write_text(json.dumps(members))
    (consortium / "validators.json").write_text(json.dumps([voter]))
    said("genesis", "build", consortium, "-o", genesis)
    assert said("init", "--home", home, "--genesis", genesis)["listed"] == "validator"
    return OneNode(home, genesis, key, made["rpc"])
