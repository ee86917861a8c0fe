"""Documents point at things that exist, and tracked files name no machine."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
TOP = ("node", "consensus", "ledger", "seeds", "tests", "docs", "scripts", ".ci")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:ho" + r"me|wo" + r"rk|Us" + r"ers|ro" + r"ot)/[\w.-]+")
REGISTRY = re.compile(r"pypi\.o" + r"rg|pythonhosted\.o" + r"rg|--(?:extra-)?index-u" + r"rl")


def documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "seeds").rglob("*.md")]
    assert found
    return sorted(found)


def tracked() -> list[Path]:
    said = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    paths = (ROOT / name for name in said.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_links_resolve() -> None:
    broken = [
        f"{document.name}: {target}"
        for document in documents()
        for target in LINK.findall(document.read_text())
        if not (document.parent / target).exists()
    ]
    assert not broken


def test_paths_that_documents_mention_exist() -> None:
    missing = []
    for document in documents():
        for quoted in QUOTED.findall(document.read_text()):
            path = quoted.split("::")[0].removeprefix("./")
            if not re.fullmatch(r"[\w./-]+", path) or "/" not in path:
                continue
            if path.split("/")[0] in TOP and not (ROOT / path).exists():
                missing.append(f"{document.name}: {quoted}")
    assert not missing


def test_tests_that_documents_name_exist() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    unknown = [
        f"{document.name}: {name}"
        for document in documents()
        for name in re.findall(r"`(test_\w+)`", document.read_text())
        if f"def {name}(" not in tests
    ]
    assert not unknown


def test_tracked_files_name_no_machine_and_no_registry() -> None:
    named = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for pattern in (MACHINE_PATH, REGISTRY):
            if found := pattern.search(text):
                named.append(f"{path.relative_to(ROOT)}: {found.group()}")
    assert not named


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0" in text
