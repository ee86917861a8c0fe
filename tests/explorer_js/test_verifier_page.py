"""The verifier page is one file: its script is the verifier's, its policy lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import httpx
import pytest
from passports_by_hand import CHAIN_ID, GENESIS, make_genesis
from starlette.applications import Starlette
from starlette.routing import Route

from ledger.errors import GenesisError
from node.explorer.bundle import bundle
from node.explorer.verifier_page import STATIC, file_name, verifier_page, verifier_pages

PAGE = verifier_page(GENESIS)


class Elements(HTMLParser):
    """Each element with its attributes, and the text inside scripts and styles."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._within = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._within = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.texts.append((self._within, data))


ELEMENTS = Elements(PAGE)


def policy() -> Mapping[str, str]:
    for tag, attributes in ELEMENTS.found:
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy":
            parts = str(attributes["content"]).split("; ")
            return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}
    raise AssertionError("no policy")


def test_the_script_inside_is_the_verifier_beside_the_node() -> None:
    scripts = [text for within, text in ELEMENTS.texts if within == "script"]
    assert scripts[1:] == [bundle(STATIC / "verifier" / "page.js")]
    for name in ("verifyPassport", "readPassport", "checkState", "noble-ed25519 - MIT License"):
        assert name in scripts[1]


def test_the_licences_of_the_libraries_inside_are_inside() -> None:
    comments = re.findall(r"<!--(.*?)-->", PAGE.decode(), re.DOTALL)
    for licence in sorted((STATIC / "vendor" / "noble").glob("LICENSE-*")):
        assert any(licence.read_text() in comment for comment in comments)


def test_the_genesis_inside_is_the_networks_byte_for_byte() -> None:
    scripts = [text for within, text in ELEMENTS.texts if within == "script"]
    assert base64.b64decode(scripts[0], validate=True) == GENESIS


def test_the_policy_lets_this_one_script_run_and_no_connection_be_made() -> None:
    allowed = policy()
    assert (allowed["default-src"], allowed["connect-src"]) == ("'none'", "'none'")
    for within in ("script", "style"):
        text = [text for tag, text in ELEMENTS.texts if tag == within][-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed[f"{within}-src"] == f"'sha256-{digest}'"
    first = next(i for i, (tag, _) in enumerate(ELEMENTS.found) if tag in ("script", "style"))
    assert ("meta", "Content-Security-Policy") in [
        (tag, attributes.get("http-equiv")) for tag, attributes in ELEMENTS.found[:first]
    ]


def test_the_page_needs_no_other_file() -> None:
    for tag, attributes in ELEMENTS.found:
        assert tag not in ("link", "img", "iframe", "object", "embed", "form", "base"), tag
        assert not {"src", "style"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    style = next(text for tag, text in ELEMENTS.texts if tag == "style")
    assert not re.search(r"url\(|@import", style)


def test_every_sentence_that_the_page_asks_for_exists() -> None:
    words = (STATIC / "verifier" / "words.js").read_text()
    asked = [attributes["data-say"] for _, attributes in ELEMENTS.found if "data-say" in attributes]
    assert len(asked) > 15
    for code in asked:
        assert f"\n  {code}: [" in words, code


def test_nodes_of_one_chain_give_the_same_page_and_those_of_two_do_not() -> None:
    assert verifier_page(GENESIS) == PAGE
    assert verifier_page(make_genesis("another")) != PAGE


def test_bytes_that_are_no_genesis_are_refused() -> None:
    with pytest.raises(GenesisError):
        verifier_page(b"{}")


@pytest.mark.trio
async def test_a_node_gives_the_page_and_the_document_and_can_have_the_page_saved() -> None:
    app = Starlette(routes=[Route(path, page) for path, page in verifier_pages(GENESIS).items()])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        shown = await client.get("/verifier.html")
        saved = await client.get("/verifier.html?save=1")
        document = await client.get("/genesis.json")
    assert shown.content == saved.content == PAGE
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "content-disposition" not in shown.headers
    assert file_name(CHAIN_ID) in saved.headers["content-disposition"]
    assert document.content == GENESIS
    assert document.headers["content-type"] == "application/json"
    for answer in (shown, saved, document):
        assert answer.headers["x-content-type-options"] == "nosniff"
