"""A network of one real node whose members wrote hostile text wherever they may write text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from ledger.identifiers import format_id
from node.testnet import control, demo
from node.testnet.layout import load

SEEDS = Path(__file__).parents[2] / "seeds"
MEMBER = "S3PA"
EVIL_NAME = "<img src=x onerror=\"alert('name')\">& 'Co'"
EVIL_PLACE = "</title></script><script>alert('place')</script>"
EVIL_SITE = '"><svg onload=alert("site")>{{ 7 * 7 }}'
EVIL_SUBSTANCE = "<b>Fe</b>"
VOID = {"meta", "link", "input", "wbr", "br", "img"}


@dataclass(frozen=True)
class Site:
    """A running node and IDs on its chain: of the hostile batch 5 and the packed batch 6."""

    url: str
    folder: Path
    batch: str = format_id(MEMBER, 5, 0)
    kilogram: str = format_id(MEMBER, 5, 1)
    last: str = format_id(MEMBER, 5, 2)
    absent: str = format_id(MEMBER, 99, 1)
    packed: str = format_id(MEMBER, 6, 26)


def run_site(folder: Path) -> Iterator[Site]:
    """The network, up for as long as the generator lives."""
    consortium, batches, net = folder / "consortium", folder / "batches", folder / "net"
    _write_consortium(consortium)
    _write_batches(batches)
    try:
        control.up(net, consortium, validators=1, observers=0)
        demo.register_batches(net, batches)
        yield Site(load(net).nodes[0].rpc, net)
    finally:
        if (net / "testnet.json").exists():
            control.down(net)


def _write_consortium(folder: Path) -> None:
    folder.mkdir()
    members = json.loads((SEEDS / "consortium" / "members.json").read_text())
    for member in members:
        if member["code"] == MEMBER:
            member["name"] = EVIL_NAME
            member["facilities"][0]["name"] = EVIL_PLACE
    (folder / "members.json").write_text(json.dumps(members))
    (folder / "network.json").write_text((SEEDS / "consortium" / "network.json").read_text())


def _write_batches(folder: Path) -> None:
    folder.mkdir()
    sample: dict[str, Any] = json.loads((SEEDS / "batches" / "11-S3PA-nd2o3.json").read_text())
    sample.pop("packs", None)
    hostile = {
        **sample,
        "batch_no": 5,
        "net_mass_g": 1_250,
        "units": 2,
        "impurities": {"CaO": 150, EVIL_SUBSTANCE: 100},
        "origin": [{"country": "AU", "share_ppm": 1_000_000, "site": EVIL_SITE}],
        "th_ppm": 3,
    }
    packs = [
        {"first": 1, "count": 25, "mass_g": 25_000, "type": "drum"},
        {"first": 26, "count": 25, "mass_g": 24_500, "type": "drum"},
    ]
    packed = {**sample, "batch_no": 6, "net_mass_g": 49_500, "units": 50, "packs": packs}
    (folder / "1.json").write_text(json.dumps(hostile))
    (folder / "2.json").write_text(json.dumps(packed))


class Page(HTMLParser):
    """A page as a parser sees it. Raises AssertionError where an element does not end well."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute twice in {tag}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> ends nothing"
        assert self._open.pop() == tag, f"</{tag}> ends something else"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]
