"""Tidiness that a machine can check by reading the sources. The hard limits are listed here."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("node", "consensus", "ledger")
PURE_ROOMS = ("consensus", "ledger")
FUNCTION_LINES_MAX = 40
ONLY_IMPORTERS = {"plyvel": "ledger/leveldb_store.py", "nacl": "node/keys.py"}
FORBIDDEN_WORDS = {"leader", "follower", "slot", "master"}
FORBIDDEN_IN_PURE_ROOMS = {"term"}  # elsewhere it is also a signal's name
NOT_VOCABULARY = {"slots", "__slots__"}  # Python's own words
LEFT_FOR_LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def sources(rooms: tuple[str, ...] = ROOMS) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def place(path: Path, node: ast.AST | None = None) -> str:
    line = "" if node is None else f":{getattr(node, 'lineno', 0)}"
    return f"{path.relative_to(ROOT).as_posix()}{line}"


def every(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text()))


def imported(path: Path) -> Iterator[str]:
    for node in every(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_a_library_that_touches_the_world_has_one_importer() -> None:
    wrong = []
    for path in sources():
        for library in {name.split(".")[0] for name in imported(path)}:
            here = place(path)
            alone = ONLY_IMPORTERS.get(library, here)
            outside = library == "libp2p" and not here.startswith("node/network/")
            if alone != here or outside:
                wrong.append(f"{here} imports {library}")
    assert not wrong


def test_consensus_imports_of_the_ledger_only_its_codec() -> None:
    wrong = []
    for path in sources(("consensus",)):
        for node in every(path):
            if isinstance(node, ast.ImportFrom) and node.module == "ledger":
                wrong += [place(path, node) for alias in node.names if alias.name != "codec"]
        wrong += [
            f"{place(path)} imports {name}"
            for name in imported(path)
            if name.startswith("ledger.") and name != "ledger.codec"
        ]
    assert not wrong


def test_no_function_is_longer_than_one_screen() -> None:
    long = [
        f"{place(path, node)} {node.name}"
        for path in sources()
        for node in every(path)
        if isinstance(node, FunctionNode)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long


def is_set(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    return isinstance(node, ast.Set | ast.SetComp)


def iterated(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.For | ast.comprehension):
        yield node.iter
    match node:
        case ast.Call(func=ast.Name(id="list" | "tuple" | "enumerate" | "iter" | "next")):
            yield from node.args[:1]


def set_names(scope: ast.AST) -> set[str]:
    return {
        target.id
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and is_set(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_pure_rooms_do_not_walk_through_a_set() -> None:
    wrong = []
    for path in sources(PURE_ROOMS):
        for scope in every(path):
            if not isinstance(scope, FunctionNode):
                continue
            named = set_names(scope)
            wrong += [
                place(path, walked)
                for node in ast.walk(scope)
                for walked in iterated(node)
                if is_set(walked) or (isinstance(walked, ast.Name) and walked.id in named)
            ]
    assert not wrong, "iterate over sorted(...) instead"


def undocumented(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in tree.body:
        if not isinstance(node, FunctionNode | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield f"{node.lineno} {node.name}"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node)


def test_every_public_name_has_a_docstring() -> None:
    bare = []
    for path in sources():
        tree = ast.parse(path.read_text())
        if tree.body and ast.get_docstring(tree) is None:
            bare.append(f"{place(path)} (module)")
        bare += [f"{place(path)}:{name}" for name in undocumented(tree)]
    assert not bare


def words(text: str) -> set[str]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    found = {word.lower() for word in re.findall(r"[A-Za-z]+", spaced)}
    return found | {word[:-1] for word in found if word.endswith("s")}


def synonyms(path: Path) -> Iterator[str]:
    pure = path.relative_to(ROOT).parts[0] in PURE_ROOMS
    forbidden = FORBIDDEN_WORDS | (FORBIDDEN_IN_PURE_ROOMS if pure else set())
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        prose = token.type in (tokenize.COMMENT, tokenize.STRING) and "consensus" in path.parts
        if token.string in NOT_VOCABULARY or not (token.type == tokenize.NAME or prose):
            continue
        for word in sorted(words(token.string) & forbidden):
            yield f"{place(path)}:{token.start[0]} says {word}"


def test_the_vocabulary_is_closed() -> None:
    assert not [found for path in sources() for found in synonyms(path)]


def test_nothing_is_left_for_later() -> None:
    trees = [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    trees += [path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file()]
    marked = [place(path) for path in trees if LEFT_FOR_LATER.search(path.read_text())]
    assert not marked


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("def f():\n    for x in {1, 2}:\n        pass", True),
        ("def f():\n    a = set()\n    return [x for x in a]", True),
        ("def f():\n    a = set()\n    return [x for x in sorted(a)]", False),
        ("def f():\n    a = [1]\n    return list(a)", False),
    ],
)
def test_the_search_for_sets_finds_what_it_should(source: str, caught: bool) -> None:
    tree = ast.parse(source)
    named = set_names(tree)
    found = [
        walked
        for node in ast.walk(tree)
        for walked in iterated(node)
        if is_set(walked) or (isinstance(walked, ast.Name) and walked.id in named)
    ]
    assert bool(found) is caught
