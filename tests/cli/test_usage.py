"""What every verb has in common: help, JSON, wrong usage, and how failures end."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from one_node import run

from node.cli import LazyGroup, cli
from node.cli.output import ENDINGS, EXIT_FAILED, EXIT_NO_NODE, failure_of, printable
from node.client import NodeUnreachable
from node.keys import KeyFileError
from node.testnet import calls

ID = "RE1-K77G-0001G-0001-GK"
TX_ID = "5f" * 32
ASKING = [
    ("status",),
    ("peers",),
    ("tx", TX_ID),
    ("lookup", ID),
    ("block", "list"),
    ("block", "show", "1"),
    ("batch", "show", ID),
    ("batch", "list", "K77G"),
]


def _verbs(command: click.Command, name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield name
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _verbs(found, (*name, each))


@pytest.mark.parametrize("first", LazyGroup.places)
def test_the_help_of_each_verb_has_an_example_of_it(first: str) -> None:
    command = cli.get_command(click.Context(cli), first)
    assert command is not None
    for verb in _verbs(command, (first,)):
        shown = run(*verb, "--help")
        assert shown.exit_code == 0
        assert f"Example: kilochain {' '.join(verb)}" in " ".join(shown.stdout.split())


@pytest.mark.parametrize("verb", [*ASKING, ("keys", "show"), ("check",), ("init",)], ids=str)
def test_a_verb_that_prints_data_has_json(verb: tuple[str, ...]) -> None:
    assert "--json" in run(*verb, "--help").stdout


@pytest.mark.parametrize("verb", ASKING, ids=" ".join)
def test_without_a_node_a_verb_says_so_and_what_to_do(verb: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    shown = run(*verb, env={"KILOCHAIN_RPC": url})
    assert shown.exit_code == EXIT_NO_NODE
    assert shown.stdout == ""
    assert url in shown.stderr
    assert "kilochain start" in shown.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("status", "--rpc", "localhost:8645"),
        ("status", "--rpc", "http://[::1"),
        ("tx", "12"),
        ("lookup",),
        ("block", "show", "-1"),
        ("block", "show", "head"),
        ("block", "list", "--limit", "0"),
        ("batch", "register", "x.json"),
        ("batch", "list", "K77"),
        ("keys", "new", "x.key", "--kind", "crown"),
        ("genesis", "build", "no-such-folder", "-o", "x.json"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_apart(arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)
    assert shown.exit_code == 2
    assert "Usage: " in shown.stderr


def test_what_answers_without_being_a_node_is_no_node() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = subprocess.Popen(
            calls.command("status", "--rpc", f"http://127.0.0.1:{port}"),
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            _, complaint = process.communicate(timeout=60)
    assert process.returncode == EXIT_NO_NODE
    assert "is no node" in complaint


def test_an_interrupt_ends_a_verb_with_130_and_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = subprocess.Popen(
            calls.command("status", "--rpc", f"http://127.0.0.1:{port}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)  # the verb waits for an answer now
            # A signal that comes just before a system call does not end that call: ask again.
            while process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(2)
            shown, complaint = process.communicate()
    assert process.returncode == 130
    assert shown == ""
    assert "Traceback" not in complaint


def test_a_reader_that_leaves_early_is_no_error_to_complain_about(tmp_path: Path) -> None:
    key = tmp_path / "member.key"
    assert run("keys", "new", key, "--no-passphrase").exit_code == 0
    reader, writer = socket.socketpair()
    reader.close()
    with writer:
        done = subprocess.run(
            calls.command("keys", "show", str(key)),
            stdout=writer.fileno(),
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == ""


@pytest.mark.parametrize("place", ENDINGS)
def test_each_foreseen_error_is_a_class_that_exists(place: str) -> None:
    module, _, name = place.partition(":")
    assert issubclass(getattr(import_module(module), name), Exception)


def test_the_first_foreseen_error_of_a_group_decides() -> None:
    group = ExceptionGroup("tasks", [RuntimeError("x"), ExceptionGroup("", [KeyFileError("k")])])
    failure = failure_of(group)
    assert failure is not None
    assert (failure.exit_code, failure.message) == (EXIT_FAILED, "k")
    assert failure_of(RuntimeError("our own fault")) is None
    unreachable = failure_of(NodeUnreachable("nobody"))
    assert unreachable is not None
    assert unreachable.exit_code == EXIT_NO_NODE


def test_text_from_elsewhere_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[31mb\nc") == "a\\x1b[31mb\nc"


def test_json_is_one_document_even_for_names_in_other_scripts(tmp_path: Path) -> None:
    key = tmp_path / "schlüssel-稀土.key"
    assert run("keys", "new", key, "--no-passphrase").exit_code == 0
    document = json.loads(run("keys", "show", key, "--json").stdout)
    assert document["file"] == str(key)
