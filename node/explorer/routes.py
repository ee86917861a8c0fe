"""The explorer's addresses, and what each of them answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ledger.errors import InvalidIdentifier
from ledger.identifiers import format_id, is_producer
from node.explorer.answers import Answers, as_json
from node.explorer.assets import load_assets
from node.explorer.headers import FIXED
from node.explorer.label import Label, parse_label
from node.explorer.labels import LabelPages
from node.explorer.limits import SEARCH_CHARACTERS_MAX
from node.explorer.source import Refused, Source
from node.explorer.verifier_page import verifier_pages

Handler = Callable[[Request], Awaitable[Response]]

_HEX32 = re.compile(r"[0-9a-f]{64}")
_HEIGHT = re.compile(r"\d{1,15}")
_LISTS = ("blocks", "live", "members", "validators", "network")


class Explorer:
    """Answers GET requests for pages; everything that it knows comes from `source`.

    `genesis`: the exact bytes of the network's document, on which every proof rests.
    """

    def __init__(self, source: Source, genesis: bytes) -> None:
        self._source = source
        self._genesis = genesis
        self._answers = Answers(load_assets())
        self._labels = LabelPages(source, self._answers)

    @property
    def routes(self) -> Mapping[str, Handler]:
        """Paths and their handlers; the last one takes whatever no other does."""
        return {
            "/": self._home,
            "/find": self._find,
            "/K/{label}/passport.json": self._labels.passport,
            "/k/{label}": self._labels.page,
            "/K/{label}": self._labels.page,
            "/blocks/{argument}": self._view("block", _HEIGHT),
            "/transactions/{argument}": self._view("transaction", _HEX32),
            "/members/{argument}": self._view("member", None),
            **{f"/{name}": self._view(name, None) for name in _LISTS},
            "/static/{build}/{path:path}": self._static,
            **verifier_pages(self._genesis),
            "/{path:path}": self._nothing,
        }

    async def _home(self, request: Request) -> Response:
        return self._answers.page(request, "home.html", view="home", argument="")

    def _view(self, name: str, form: re.Pattern[str] | None) -> Handler:
        """A page whose data comes by JSON-RPC once it is there."""

        async def answer(request: Request) -> Response:
            argument = request.path_params.get("argument", "")
            fits = form.fullmatch(argument) if form else not argument or is_producer(argument)
            if not fits:
                return await self._nothing(request)
            return self._answers.page(request, "view.html", view=name, argument=argument)

        return answer

    async def _static(self, request: Request) -> Response:
        # Files of another build would not fit those of this one that are loaded already.
        if f"/static/{request.path_params['build']}" != self._answers.root:
            return Response("these files belong to another version\n", 404, FIXED, "text/plain")
        return self._answers.file(request, request.path_params["path"])

    async def _nothing(self, request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            error = Refused("E_NOT_FOUND", "there is no page at this address")
            return as_json(request, error.as_json(), 404)
        return self._answers.page(request, "nothing.html", 404, view="", argument="")

    async def _find(self, request: Request) -> Response:
        given = request.query_params
        text = given.get("q", "").strip()[:SEARCH_CHARACTERS_MAX]
        if not text:
            return RedirectResponse("/", 303, FIXED)
        try:
            return RedirectResponse(_in_batch(text, given.get("serial", "")).path, 303, FIXED)
        except InvalidIdentifier as error:
            place = await self._other_place(text)
            if place is not None:
                return RedirectResponse(place, 303, FIXED)
            return await self._labels.problem(
                request, Refused(error.code, str(error), {"code": error.code}), text
            )

    async def _other_place(self, text: str) -> str | None:
        """The page of a block, transaction or member that was asked for."""
        if _HEIGHT.fullmatch(text):
            return f"/blocks/{int(text)}"
        if _HEX32.fullmatch(text.lower()):
            return await self._by_digest(text.lower())
        code = text.upper()
        if is_producer(code):
            members = await self._source.ask("member.list")
            if any(member["code"] == code for member in members):
                return f"/members/{quote(code)}"
        return None

    async def _by_digest(self, text: str) -> str:
        try:
            block = await self._source.ask("block.get", digest=text)
        except Refused:
            return f"/transactions/{text}"
        return f"/blocks/{block['header']['height']}"


def _in_batch(text: str, serial: str) -> Label:
    """The label `text`, or the kilogram with that number in its batch. Raises InvalidIdentifier."""
    label = parse_label(text)
    if not _HEIGHT.fullmatch(serial):
        return label
    here = label.identifier
    return parse_label(format_id(here.producer, here.batch_no, int(serial)))
