"""What a stranger who reaches the RPC port may try; an honest client is served meanwhile."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from one_node import OneNode, make

pytestmark = pytest.mark.e2e
IDLE_CONNECTIONS = 1_000
SERVED_WITHIN_S = 20.0  # a bound against hanging, not a measurement
WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
STATUS = {"jsonrpc": "2.0", "method": "node.info", "id": 1}


@pytest.fixture
def dial(node: OneNode) -> Iterator[Callable[[bytes], socket.socket]]:
    """Connect and send something; every connection is closed at the end."""
    address = urlsplit(node.url)
    with ExitStack() as stack:

        def connect(data: bytes) -> socket.socket:
            made = socket.create_connection((address.hostname, address.port), SERVED_WITHIN_S)
            stack.callback(made.close)
            made.sendall(data)
            return made

        yield connect


def serves(node: OneNode) -> bool:
    found = httpx.post(node.url, json=STATUS, timeout=SERVED_WITHIN_S).json()
    return "result" in found


def test_a_thousand_idle_connections_starve_nobody(
    node: OneNode, dial: Callable[[bytes], socket.socket]
) -> None:
    for _ in range(IDLE_CONNECTIONS):
        dial(b"")
    assert serves(node)


def test_a_hundred_slow_bodies_starve_nobody(
    node: OneNode, dial: Callable[[bytes], socket.socket]
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for _ in range(100):
        dial(head + b"Content-Length: 1000\r\n\r\n{")
    assert serves(node)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 1_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1_000,
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n",
        WEBSOCKET,
    ],
    ids=["zeros", "TLS", "HTTP/2", "target", "headers", "length", "chunks", "huge", "websocket"],
)
def test_bytes_that_are_no_request_end_the_connection_alone(
    node: OneNode, dial: Callable[[bytes], socket.socket], data: bytes
) -> None:
    try:
        made = dial(data)
        made.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + SERVED_WITHIN_S
        said = b""
        while time.monotonic() < deadline and (more := made.recv(65_536)):
            said += more
        assert b" 200 " not in said[:20]
        assert b" 101 " not in said[:20]
    except OSError:
        pass  # the node hung up while we were still talking
    assert serves(node)


LONE = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CALL = b'{"jsonrpc":"2.0","method":"node.info","id":1}'
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CALL), CALL)
POST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


def said_to(dial: Callable[[bytes], socket.socket], data: bytes) -> bytes:
    """All that the node answers until it hangs up."""
    made, said = dial(data), b""
    with contextlib.suppress(OSError):
        while more := made.recv(65_536):
            said += more
    return said


@pytest.mark.parametrize(
    "data",
    [
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + LONE,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 45\r\n\r\n" + CHUNKED + LONE,
        POST + b"Content-Length: 45\r\nContent-Length: 99\r\n\r\n" + CALL + LONE,
        POST + b"Content-Length: 45, 99\r\n\r\n" + CALL + LONE,
        POST + b"Content-Length: +45\r\n\r\n" + CALL + LONE,
        POST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED + LONE,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED + LONE,
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n" + LONE,
        b"GET /healthz HTTP/1.1\r\n\r\n" + LONE,
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n" + LONE,
    ],
    ids=[
        "length, chunks", "chunks, length", "two lengths", "a list of lengths", "signed length",
        "a space", "another coding", "two hosts", "no host", "NUL",
    ],
)  # fmt: skip
def test_what_two_servers_could_read_differently_is_refused_and_ends_the_connection(
    node: OneNode, dial: Callable[[bytes], socket.socket], data: bytes
) -> None:
    said = said_to(dial, data)
    # A connection that is closed with bytes unread may take its answer along.
    assert said[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 501", b"")
    assert said.count(b"HTTP/1.1 ") <= 1, "what was smuggled behind it was answered too"
    assert serves(node)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        *((b"%b / HTTP/1.1" % method, b"405") for method in (b"OPTIONS", b"PUT")),
        *((b"%b / HTTP/1.1" % method, b"405") for method in (b"DELETE", b"TRACE", b"BREW")),
        (b"GET / HTTP/1.1", b"200"),
        (b"HEAD / HTTP/1.1", b"200"),
        (b"HEAD /healthz HTTP/1.1", b"200"),
        (b"GET /%2e%2e/config.toml HTTP/1.1", b"404"),
        (b"GET http://evil.example/metrics HTTP/1.1", b"404"),
        (b"GET /healthz HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk", b"200"),
    ],
)
def test_other_requests_get_a_clear_status(
    node: OneNode, dial: Callable[[bytes], socket.socket], line: bytes, status: bytes
) -> None:
    ends = b"\r\nHost: 127.0.0.1\r\nConnection: upgrade, close\r\n\r\n"
    assert said_to(dial, line + ends).startswith(b"HTTP/1.1 %b " % status)
    assert serves(node)


def test_http_2_is_not_spoken(node: OneNode, dial: Callable[[bytes], socket.socket]) -> None:
    settings = b"\0\0\0\4\0\0\0\0\0"
    assert said_to(dial, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings) == b""
    assert serves(node)


def test_a_client_that_hangs_up_within_its_answer_ends_nothing_else(
    node: OneNode, dial: Callable[[bytes], socket.socket]
) -> None:
    """The refusal of a huge body and the answer to its end must not meet on the socket."""
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n"
    for _ in range(100):
        with contextlib.suppress(OSError):
            dial(head).shutdown(socket.SHUT_WR)
    assert serves(node)


def test_a_client_that_never_reads_does_not_keep_a_node_from_stopping(tmp_path: Path) -> None:
    node = make(tmp_path)
    address = urlsplit(node.url)
    body = b'{"jsonrpc":"2.0","method":"rpc.discover","id":1}'
    one = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    one += b"Content-Length: %d\r\n\r\n" % len(body) + body
    with node.running(), socket.create_connection((address.hostname, address.port)) as deaf:
        deaf.settimeout(2)
        with contextlib.suppress(OSError):
            deaf.sendall(one * 20_000)
        assert serves(node)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
def test_a_page_of_another_site_gets_no_answer(node: OneNode, headers: dict[str, str]) -> None:
    found = httpx.post(node.url, json=STATUS, headers=headers, timeout=SERVED_WITHIN_S)
    assert found.status_code in (400, 403, 421)
    assert "result" not in found.text
    preflight = httpx.options(node.url, headers=headers, timeout=SERVED_WITHIN_S)
    assert "access-control-allow-origin" not in preflight.headers
