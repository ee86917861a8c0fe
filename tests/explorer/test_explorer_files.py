"""The explorer's files, without a node: words in both languages, colours, no foreign address."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ledger.elements import OXIDE_FACTORS
from ledger.genesis import ROLES
from ledger.products import PRODUCTS
from node.explorer.assets import load_assets
from node.explorer.texts import LANGUAGES

EXPLORER = Path(__file__).parents[2] / "node" / "explorer"
STATIC = EXPLORER / "static"
OURS = [
    *STATIC.glob("*.js"),
    *STATIC.glob("pages/*.js"),
    *EXPLORER.glob("templates/*.html"),
]
TABLES = {
    language: json.loads((STATIC / "strings" / f"{language}.json").read_text())
    for language in LANGUAGES
}
KEY = re.compile(r"""\bt(?:\.known)?\(\s*(?:\w+ \? )?['"]([a-zA-Z][\w.]*)['"]\s*[,)]""")
OTHER_KEY = re.compile(r"""\bt\(\s*\w+ \? ['"]([\w.]+)['"] : ['"]([\w.]+)['"]""")
PLACE = re.compile(r"\{(\w+)\}")
ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
NAMESPACES = ("//www.w3.org",)
CONTRAST_MIN = 4.5  # WCAG 2.2, 1.4.3
OUTLINE_CONTRAST_MIN = 3.0  # 1.4.11: what shows where the keyboard is
FIRST_LOAD_BYTES_MAX = 24_000  # compressed, all files of the first page


def test_both_languages_have_the_same_keys_and_places() -> None:
    english, chinese = TABLES["en"], TABLES["zh"]
    assert set(english) == set(chinese)
    for key, text in english.items():
        assert text.strip(), key
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(chinese[key])), key
    alike = [key for key in english if english[key] == chinese[key]]
    assert not alike, "not translated"


def test_every_word_that_a_page_uses_is_in_the_tables() -> None:
    used: set[str] = set()
    for path in OURS:
        text = path.read_text()
        used |= set(KEY.findall(text))
        used |= {key for pair in OTHER_KEY.findall(text) for key in pair}
    assert len(used) > 100
    assert not used - set(TABLES["en"])


def test_every_product_element_and_role_has_a_name() -> None:
    wanted = [f"product.{each}" for each in PRODUCTS]
    wanted += [f"element.{each}" for each in OXIDE_FACTORS]
    wanted += [f"role.{each}" for each in ROLES]
    wanted += [f"coc.{each}" for each in ("IP", "SG", "CB", "MB", "BC")]
    assert not [key for key in wanted if key not in TABLES["en"]]


def test_no_file_names_a_foreign_address() -> None:
    named = []
    for path in [*OURS, *STATIC.rglob("*.css"), *STATIC.rglob("*.svg"), *STATIC.rglob("*.json")]:
        for found in ADDRESS.findall(path.read_text()):
            if not found.removeprefix("http:").startswith(NAMESPACES):
                named.append(f"{path.name}: {found}")
    assert not named


def test_no_script_turns_text_into_markup() -> None:
    for path in STATIC.rglob("*.js"):
        text = path.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, f"{path.name} uses {word}"


def test_the_first_page_is_small() -> None:
    files = load_assets().files
    first = [
        path
        for path in files
        if "/" not in path and path not in ("verify.js", "verdict.js", "chart.js", "votes.js")
    ]
    first += ["pages/home.js", "strings/en.json"]
    size = sum(len(files[path].compressed or files[path].content) for path in first)
    assert size < FIRST_LOAD_BYTES_MAX


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def themes() -> dict[str, dict[str, str]]:
    css = (STATIC / "app.css").read_text()
    blocks = re.findall(r"(:root[^{]*)\{([^}]*)\}", css)
    return {name.strip(): found for name, block in blocks if (found := colours(block))}


def test_the_dark_theme_is_the_same_by_choice_and_by_preference() -> None:
    found = themes()
    assert found[':root[data-theme="dark"]'] == found[':root:not([data-theme="light"])']
    assert set(found[":root"]) == set(found[':root[data-theme="dark"]'])


@pytest.mark.parametrize("theme", [":root", ':root[data-theme="dark"]'])
def test_text_stands_out_from_what_is_behind_it(theme: str) -> None:
    colour = themes()[theme]
    pairs = [
        (front, back)
        for front in ("ink", "soft", "accent")
        for back in ("paper", "card", "fill", "accent-soft")
    ]
    pairs += [("ink", "wrong-soft"), ("wrong", "wrong-soft"), ("wrong", "card")]
    pairs += [("soft", "wrong-soft"), ("on-accent", "accent")]
    weak = {
        pair: ratio
        for pair in pairs
        if (ratio := contrast(colour[pair[0]], colour[pair[1]])) < CONTRAST_MIN
    }
    assert not weak
    assert contrast(colour["accent"], colour["paper"]) >= OUTLINE_CONTRAST_MIN


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
