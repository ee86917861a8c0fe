"""`/K/<ID>`, what a QR code points to: a record as page, as JSON, or as linkset (RFC 9264)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ledger.errors import InvalidIdentifier
from node.explorer.answers import Answers, as_json
from node.explorer.label import Label, parse_label
from node.explorer.negotiation import choose_media
from node.explorer.record import Record, read_record
from node.explorer.source import Refused, Source
from node.explorer.suggestions import registered_neighbours

HTML, JSON, LINKSET = "text/html", "application/json", "application/linkset+json"
_STATUS = {
    "E_ID": 400,
    "E_CHECK": 400,
    "E_NOT_REGISTERED": 404,
    "E_METHOD": 501,
    "E_BUSY": 503,
}


class LabelPages:
    """Answers for labels: kilograms, packages and batches."""

    def __init__(self, source: Source, answers: Answers) -> None:
        self._source = source
        self._answers = answers

    async def page(self, request: Request) -> Response:
        """The record of a label, in the form that the client prefers."""
        wanted = choose_media(request.headers.get("accept"), (HTML, JSON, LINKSET))
        text = str(request.path_params["label"])
        try:
            record = await read_record(self._source, _parse(text))
        except Refused as error:
            if wanted == HTML:
                return await self.problem(request, error, text)
            return as_json(request, error.as_json(), status_of(error), headers=_VARY)
        if wanted == HTML:
            return self._answers.page(
                request, "record.html", view="record", argument="", record=record
            )
        if wanted == JSON:
            return as_json(request, _as_json(record), headers=_VARY)
        return as_json(request, linkset(request, record), media_type=LINKSET, headers=_VARY)

    async def passport(self, request: Request) -> Response:
        """The passport as a file: of a registration, or of its absence."""
        try:
            label = _parse(str(request.path_params["label"]))
            proof = await self._source.ask("proof.get", id=label.identifier.text, current=True)
        except Refused as error:
            return as_json(request, error.as_json(), status_of(error))
        name = f"{label.identifier.text}.passport.json"
        saved = {"content-disposition": f'attachment; filename="{name}"'}
        return as_json(request, proof, headers=saved)

    async def problem(self, request: Request, error: Refused, text: str) -> Response:
        """The page that says what is wrong with a label, and what to do."""
        near = await registered_neighbours(self._source, text) if error.code == "E_CHECK" else []
        identifier = None
        if error.code == "E_NOT_REGISTERED":
            identifier = parse_label(text).identifier
        return self._answers.page(
            request,
            "problem.html",
            status_of(error),
            view="problem",
            argument="",
            error=error,
            text=text,
            near=near,
            identifier=identifier,
        )


_VARY = {"vary": "Accept"}


def status_of(error: Refused) -> int:
    """The HTTP status of a refusal."""
    return _STATUS.get(error.code, 500)


def linkset(request: Request, record: Record) -> dict[str, Any]:
    """The links of a label: its record, passport, verifier, and the batch that it belongs to."""
    base = f"{_scheme(request)}://{request.headers['host']}"
    here = base + record.label.path
    kilogram = f"{base}/K/{record.label.identifier.text}"
    links: dict[str, Any] = {
        "anchor": here,
        "item": [
            {"href": here, "type": HTML, "title": "record", "hreflang": ["en", "zh"]},
            {"href": here, "type": JSON, "title": "record"},
            {"href": f"{kilogram}/passport.json", "type": JSON, "title": "passport"},
            {"href": f"{base}/verifier.html", "type": HTML, "title": "verifier"},
        ],
    }
    if record.label.identifier.serial:
        links["collection"] = [
            {"href": f"{base}/K/{record.said['batch']}", "type": HTML, "title": "batch"}
        ]
    return {"linkset": [links]}


def _scheme(request: Request) -> str:
    """https where a proxy says that the client spoke it; it only shapes this client's links."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return "https" if forwarded == "https" else request.url.scheme


def _parse(text: str) -> Label:
    try:
        return parse_label(text)
    except InvalidIdentifier as error:
        data = {"code": error.code, "field": error.field}
        raise Refused(error.code, str(error), data) from error


def _as_json(record: Record) -> dict[str, Any]:
    """What `id.lookup` answers; of a package also its count, last ID and whole mass."""
    if record.label.count == 1:
        return record.said
    return {
        **record.said,
        "package": {
            "count": record.label.count,
            "last": record.label.last,
            "mass_g": record.mass_g,
        },
    }
