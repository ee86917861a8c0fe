"""From what a page says to an HTTP answer: language, theme, validators, security headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from node.explorer import texts
from node.explorer.assets import Asset, Assets, make_asset
from node.explorer.headers import FIXED, IMMUTABLE, REVALIDATE, page_headers
from node.explorer.negotiation import choose_language
from node.explorer.record import display
from node.explorer.texts import LANGUAGES, Texts, load_texts

_THEMES = ("light", "dark")
_COOKIE_S = 365 * 24 * 3600


class Answers:
    """Makes the explorer's HTTP answers."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self.root = assets.root
        self._texts = load_texts(assets)
        self._templates = Environment(
            loader=PackageLoader("node.explorer"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            percent=texts.percent,
            mass=texts.mass,
            moment=texts.moment,
            formula=texts.formula,
            display=display,
        )

    def page(self, request: Request, template: str, status: int = 200, **given: Any) -> Response:
        """An HTML page in the reader's language."""
        words = self.words(request)
        theme = request.cookies.get("theme", "")
        html = self._templates.get_template(template).render(
            t=words,
            lang=words.language,
            theme=theme if theme in _THEMES else "",
            root=self.root,
            modules=self._modules(str(given["view"])),
            languages={each: _with_language(request, each) for each in LANGUAGES},
            **given,
        )
        headers = page_headers(request.headers.get("host", ""))
        headers["vary"] = "Accept, Accept-Language, Cookie"
        answer = validated(request, html.encode(), "text/html; charset=utf-8", status, headers)
        if request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie("lang", words.language, max_age=_COOKIE_S, samesite="lax")
        return answer

    def _modules(self, view: str) -> list[str]:
        found = [*self._assets.modules("app.js"), *self._assets.modules(f"pages/{view}.js")]
        return list(dict.fromkeys(found))

    def words(self, request: Request) -> Texts:
        """The reader's language: of the address, else remembered, else the browser's."""
        for given in (request.query_params.get("lang"), request.cookies.get("lang")):
            if given in self._texts:
                return self._texts[given]
        return self._texts[choose_language(request.headers.get("accept-language"), LANGUAGES)]

    def file(self, request: Request, path: str) -> Response:
        """A static file, for ever; 404 for any other path."""
        found = self._assets.files.get(path)
        if found is None:
            return Response("no such file\n", 404, FIXED, "text/plain")
        return _file(request, found)


def as_json(
    request: Request,
    value: object,
    status: int = 200,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON answer."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return validated(request, data, media_type, status, {**FIXED, **(headers or {})})


def validated(
    request: Request, content: bytes, media_type: str, status: int, headers: Mapping[str, str]
) -> Response:
    """An answer that is kept with its validator, and not sent again while it is the same."""
    asset = make_asset(content, media_type)
    return _send(request, asset, status, {**headers, "cache-control": REVALIDATE})


def _file(request: Request, asset: Asset) -> Response:
    return _send(request, asset, 200, {**FIXED, "cache-control": IMMUTABLE})


def _send(request: Request, asset: Asset, status: int, headers: Mapping[str, str]) -> Response:
    vary = ", ".join(filter(None, (headers.get("vary"), "Accept-Encoding")))
    headers = {**headers, "etag": asset.etag, "vary": vary}
    if status == 200 and _is_known(request, asset.etag):
        return Response(status_code=304, headers=headers)
    content = asset.content
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = asset.compressed
        headers["content-encoding"] = "gzip"
        # Another representation has another validator.
        headers["etag"] = f'{asset.etag[:-1]}-gzip"'
    return Response(content, status, headers, asset.media_type)


def _is_known(request: Request, etag: str) -> bool:
    said = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    plain = [each.removeprefix("W/").replace('-gzip"', '"') for each in said]
    return etag in plain or "*" in plain


def _with_language(request: Request, language: str) -> str:
    address = request.url.include_query_params(lang=language)
    return f"{address.path}?{address.query}"
