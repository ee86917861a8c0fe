"""Changes to good passports, each with the step at which a verifier has to stop."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import passport_part_mutations as parts
from passport_edits import ABSENT, CHANGED, FULL, Place, one, put, remove

from ledger.identifiers import format_id


def mutations(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every mutation. `good`: the passports by name."""
    for name, base in good.items():
        yield {
            "name": f"{name}: another genesis",
            "of": name,
            "genesis": _other(name),
            "step": "genesis",
        }
        yield one(name, "the claim", [put(("claim",), _opposite(base))], _of_claim(base))
    for name in (FULL, ABSENT, CHANGED):
        yield from _members(name, good[name])
        yield from _values(name, good[name])
        yield from _digests(name, good[name])
    yield from _identities(good)
    yield from parts.registrations(good)
    yield from parts.certificates(good)
    yield from parts.states(good)
    yield from parts.changes(good)
    yield from parts.records(good)
    yield from parts.texts(good)


def _other(name: str) -> str:
    return "n7" if name != "n7" and not name.startswith("n7_") else "n4"


def _opposite(base: Any) -> str:
    return "not_registered" if base["claim"] == "registered" else "registered"


def _of_claim(base: Any) -> str:
    return "record" if "registration" in base else "format"


def _places(value: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place that the form prescribes, the payload apart."""
    yield path, value
    if isinstance(value, dict) and path[-1:] != ("payload",):
        for name, inner in value.items():
            yield from _places(inner, (*path, name))
    if isinstance(value, list) and value:
        yield from _places(value[0], (*path, 0))


def _members(of: str, base: Any) -> Iterator[dict[str, Any]]:
    """Members that are missing, unknown, or of another type."""
    for path, value in _places(base):
        where = ".".join(map(str, path)) or "the file"
        if isinstance(value, dict) and path[-1:] != ("payload",):
            yield one(of, f"{where} has one more", [put((*path, "more"), 1)], "format")
        if path and isinstance(path[-1], str):
            # Without its state, a current passport is one that is not current.
            step = None if path == ("state",) and "registration" in base else "format"
            yield one(of, f"{where} is missing", [remove(path)], step)
        if path:
            wrong = 7 if isinstance(value, str | list | dict) or value is None else "7"
            yield one(of, f"{where} of another type", [put(path, wrong)], "format")
        if path and value is not None and path[:-1] != ("state",):
            yield one(of, f"{where} is null", [put(path, None)], "format")


def _values(of: str, base: Any) -> Iterator[dict[str, Any]]:
    """One bit, one digit, one number changed."""
    for path, value in _places(base):
        where = ".".join(map(str, path))
        if _is_hex(path, value):
            flipped = f"{int(value, 16) ^ 1 << 4 * (len(value) // 2):0{len(value)}x}"
            yield one(of, f"a bit of {where}", [put(path, flipped)], _step(path))
            yield one(of, f"{where} in capitals", [put(path, _capitals(value))], "format")
            yield one(of, f"{where} too short", [put(path, value[2:])], "format")
            yield one(of, f"{where} too long", [put(path, value + "00")], "format")
        elif path[-1:] in (("header",), ("transaction",), ("value",)) and value:
            yield from _base64(of, path, value)
        elif type(value) is int and path != ("passport",):
            yield one(of, f"{where} one more", [put(path, value + 1)], _step(path))
            yield one(of, f"{where} is -1", [put(path, -1)], "format")
            yield one(of, f"{where} is true", [put(path, True)], "format")
            yield one(of, f"{where} is 2^53", [put(path, 2**53)], "format")


def _digests(of: str, base: Any) -> Iterator[dict[str, Any]]:
    """One bit of each key, digest and signature that stands later in a list."""
    found = [each for each in _all(base) if any(type(step) is int and step for step in each[0])]
    for number, (path, value) in enumerate(found):
        if _is_hex(path, value):
            bit = 37 * number % (4 * len(value))
            flipped = f"{int(value, 16) ^ 1 << bit:0{len(value)}x}"
            where = ".".join(map(str, path))
            yield one(of, f"bit {bit} of {where}", [put(path, flipped)], _step(path))


def _all(value: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _all(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _all(inner, (*path, place))


def _base64(of: str, path: Place, value: str) -> Iterator[dict[str, Any]]:
    where = ".".join(map(str, path))
    data = base64.b64decode(value)
    for name, found in (
        ("the first bit", bytes([data[0] ^ 128]) + data[1:]),
        ("a bit in the middle", _flip(data, len(data) // 2)),
        ("the last bit", data[:-1] + bytes([data[-1] ^ 1])),
        ("a byte more", data + b"\0"),
        ("a byte less", data[:-1]),
        ("nothing", b""),
    ):
        text = base64.b64encode(found).decode()
        yield one(of, f"{name} of {where}", [put(path, text)], _step(path))
    for name, text in (
        ("without padding", base64.b64encode(data + bytes(-len(data) % 3 or 0) + b"\0").decode()),
        ("of the other alphabet", "-_" + value[2:]),
        ("with a line end", value[:8] + "\n" + value[8:]),
        ("with a space", value + " "),
    ):
        shown = text.rstrip("=") if name == "without padding" else text
        yield one(of, f"{where} {name}", [put(path, shown)], "format")
    spare = base64.b64encode(data + b"\0" * ((1 - len(data)) % 3)).decode()
    changed = spare[:-3] + _next_symbol(spare[-3]) + "=="
    assert base64.b64decode(changed) == base64.b64decode(spare)
    yield one(of, f"{where} with a spare bit", [put(path, changed)], "format")


def _next_symbol(symbol: str) -> str:
    symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return symbols[symbols.index(symbol) | 1]


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]


def _is_hex(path: Place, value: Any) -> bool:
    payload = "payload" in path
    return isinstance(value, str) and len(value) in (64, 128) and not payload


def _capitals(value: str) -> str:
    assert value.upper() != value
    return value.upper()


def _step(path: Place) -> str:
    """Where a change of the value at `path` shows, if the form stays right."""
    if path[0] == "validator_changes":
        return "validators"
    if path[0] == "genesis":
        return "genesis"
    if "block" in path:
        return "agreement"
    return {"registration": "inclusion", "state": "state", "record": "record"}[str(path[0])]


def _identities(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    own = good[FULL]["id"]
    for name, text, step in (
        ("a wrong check character", own[:-1] + _next_of(own[-1]), "identity"),
        ("a wrong symbol", own[:8] + _next_of(own[8]) + own[9:], "identity"),
        ("small letters", own.lower(), "identity"),
        ("an O for a zero", own.replace("0", "O", 1), "identity"),
        ("a dash", own[:3] + "-" + own[4:], "identity"),
        ("another registry", "RE2" + own[3:], "identity"),
        ("a letter that is no symbol", own[:3] + "U" + own[4:], "identity"),
        ("eighteen letters beyond ASCII", "é" * 18, "identity"),
        ("too short", own[:-1], "format"),
        ("too long", own + "0", "format"),
        ("groups", "-".join((own[:3], own[3:7], own[7:12], own[12:16], own[16:])), "format"),
        ("another batch", format_id("K77G", 6, 2), "record"),
        ("another producer", format_id("S3PA", 5, 2), "record"),
        ("the batch itself", format_id("K77G", 5, 0), "record"),
        ("the last kilogram", format_id("K77G", 5, 3), "record"),
        ("a kilogram too many", format_id("K77G", 5, 4), "record"),
        ("a kilogram of the same mass", format_id("K77G", 5, 1), None),
    ):
        yield one(FULL, f"the ID is {name}", [put(("id",), text)], step)
    for name, text, step in (
        ("another kilogram of the batch", format_id("S3PA", 5, 7), None),
        ("a batch that is there", format_id("K77G", 5, 1), "state"),
        ("another absent batch", format_id("K77G", 77_777, 1), "state"),
    ):
        yield one("absent_batch", f"the ID is {name}", [put(("id",), text)], step)
    beyond = good["beyond_the_batch"]
    for name, serial, step in (("a kilogram", 1, "record"), ("the batch", 0, "record")):
        text = format_id("K77G", 5, serial)
        yield one("beyond_the_batch", f"the ID is {name}", [put(("id",), text)], step)
    assert beyond["record"]["mass_g"] == 0
    for text in ("n4", "", good[FULL]["chain_id"].upper(), good[FULL]["chain_id"] + "0"):
        yield one(FULL, f"the chain is {text!r}", [put(("chain_id",), text)], "genesis")
    for value, name in ((2, "2"), (0, "0"), ("1", "a text"), (True, "true")):
        yield one(FULL, f"the version is {name}", [put(("passport",), value)], "format")
    for value in ("maybe", "Registered", ""):
        yield one(FULL, f"the claim is {value!r}", [put(("claim",), value)], "format")


def _next_of(symbol: str) -> str:
    symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return symbols[(symbols.index(symbol) + 1) % 32]
