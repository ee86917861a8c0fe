"""The verifier as one HTML file that works without a network, and the pages that give it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import Response

from ledger.genesis import parse_genesis
from node.explorer.bundle import bundle

STATIC = Path(__file__).parent / "static"

Page = Callable[[Request], Awaitable[Response]]


def verifier_page(genesis: bytes) -> bytes:
    """The whole page, UTF-8, with the exact bytes of the genesis document inside.

    The same for every node of one chain and version: nothing in it depends on who serves it.
    Raises GenesisError; BundleError if the scripts beside this file do not fit together.
    """
    chain_id = parse_genesis(genesis).chain_id
    style = (STATIC / "verifier" / "page.css").read_text(encoding="utf-8")
    script = bundle(STATIC / "verifier" / "page.js")
    page = Template((STATIC / "verifier" / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        policy=content_policy(style, script),
        style=style,
        script=script,
        genesis=base64.b64encode(genesis).decode("ascii"),
        filename=file_name(chain_id),
        version=version("kilochain"),
        licences=_licences(),
    ).encode("utf-8")


def _licences() -> str:
    """The licences of the libraries inside, which ask to be kept with every copy."""
    files = sorted((STATIC / "vendor" / "noble").glob("LICENSE-*"))
    return "\n".join(f"{file.name}\n{file.read_text(encoding='utf-8')}" for file in files)


def file_name(chain_id: str) -> str:
    """What the page is called when it is saved."""
    return f"kilochain-verifier-{chain_id}.html"


def content_policy(style: str, script: str) -> str:
    """The policy of the page: this one style and this one script, and no connection at all."""
    return (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    found = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{found}'"


def verifier_pages(genesis: bytes) -> Mapping[str, Page]:
    """What GET answers at these paths: the page, and the genesis document's exact bytes.

    `/verifier.html?save=1` asks the browser to save the page. Raises as `verifier_page` does.
    """
    page, name = verifier_page(genesis), file_name(parse_genesis(genesis).chain_id)

    async def verifier(request: Request) -> Response:
        headers = dict(_HEADERS)
        if request.query_params.get("save"):
            headers["content-disposition"] = f'attachment; filename="{name}"'
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    async def document(request: Request) -> Response:
        return Response(genesis, media_type="application/json", headers=_HEADERS)

    return {"/verifier.html": verifier, "/genesis.json": document}


_HEADERS = {
    "cache-control": "no-cache",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
