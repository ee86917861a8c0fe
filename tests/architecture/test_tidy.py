"""Tidiness of the sources and of the documents, checked by reading them."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("node", "consensus", "ledger")
FUNCTION_LINES_MAX = 40
ONLY_IMPORTERS = {"plyvel": "ledger/leveldb_store.py", "nacl": "node/keys.py"}
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name.split(".")[0] for name in found}


def test_a_dangerous_library_has_one_importer() -> None:
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for library in imports(path):
            assert ONLY_IMPORTERS.get(library, place) == place, f"{place} imports {library}"
            assert library != "libp2p" or place.startswith("node/network/"), place


def test_consensus_imports_of_the_ledger_only_its_codec() -> None:
    for path in sorted((ROOT / "consensus").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ledger"):
                names = [alias.name for alias in node.names]
                codec = node.module == "ledger.codec" or (node.module, names) == (
                    "ledger",
                    ["codec"],
                )
                assert codec, f"{path}:{node.lineno}"


def test_no_function_is_longer_than_one_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long


def test_nothing_is_left_for_later_in_the_sources() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XXX)\b")
    assert not [path for path in sources() if marks.search(path.read_text())]


def test_links_in_documents_resolve() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "seeds").glob("*.md")]
    assert documents
    for document in documents:
        for target in LINK.findall(document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
