"""The verifier page in a real browser: opened as a file, and served where WebCrypto is withheld."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from chromium import CHROMIUM, browser_tab
from passports_by_hand import (
    CHAIN_ID,
    GENESIS,
    GENESIS_DIGEST,
    as_bytes,
    make_genesis,
    make_passport,
    spoiled_passport,
)

from node.explorer.verifier_page import verifier_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.trio,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here"),
]
VERDICTS = (
    "[...document.querySelectorAll('.result')].map((e) => e.dataset.ok + ' ' + e.dataset.step)"
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the page, a good passport and a spoiled one, and another genesis."""
    (tmp_path / "verifier.html").write_bytes(verifier_page(GENESIS))
    (tmp_path / "good.json").write_bytes(as_bytes(make_passport()))
    (tmp_path / "spoiled.json").write_bytes(as_bytes(spoiled_passport()))
    (tmp_path / "other-genesis.json").write_bytes(make_genesis("another"))
    (tmp_path / "profile").mkdir()
    return tmp_path


def count(number: int) -> str:
    """A JavaScript expression: the verdicts, once there are `number` of them."""
    return f"{VERDICTS}.length === {number} && {VERDICTS}"


async def test_a_saved_page_verifies_a_good_and_a_spoiled_passport_without_a_network(
    files: Path,
) -> None:
    page = (files / "verifier.html").as_uri()
    async with browser_tab(files / "profile") as tab:
        await tab.open(page)
        digest = await tab.evaluate("document.getElementById('digest').dataset.digest")
        assert digest == GENESIS_DIGEST.hex()
        assert CHAIN_ID in await tab.evaluate("document.getElementById('trust').innerText")
        await tab.choose("#file", files / "good.json")
        assert await tab.until(count(1)) == ["true state"]
        await tab.drop(files / "spoiled.json")
        assert await tab.until(count(2)) == ["false record", "true state"]
        shown = await tab.evaluate("document.getElementById('results').innerText")
        for words in ("Proven: registered", "Nothing is proven", "WebCrypto", "<b>Example</b>"):
            assert words in shown
        assert "the drum holds what its label says" in shown
        assert tab.requested == [page]


async def test_a_pasted_passport_is_verified_and_told_in_chinese(files: Path) -> None:
    async with browser_tab(files / "profile") as tab:
        await tab.open((files / "verifier.html").as_uri())
        text = (files / "good.json").read_text()
        await tab.evaluate(f"document.getElementById('paste').value = {text!r}; null")
        await tab.evaluate("document.getElementById('verify').click()")
        assert await tab.until(count(1)) == ["true state"]
        await tab.evaluate("document.getElementById('language').click()")
        await tab.until("document.querySelector('.result h2').innerText.includes('已证明')")
        shown = await tab.evaluate("document.body.innerText")
        assert "未证明" in shown
        assert not re.search(r"\{\w+\}", shown), "a gap was left open"


async def test_another_genesis_document_replaces_the_one_inside(files: Path) -> None:
    async with browser_tab(files / "profile") as tab:
        await tab.open((files / "verifier.html").as_uri())
        assert not await tab.evaluate("document.getElementById('replaced').offsetParent")
        await tab.drop(files / "other-genesis.json", files / "good.json")
        assert await tab.until(count(1)) == ["false genesis"]
        digest = await tab.evaluate("document.getElementById('digest').dataset.digest")
        assert digest != GENESIS_DIGEST.hex()
        assert await tab.evaluate("document.getElementById('replaced').offsetParent !== null")


@asynccontextmanager
async def one_page_server(page: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server of `page` on loopback: its port, and the request lines that reached it."""
    asked: list[bytes] = []
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n"

    async def answer(stream: trio.SocketStream) -> None:
        # A browser also opens connections that it then does not use.
        with suppress(trio.BrokenResourceError):
            async with stream:
                if request := await stream.receive_some(65_536):
                    asked.append(request.split(b"\r\n")[0])
                    await stream.send_all(head + b"content-length: %d\r\n\r\n" % len(page) + page)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, answer, 0)
        yield listeners[0].socket.getsockname()[1], asked
        nursery.cancel_scope.cancel()


async def test_where_the_browser_withholds_webcrypto_the_vendored_library_verifies(
    files: Path,
) -> None:
    page = (files / "verifier.html").read_bytes()
    rule = "--host-resolver-rules=MAP node.example 127.0.0.1"
    async with one_page_server(page) as (port, _), browser_tab(files / "profile", rule) as tab:
        await tab.open(f"http://node.example:{port}/verifier.html")
        assert not await tab.evaluate("isSecureContext")
        await tab.choose("#file", files / "good.json", files / "spoiled.json")
        assert await tab.until(count(2)) == ["false record", "true state"]
        assert "noble" in await tab.evaluate("document.querySelector('.result').innerText")


def loaded(tag: str, url: str) -> str:
    """A JavaScript promise of what becomes of a new element with this source."""
    return (
        f"new Promise((done) => {{ const made = document.createElement({tag!r});"
        "made.onload = () => done('reached'); made.onerror = () => done('stopped');"
        "addEventListener('securitypolicyviolation', () => done('stopped'), {once: true});"
        f"made.src = {url!r}; document.body.append(made); }})"
    )


async def test_the_policy_stops_a_script_in_the_page_from_calling_out(files: Path) -> None:
    async with one_page_server(b"no") as (port, asked), browser_tab(files / "profile") as tab:
        await tab.open((files / "verifier.html").as_uri())
        url = f"http://127.0.0.1:{port}/"
        fetched = f"fetch({url!r}, {{mode: 'no-cors'}}).then(() => 'reached', () => 'stopped')"
        for attempt in (fetched, loaded("img", url), loaded("script", url), loaded("iframe", url)):
            assert await tab.evaluate(attempt) == "stopped"
        assert asked == []
