"""The event stream of a real node: every event once, in order, from any cursor."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from one_node import BATCH, OneNode, make, run, said

from node.client import CallRefused, Client, ClientError, NodeUnreachable
from node.event_feed import Wanted, connected, open_events
from node.keys import load_key
from node.rpc.limits import SUBSCRIPTIONS_MAX
from node.testnet import calls

pytestmark = pytest.mark.e2e
WAIT_S = 60.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneNode]:
    """A node whose chain has three blocks of one batch each."""
    made = make(tmp_path_factory.mktemp("events"))
    with made.running():
        for number in (901, 902, 903):
            register(made, number)
        yield made


def register(node: OneNode, number: int) -> dict[str, Any]:
    payload = {**json.loads(BATCH.read_text()), "batch_no": number}
    with Client(node.url) as client:
        return client.register(payload, load_key(node.key), wait_s=WAIT_S)


async def events(url: str, wanted: Wanted, count: int) -> list[dict[str, Any]]:
    """The first `count` messages that are blocks or transactions."""
    found: list[dict[str, Any]] = []
    with trio.fail_after(WAIT_S):
        async with open_events(url, wanted) as messages:
            async for message in messages:
                if message["type"] in ("block", "transaction"):
                    found.append(message)
                if len(found) == count:
                    break
    return found


@pytest.mark.trio
async def test_from_the_start_every_event_comes_once_in_chain_order(node: OneNode) -> None:
    found = await events(node.url, Wanted("start"), 7)
    assert [each["cursor"] for each in found] == [
        [0, 0], [1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1],
    ]  # fmt: skip
    with Client(node.url) as client:
        assert [client.call("block.get", height=h)["digest"] for h in range(4)] == [
            each["digest"] for each in found if each["type"] == "block"
        ]
    assert len({each["tx_id"] for each in found if each["type"] == "transaction"}) == 3


@pytest.mark.trio
async def test_from_each_cursor_exactly_what_comes_after_it(node: OneNode) -> None:
    whole = await events(node.url, Wanted("start"), 7)
    for position, each in enumerate(whole[:-1]):
        height, index = each["cursor"]
        rest = await events(node.url, Wanted(f"{height}.{index}"), len(whole) - position - 1)
        assert rest == whole[position + 1 :]


@pytest.mark.trio
async def test_one_members_transactions_come_without_the_rest(node: OneNode) -> None:
    found = await events(node.url, Wanted("start", member="K77G"), 3)
    assert {each["type"] for each in found} == {"transaction"}
    async with open_events(node.url, Wanted("start", member="N4VA")) as messages:
        with trio.fail_after(WAIT_S):
            said = [await messages.receive() for _ in range(2)]
    assert [each["type"] for each in said] == ["hello", "cursor"]
    assert said[1]["cursor"][0] >= 3


@pytest.mark.trio
async def test_what_is_committed_later_arrives_by_itself(node: OneNode) -> None:
    async with open_events(node.url, Wanted("now")) as messages:
        with trio.fail_after(WAIT_S):
            assert (await messages.receive())["type"] == "hello"
            done = await trio.to_thread.run_sync(register, node, 904)
            first = await messages.receive()
    assert (first["type"], first["tx_id"]) == ("transaction", done["tx_id"])


@pytest.mark.trio
@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted("seven"), "after"),
        (Wanted("1.2.3"), "after"),
        (Wanted("now", ("blocks",)), "kinds"),
        (Wanted("now", (), "nobody"), "member"),
    ],
)
async def test_a_wrong_subscription_is_refused_by_name(
    node: OneNode, wanted: Wanted, field: str
) -> None:
    with pytest.raises(CallRefused) as found:
        await events(node.url, wanted, 1)
    assert (found.value.code, found.value.field) == ("E_PARAMS", field)


@pytest.mark.trio
async def test_a_cursor_of_another_chain_is_not_resumed(node: OneNode) -> None:
    with pytest.raises(ClientError, match="another-0"):
        async with open_events(node.url, Wanted("1.0"), chain_id="another-0") as messages:
            await messages.receive()


def knock(node: OneNode, **headers: str) -> httpx.Response:
    """Ask for a stream with plain HTTP, to read a refusal."""
    asks = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-version": "13",
    }
    return httpx.get(f"{node.url}/events", headers={**asks, **headers}, trust_env=False)


@pytest.mark.parametrize("header", ["origin", "host"])
def test_other_pages_and_rebound_names_get_no_stream(node: OneNode, header: str) -> None:
    hostile = {"origin": "http://evil.example", "host": "evil.example"}[header]
    refused = knock(node, **{header: hostile})
    assert refused.status_code == 403
    assert refused.json()["error"]["data"]["code"] in ("E_HTTP_ORIGIN", "E_HOST")


@pytest.mark.trio
async def test_a_client_that_talks_is_shown_out_and_its_place_is_free(node: OneNode) -> None:
    for _ in range(SUBSCRIPTIONS_MAX + 4):
        async with connected(node.url, "") as socket:
            await socket.get_message()
            await socket.send_message("hello?")
    assert len(await events(node.url, Wanted("start"), 1)) == 1


@pytest.mark.trio
async def test_one_subscriber_too_many_is_told_to_come_again(node: OneNode) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(SUBSCRIPTIONS_MAX):
            await nursery.start(_hold, node)
        refused = await trio.to_thread.run_sync(knock, node)
        assert refused.status_code == 503
        assert refused.json()["error"]["data"]["retry_after_ms"] > 0
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{node.url}/healthz")).status_code == 200
        nursery.cancel_scope.cancel()


async def _hold(node: OneNode, *, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
    async with connected(node.url, "") as socket:
        await socket.get_message()
        task_status.started()
        await trio.sleep_forever()


def test_the_command_prints_what_is_there_and_goes_on_where_it_stopped(
    node: OneNode, tmp_path: Path
) -> None:
    cursor = tmp_path / "cursor"
    args = ("events", "--rpc", node.url, "--cursor", cursor, "--until-head", "--json")
    first = run(*args, "--after", "start")
    assert first.exit_code == 0, first.stderr
    seen = [json.loads(line)["cursor"] for line in first.stdout.splitlines()]
    assert seen == sorted(seen)
    assert seen[:2] == [[0, 0], [1, 0]]
    assert run(*args).stdout == ""
    done = register(node, 905)
    again = [json.loads(line) for line in run(*args).stdout.splitlines()]
    assert [each["type"] for each in again] == ["transaction", "block"]
    assert again[0]["tx_id"] == done["tx_id"]
    assert again[0]["cursor"] > seen[-1]


def test_the_command_says_what_is_wrong_with_a_cursor_file(node: OneNode, tmp_path: Path) -> None:
    spoilt = tmp_path / "cursor"
    spoilt.write_text("{}")
    refused = run("events", "--rpc", node.url, "--cursor", spoilt)
    assert refused.exit_code == 1
    assert "holds no cursor" in refused.stderr
    other = json.dumps({"chain_id": "another-0123456789abcdef", "after": "1.0"})
    spoilt.write_text(other)
    refused = run("events", "--rpc", node.url, "--cursor", spoilt, "--until-head")
    assert refused.exit_code == 1
    assert "another-0123456789abcdef" in refused.stderr
    assert spoilt.read_text() == other


def test_without_a_node_the_command_says_so() -> None:
    refused = run("events", "--rpc", "http://127.0.0.1:1", "--until-head")
    assert refused.exit_code == 4


def test_ctrl_c_ends_the_command_and_keeps_the_cursor(node: OneNode, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    command = ("events", "--rpc", node.url, "--cursor", str(cursor), "--after", "start")
    height = said("status", "--rpc", node.url)["height"]
    with subprocess.Popen(calls.command(*command), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            while f"{height}.1" not in process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.kill()
    assert json.loads(cursor.read_text())["after"].startswith(f"{height}.")


def test_a_client_that_was_away_misses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """The node ends in the middle of the stream and comes again; one channel all along."""
    node = make(tmp_path)
    seen: list[list[int]] = []

    async def listen(done: trio.Event) -> None:
        async with open_events(node.url, Wanted("start")) as messages:
            async for message in messages:
                if message["type"] in ("block", "transaction"):
                    seen.append(message["cursor"])
                if message["cursor"] == [4, 1]:
                    done.set()
                    return

    async def live() -> None:
        done = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, done)
            await trio.to_thread.run_sync(run_and_register, (1, 2))
            await trio.to_thread.run_sync(run_and_register, (3, 4))
            with node.running(), trio.fail_after(WAIT_S):
                await done.wait()

    def run_and_register(numbers: tuple[int, ...]) -> None:
        with node.running():
            for number in numbers:
                register(node, number)

    trio.run(live)
    assert seen == [[0, 0], *([height, index] for height in range(1, 5) for index in (0, 1))]


@pytest.mark.trio
async def test_where_nothing_listens_the_feed_says_so_or_tries_again() -> None:
    with pytest.raises(NodeUnreachable):
        async with open_events("http://127.0.0.1:1", Wanted(), retry=False) as messages:
            await messages.receive()
    with trio.move_on_after(1.5) as scope:
        async with open_events("http://127.0.0.1:1", Wanted()) as messages:
            await messages.receive()
    assert scope.cancelled_caught
