"""The static files: read once, served from memory, named by a digest of all of them together.

A path is a key of a table and never reaches the disk, so no request can name another file.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from posixpath import normpath

from node.explorer.limits import COMPRESS_BYTES_MIN

_MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*"(\.[^"]+\.js)\"""")
_NOT_SERVED = {"package.json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or page as it is served.

    `compressed` by gzip, or None where that saves nothing; `etag`: equal for equal bytes.
    """

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """`build`: 16 hex digits that change with any file; `files` by path below static/."""

    build: str
    files: dict[str, Asset]

    @property
    def root(self) -> str:
        """The path that they are served under. It changes with them, so they may be kept."""
        return f"/static/{self.build}"

    def modules(self, entry: str) -> list[str]:
        """The scripts that `entry` imports, at any depth, itself first. Empty without `entry`.

        A browser that is told them beforehand need not find one after the other.
        """
        found = [entry] if entry in self.files else []
        for path in found:  # grows while it is walked
            for target in _IMPORT.findall(self.files[path].content.decode()):
                imported = normpath(f"{path}/../{target}")
                if imported not in found:
                    found.append(imported)
        return found


def load_assets() -> Assets:
    """Every file of the package's static folder that a page may load."""
    found = dict(sorted(_walk(files("node.explorer") / "static", "")))
    whole = hashlib.sha256()
    for path, content in found.items():
        whole.update(f"{path}\0{len(content)}\0".encode() + content)
    made = {
        path: make_asset(data, _MEDIA_TYPES["." + path.rsplit(".", 1)[-1]])
        for path, data in found.items()
    }
    return Assets(whole.hexdigest()[:16], made)


def make_asset(content: bytes, media_type: str) -> Asset:
    """Bytes as they are served: compressed too where that makes them shorter."""
    compressed = gzip.compress(content, 6, mtime=0) if len(content) >= COMPRESS_BYTES_MIN else None
    if compressed is not None and len(compressed) >= len(content):
        compressed = None
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Asset(content, compressed, media_type, etag)


def _walk(folder: Traversable, below: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = below + entry.name
        if entry.is_dir():
            yield from _walk(entry, path + "/")
        elif entry.name not in _NOT_SERVED and path.endswith(tuple(_MEDIA_TYPES)):
            yield path, entry.read_bytes()
