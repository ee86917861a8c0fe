"""The explorer's pages in a real browser: what a person sees, and that nothing else happens."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from explorer_net import EVIL_NAME, EVIL_SITE, MEMBER, SEEDS, Site

from node.keys import load_key
from node.testnet import demo
from node.testnet.layout import load
from node.testnet.signing import sign_batch

sys.path.insert(0, str(Path(__file__).parents[1] / "explorer_js"))

from chromium import CHROMIUM, Tab, browser_tab

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.trio,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here"),
]
# Runs before any script of a page.
LISTEN = """
globalThis.complaints = [];
addEventListener("securitypolicyviolation", (e) =>
  complaints.push(`policy ${e.violatedDirective} ${e.blockedURI}`));
addEventListener("error", (e) => complaints.push(`error ${e.message}`));
addEventListener("unhandledrejection", (e) => complaints.push(`rejected ${e.reason}`));
for (const kind of ["error", "warn"]) {
  const said = console[kind];
  console[kind] = (...words) => { complaints.push(words.join(" ")); said.apply(console, words); };
}
"""
NO_SOCKETS = """
globalThis.WebSocket = class extends EventTarget {
  constructor() { super(); setTimeout(() => this.dispatchEvent(new Event("close"))); }
};
"""
VERDICT = "document.getElementById('verdict').dataset.state"
TEXT = "document.querySelector('main').innerText"


@asynccontextmanager
async def browser(folder: Path, *scripts: str) -> AsyncIterator[Tab]:
    """A tab of the size of a small phone that runs `scripts` before those of each page."""
    profile = folder / "profile"
    profile.mkdir()
    async with browser_tab(profile) as tab:
        await tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=360,
            height=740,
            deviceScaleFactor=1,
            mobile=True,
        )
        for script in (LISTEN, *scripts):
            await tab.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        yield tab


async def judge(tab: Tab, site: Site) -> None:
    """Fails if the page complained, asked anybody else, or is wider than its window."""
    assert await tab.evaluate("complaints") == []
    foreign = [url for url in tab.requested if not url.startswith((site.url, "about:", "data:"))]
    assert foreign == []
    assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_kilogram_is_shown_and_verified_and_hostile_text_stays_text(
    site: Site, tmp_path: Path
) -> None:
    async with browser(tmp_path) as tab:
        await tab.open(f"{site.url}/K/{site.kilogram}")
        assert await tab.until(f"{VERDICT} !== 'busy' && {VERDICT}") == "good"
        said = await tab.evaluate(TEXT)
        for part in ("Neodymium oxide", "1 kg", "Australia", "Verified in your browser"):
            assert part in said
        assert EVIL_NAME in said
        assert EVIL_SITE in said
        assert await tab.evaluate("document.querySelectorAll('main img, main script').length") == 0
        steps = "[...document.querySelectorAll('.checks .tick')].length"
        assert await tab.evaluate(steps) == 11
        await judge(tab, site)


async def test_the_chart_counts_oxides_or_elements(site: Site, tmp_path: Path) -> None:
    bars = "[...document.querySelectorAll('#chart .value')].map((e) => e.textContent)"
    async with browser(tmp_path) as tab:
        await tab.open(f"{site.url}/K/{site.kilogram}")
        oxides = await tab.evaluate(bars)
        await tab.evaluate("document.querySelector('[value=element]').click()")
        elements = await tab.evaluate(bars)
        assert oxides[0] == "99.4005 %"
        assert elements[0] == "85.2216 %"
        assert oxides[2:] == elements[2:], "impurities have one form"
        shown = "document.querySelector('#chart svg[role=img]').getAttribute('aria-label')"
        assert "Nd 85.2216 %" in await tab.evaluate(shown)


async def test_a_page_that_shows_something_else_than_was_signed_is_found_out(
    site: Site, tmp_path: Path
) -> None:
    differs = """(async (change) => {
      const root = document.body.dataset.root;
      const { differences } = await import(`${root}/shown.js`);
      const { call } = await import(`${root}/rpc.js`);
      const { id } = document.getElementById("verdict").dataset;
      const passport = await call("proof.get", { id });
      const article = document.querySelector("article.record").cloneNode(true);
      change(article);
      return differences(article, passport);
    })"""
    changes = {
        "() => {}": [],
        "(a) => { a.dataset.grams = '999'; }": ["mass"],
        "(a) => { a.dataset.producer = 'K77G'; }": ["producer"],
        "(a) => { a.querySelector('[data-share]').dataset.origin = 'NO'; }": ["origin"],
        "(a) => { a.querySelector('[data-element]').dataset.oxidePpm = '1'; }": ["composition"],
        "(a) => { a.querySelector('[data-substance]').remove(); }": ["impurities"],
        "(a) => { a.querySelector('[data-loi]').dataset.loi = '1'; }": ["impurities"],
    }
    async with browser(tmp_path) as tab:
        for path in (site.kilogram, site.last, site.batch, f"{site.packed}+25"):
            await tab.open(f"{site.url}/K/{path}")
            for change, expected in changes.items():
                assert await tab.evaluate(f"{differs}({change})") == expected, (path, change)


async def test_that_nobody_registered_an_id_is_proven(site: Site, tmp_path: Path) -> None:
    async with browser(tmp_path) as tab:
        await tab.open(f"{site.url}/K/{site.absent}")
        assert await tab.until(f"{VERDICT} !== 'busy' && {VERDICT}") == "good"
        assert "Proven: nobody registered this ID" in await tab.evaluate(TEXT)
        await judge(tab, site)


async def test_a_passport_that_does_not_hold_is_called_so(site: Site, tmp_path: Path) -> None:
    spoil = """
    const ask = globalThis.fetch;
    globalThis.fetch = async (...given) => {
      const answer = await ask(...given);
      if (!String(given[1]?.body).includes("proof.get")) return answer;
      return new Response((await answer.text()).replace('"units":2', '"units":3'));
    };
    """
    async with browser(tmp_path, spoil) as tab:
        await tab.open(f"{site.url}/K/{site.kilogram}")
        assert await tab.until(f"{VERDICT} !== 'busy' && {VERDICT}") == "bad"
        assert "Verification failed" in await tab.evaluate(TEXT)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_page_fits_a_small_phone_and_complains_of_nothing(
    site: Site, tmp_path: Path, language: str
) -> None:
    paths = ["/", "/blocks", "/blocks/0", "/blocks/1", "/live", "/members", f"/members/{MEMBER}"]
    paths += ["/validators", "/network", f"/K/{site.batch}", f"/K/{site.packed}+25"]
    paths += ["/K/RE1-nonsense", f"/transactions/{'a' * 64}", "/no-such-page"]
    async with browser(tmp_path) as tab:
        for path in paths:
            await tab.open(f"{site.url}{path}?lang={language}")
            assert len(await tab.evaluate(TEXT)) > 20, path
            assert not await tab.evaluate("document.querySelector('[role=alert]') !== null"), path
            await judge(tab, site)


@pytest.mark.parametrize("scripts", [(), (NO_SOCKETS,)], ids=["by WebSocket", "by asking"])
async def test_a_registration_appears_by_itself(
    site: Site, tmp_path: Path, scripts: tuple[str, ...]
) -> None:
    number = 700 + len(scripts)
    async with browser(tmp_path, *scripts) as tab:
        await tab.open(f"{site.url}/live")
        await tab.until("document.querySelector('.light')?.dataset.on === 'true'")
        await trio.to_thread.run_sync(register, site, number)
        await tab.until(f"{TEXT}.includes('RE1-{MEMBER}-000{'NW' if number == 700 else 'NX'}')")
        await judge(tab, site)


def register(site: Site, number: int) -> None:
    """One more batch of the hostile member, committed."""
    layout = load(site.folder)
    payload = json.loads((SEEDS / "batches" / "11-S3PA-nd2o3.json").read_text())
    key = load_key(Path(next(m.key for m in layout.members if m.code == MEMBER)))
    signed = sign_batch({**payload, "batch_no": number}, layout.chain_id, MEMBER, key)
    demo.submit(site.url, [signed])
    demo.wait_committed(site.url, [signed])


async def test_the_keyboard_skips_to_the_content_and_switches_the_theme(
    site: Site, tmp_path: Path
) -> None:
    async def press(key: str, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            said = {"text": text} if text and kind == "keyDown" else {}
            await tab.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **said)

    focused = "document.activeElement"
    async with browser(tmp_path) as tab:
        await tab.open(f"{site.url}/")
        await press("Tab")
        assert await tab.evaluate(f"{focused}.getAttribute('href')") == "#main"
        for _ in range(3):
            await press("Tab")
        assert await tab.evaluate(f"{focused}.id") == "theme"
        await press("Enter", "\r")
        assert await tab.evaluate("document.documentElement.dataset.theme") == "light"
        await press("Enter", "\r")
        background = "getComputedStyle(document.body).backgroundColor"
        assert await tab.evaluate(background) == "rgb(17, 20, 21)"
        await tab.open(f"{site.url}/members")
        assert await tab.evaluate("document.documentElement.dataset.theme") == "dark"
