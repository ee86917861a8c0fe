"""How a change to a passport is written down, and which passports are changed most."""

from __future__ import annotations

from typing import Any

Place = tuple[str | int, ...]
Edit = dict[str, Any]
FULL = "kilogram_current"
ABSENT = "absent_other_entry"
CHANGED = "between_the_changes_current"


def one(of: str, name: str, edits: list[Edit], step: str | None) -> dict[str, Any]:
    """A passport after edits, and the step at which a verifier stops; None where all hold."""
    return {"name": f"{of}: {name}", "of": of, "edits": edits, "step": step}


def put(path: Place, value: Any) -> Edit:
    """Set what stands at a path."""
    return {"path": list(path), "set": value}


def remove(path: Place) -> Edit:
    """Remove what stands at a path."""
    return {"path": list(path), "remove": True}


def insert(path: Place, value: Any) -> Edit:
    """Insert into a list, before what stands at a path."""
    return {"path": list(path), "insert": value}


def at(document: Any, path: Place) -> Any:
    """What stands at a path."""
    for step in path:
        document = document[step]
    return document
