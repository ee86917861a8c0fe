"""What the explorer of a real node answers: headers, forms, languages, to hostile text too."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from explorer_net import (
    EVIL_NAME,
    EVIL_PLACE,
    EVIL_SITE,
    EVIL_SUBSTANCE,
    MEMBER,
    Page,
    Site,
)

from node.explorer.assets import load_assets

pytestmark = pytest.mark.e2e

STATIC = Path(__file__).parents[2] / "node" / "explorer" / "static"
LISTS = ("/", "/blocks", "/live", "/members", "/validators", "/network", "/nothing-here")
HTML, JSON, LINKSET = "text/html", "application/json", "application/linkset+json"


def every_page(site: Site) -> list[str]:
    others = [f"/K/{each}" for each in (site.batch, site.kilogram, site.absent, "RE1-nonsense")]
    others += [f"/K/{site.packed}+25", "/blocks/1", f"/transactions/{'a' * 64}"]
    return [*LISTS, *others, f"/members/{MEMBER}"]


def raw(http: httpx.Client, target: bytes) -> httpx.Response:
    """A GET whose target goes out as it stands, not tidied by the client."""
    url = http.base_url.copy_with(raw_path=target)
    return http.send(httpx.Request("GET", url))


def test_every_page_is_well_formed_in_both_languages(site: Site, http: httpx.Client) -> None:
    for path in every_page(site):
        for language, said in (("en", "en"), ("zh", "zh-Hans")):
            answer = http.get(path, params={"lang": language})
            page = Page(answer.text)
            assert page.all("html") == [{"lang": said}], path
            assert len(page.all("h1")) == 1, path
            assert len(page.all("main")) == 1, path
            identifiers = [a["id"] for _, a in page.elements if "id" in a]
            assert len(set(identifiers)) == len(identifiers), path


def test_every_page_forbids_foreign_and_inline_code(site: Site, http: httpx.Client) -> None:
    for path in every_page(site):
        answer = http.get(path)
        policy = dict(
            part.strip().split(" ", 1)
            for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert policy["connect-src"].split()[0] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        page = Page(answer.text)
        assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))
        assert not page.all("style")
        for tag, attributes in page.elements:
            assert "style" not in attributes, (path, tag)
            assert not [name for name in attributes if name.startswith("on")], (path, tag)


def test_hostile_text_stays_text(site: Site, http: httpx.Client) -> None:
    answer = http.get(f"/K/{site.kilogram}")
    page = Page(answer.text)
    for evil in (EVIL_NAME, EVIL_PLACE, EVIL_SITE, EVIL_SUBSTANCE):
        assert evil in page.text
        assert evil not in answer.text
    assert not page.all("img")
    assert not page.all("b")
    assert len(page.all("script")) == 1
    assert [a for a in page.all("tr") if a.get("data-substance") == EVIL_SUBSTANCE]


@pytest.mark.parametrize("path", ["/K/{evil}", "/find?q={evil}", "/blocks/{evil}", "/{evil}"])
def test_a_hostile_address_stays_text(http: httpx.Client, path: str) -> None:
    evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%27"
    page = Page(http.get(path.format(evil=evil), follow_redirects=True).text)
    assert len(page.all("script")) == 1


def test_the_record_is_there_without_scripts(site: Site, http: httpx.Client) -> None:
    page = Page(http.get(f"/K/{site.last}").text)
    for part in (
        "Neodymium oxide",
        "250 g",
        "1.25 kg",
        "99.4005 %",
        "2025-02-20",
        "0.0003 %",
        " UTC",
    ):
        assert part in page.text
    assert {"data-country": "AU"} in page.all("span")
    table = [attributes for attributes in page.all("tr") if "data-element" in attributes]
    assert [row["data-element"] for row in table] == ["Nd", "Pr"]


def test_one_address_answers_as_page_as_record_and_as_linkset(
    site: Site, http: httpx.Client
) -> None:
    path = f"/K/{site.kilogram}"
    for accept, form in (
        ("*/*", HTML),
        ("text/html", HTML),
        ("image/png", HTML),
        (JSON, JSON),
        ("text/html;q=0.4, application/*;q=0.8", JSON),
        (LINKSET, LINKSET),
        (f"{JSON};q=0.5, {LINKSET}", LINKSET),
    ):
        answer = http.get(path, headers={"accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == form, accept
        assert "Accept" in answer.headers["vary"]
    said = http.get(path, headers={"accept": JSON}).json()
    call = {"jsonrpc": "2.0", "id": 1, "method": "id.lookup", "params": {"id": site.kilogram}}
    assert said == http.post("/", json=call).json()["result"]


def test_a_linkset_names_record_passport_verifier_and_batch(site: Site, http: httpx.Client) -> None:
    links = http.get(f"/K/{site.kilogram}", headers={"accept": LINKSET}).json()["linkset"]
    assert len(links) == 1
    here = f"{site.url}/K/{site.kilogram}"
    assert links[0]["anchor"] == here
    targets = [(each["title"], each["href"], each["type"]) for each in links[0]["item"]]
    assert targets == [
        ("record", here, HTML),
        ("record", here, JSON),
        ("passport", f"{here}/passport.json", JSON),
        ("verifier", f"{site.url}/verifier.html", HTML),
    ]
    assert [each["href"] for each in links[0]["collection"]] == [f"{site.url}/K/{site.batch}"]
    batch = http.get(f"/K/{site.batch}", headers={"accept": LINKSET}).json()["linkset"][0]
    assert "collection" not in batch


def test_an_id_is_taken_as_people_type_it(site: Site, http: httpx.Client) -> None:
    plain = site.kilogram
    typed = "-".join((plain[:3], plain[3:7], plain[7:12], plain[12:16], plain[16:])).lower()
    for path in (f"/K/{typed}", f"/k/{plain}", f"/K/{plain.replace('0', 'o')}"):
        answer = http.get(path, headers={"accept": JSON})
        assert answer.json()["id"] == plain, path
    for text in (typed, f" {plain} ", f"HTTPS://EXAMPLE.ORG/K/{plain}"):
        found = http.get("/find", params={"q": text})
        assert (found.status_code, found.headers["location"]) == (303, f"/K/{plain}")


def test_a_package_has_the_mass_of_its_kilograms(site: Site, http: httpx.Client) -> None:
    said = http.get(f"/K/{site.packed}+25", headers={"accept": JSON}).json()
    assert said["package"]["mass_g"] == 24_500
    assert said["package"]["count"] == 25
    assert http.get(f"/K/{said['package']['last']}").status_code == 200
    assert "24.5 kg" in Page(http.get(f"/K/{site.packed}+25").text).text
    too_many = http.get(f"/K/{site.packed}+26", headers={"accept": JSON})
    assert too_many.status_code == 404
    assert "ends at 50 kg" in too_many.json()["error"]["message"]
    for bad in ("+0", "+x", "+", "+99999999"):
        assert http.get(f"/K/{site.packed}{bad}").status_code == 400, bad
    assert http.get(f"/K/{site.batch}+2").status_code == 400


def test_a_mistyped_id_is_told_from_one_that_nobody_registered(
    site: Site, http: httpx.Client
) -> None:
    wrong = site.kilogram[:-1] + ("0" if site.kilogram[-1] != "0" else "1")
    answer = http.get(f"/K/{wrong}", headers={"accept": JSON})
    assert answer.status_code == 400
    assert answer.json()["error"]["data"]["code"] == "E_CHECK"
    page = Page(http.get(f"/K/{wrong}").text)
    assert f"/K/{site.kilogram}" in [a.get("href") for a in page.all("a")], "the near one is shown"
    absent = http.get(f"/K/{site.absent}", headers={"accept": JSON})
    assert absent.status_code == 404
    assert absent.json()["error"]["data"]["code"] == "E_NOT_REGISTERED"
    page = Page(http.get(f"/K/{site.absent}").text)
    offered = [a.get("href") for a in page.all("a")]
    assert f"/K/{site.absent}/passport.json" in offered, "the proof of absence is offered"


@pytest.mark.parametrize(
    ("text", "place"),
    [("1", "/blocks/1"), ("0007", "/blocks/7"), (MEMBER.lower(), f"/members/{MEMBER}")],
)
def test_a_search_finds_blocks_and_members(http: httpx.Client, text: str, place: str) -> None:
    assert http.get("/find", params={"q": text}).headers["location"] == place


def test_a_search_finds_transactions_blocks_by_digest_and_a_kilogram_by_number(
    site: Site, http: httpx.Client
) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "block.get", "params": {"height": 1}}
    block = http.post("/", json=call).json()["result"]
    tx_id = block["transactions"][0]["tx_id"]
    for text, place in (
        (tx_id, f"/transactions/{tx_id}"),
        (block["digest"].upper(), "/blocks/1"),
        ("", "/"),
    ):
        assert http.get("/find", params={"q": text}).headers["location"] == place
    found = http.get("/find", params={"q": site.batch, "serial": "2"})
    assert found.headers["location"] == f"/K/{site.last}"
    assert http.get("/find", params={"q": "no such thing"}).status_code == 400


def test_every_file_is_served_and_never_asked_for_again(http: httpx.Client) -> None:
    root = re.search(r'data-root="([^"]+)"', http.get("/").text)
    assert root is not None
    files = load_assets().files
    assert {path.name for path in STATIC.glob("*.js")} <= set(files)
    for path, asset in files.items():
        plain = http.get(f"{root[1]}/{path}", headers={"accept-encoding": "identity"})
        assert plain.content == (STATIC / path).read_bytes() == asset.content
        assert "immutable" in plain.headers["cache-control"]
        packed = http.get(f"{root[1]}/{path}", headers={"accept-encoding": "gzip"})
        assert packed.content == asset.content
        assert packed.headers.get("content-encoding") == ("gzip" if asset.compressed else None)
        for answer in (plain, packed):
            again = http.get(f"{root[1]}/{path}", headers={"if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")


def test_nothing_but_the_files_is_served(http: httpx.Client) -> None:
    root = re.search(r'data-root="([^"]+)"', http.get("/").text)
    assert root is not None
    targets = [
        f"{root[1]}/../routes.py",
        f"{root[1]}/%2e%2e/routes.py",
        f"{root[1]}/..%2froutes.py",
        f"{root[1]}/pages/../../routes.py",
        f"{root[1]}/..%5croutes.py",
        f"{root[1]}//etc/passwd",
        f"{root[1]}/%2fetc/passwd",
        f"{root[1]}/app.js%00",
        f"{root[1]}/pages",
        f"{root[1]}/",
        f"{root[1]}/package.json",
        f"{root[1]}/vendor/README.md",
        "/static/0000000000000000/app.js",
        "/static/app.js",
        "/../pyproject.toml",
        "/%2e%2e/%2e%2e/pyproject.toml",
    ]
    for target in targets:
        answer = raw(http, target.encode())
        assert answer.status_code in (400, 404), target
        assert "import" not in answer.text, target


def test_pages_are_validated_and_not_sent_twice(site: Site, http: httpx.Client) -> None:
    for path in ("/", f"/K/{site.kilogram}"):
        first = http.get(path)
        assert first.headers["cache-control"] == "no-cache"
        again = http.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = http.get(
            path, headers={"if-none-match": first.headers["etag"], "accept-language": "zh"}
        )
        assert other.status_code == 200


def test_the_language_follows_the_reader(http: httpx.Client) -> None:
    def language(**given: object) -> str | None:
        return Page(http.get("/", **given).text).all("html")[0]["lang"]  # type: ignore[arg-type]

    assert language(headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}) == "zh-Hans"
    assert language(headers={"accept-language": "fr, en;q=0.5, zh;q=0.4"}) == "en"
    assert language(headers={"accept-language": "fr"}) == "en"
    assert language(headers={"cookie": "lang=zh"}) == "zh-Hans"
    assert language(headers={"cookie": "lang=tlh"}) == "en"
    chosen = http.get("/", params={"lang": "zh"})
    assert chosen.cookies["lang"] == "zh"
    assert language() == "zh-Hans"


def test_a_theme_is_remembered_and_no_other_value_reaches_the_page(http: httpx.Client) -> None:
    dark = Page(http.get("/", headers={"cookie": "theme=dark"}).text)
    assert dark.all("html") == [{"lang": "en", "data-theme": "dark"}]
    evil = Page(http.get("/", headers={"cookie": 'theme="><script>'}).text)
    assert evil.all("html") == [{"lang": "en"}]


def test_json_rpc_stays_at_the_same_address(http: httpx.Client) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "chain.status"}
    assert http.post("/", json=call).json()["result"]["height"] >= 1
    assert http.get("/").headers["content-type"] == "text/html; charset=utf-8"
    assert http.head("/").status_code == 200


def test_pages_obey_the_same_gate_as_calls(site: Site, http: httpx.Client) -> None:
    path = f"/K/{site.kilogram}"
    rebound = http.get(path, headers={"host": "evil.example"})
    assert rebound.status_code == 403
    assert rebound.json()["error"]["data"]["code"] == "E_HOST"
    foreign = http.get(path, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_the_genesis_document_and_the_verifier_are_served(site: Site, http: httpx.Client) -> None:
    stored = Path(json.loads((site.folder / "testnet.json").read_text())["genesis"])
    assert http.get("/genesis.json").content == stored.read_bytes()
    assert http.get("/verifier.html").headers["content-type"] == "text/html; charset=utf-8"


def test_a_block_says_which_batches_it_registers(site: Site, http: httpx.Client) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "block.get", "params": {"height": 1}}
    rows = http.post("/", json=call).json()["result"]["transactions"]
    assert (rows[0]["id"], rows[0]["product"], rows[0]["net_mass_g"]) == (
        site.batch,
        "nd2o3",
        1_250,
    )
