"""The rules of the house that a machine can check."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("node", "consensus", "ledger")
PURE_ROOMS = ("consensus", "ledger")
FILE_LINES_MAX = 400
IMPURE_MODULES = {
    "asyncio",
    "libp2p",
    "nacl",
    "os",
    "random",
    "socket",
    "threading",
    "time",
    "trio",
}


def sources(rooms: tuple[str, ...]) -> list[Path]:
    found = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    assert found
    return found


def test_no_file_is_longer_than_one_idea() -> None:
    long = {
        str(p): n for p in sources(ROOMS) if (n := len(p.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert not long


def test_pure_rooms_import_no_clock_disk_or_socket() -> None:
    for path in sources(PURE_ROOMS):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] not in IMPURE_MODULES, f"{path} imports {name}"


def test_pure_rooms_have_no_async_and_no_floats() -> None:
    for path in sources(PURE_ROOMS):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{path}:{node.lineno}"
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), f"{path}:{node.lineno}"
