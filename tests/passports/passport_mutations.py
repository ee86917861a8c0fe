"""Changes to good passports, each with the step at which a verifier has to stop."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ledger.identifiers import format_id

Place = tuple[str | int, ...]
Edit = dict[str, Any]
FULL = "kilogram_current"
ABSENT = "absent_other_entry"
CHANGED = "between_the_changes_current"


def mutations(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every mutation. `good`: the passports by name."""
    for name, base in good.items():
        yield {
            "name": f"{name}: another genesis",
            "of": name,
            "genesis": _other(name),
            "step": "genesis",
        }
        yield _one(name, "the claim", [_set(("claim",), _opposite(base))], _of_claim(base))
    for name in (FULL, ABSENT, CHANGED):
        yield from _members(name, good[name])
        yield from _values(name, good[name])
    yield from _identities(good)
    yield from _registrations(good)
    yield from _certificates(good)
    yield from _states(good)
    yield from _changes(good)
    yield from _records(good)
    yield from _texts(good)


def _other(name: str) -> str:
    return "n7" if name != "n7" and not name.startswith("n7_") else "n4"


def _opposite(base: Any) -> str:
    return "not_registered" if base["claim"] == "registered" else "registered"


def _of_claim(base: Any) -> str:
    return "record" if "registration" in base else "format"


def _one(of: str, name: str, edits: list[Edit], step: str | None) -> dict[str, Any]:
    return {"name": f"{of}: {name}", "of": of, "edits": edits, "step": step}


def _set(path: Place, value: Any) -> Edit:
    return {"path": list(path), "set": value}


def _remove(path: Place) -> Edit:
    return {"path": list(path), "remove": True}


def _insert(path: Place, value: Any) -> Edit:
    return {"path": list(path), "insert": value}


def at(document: Any, path: Place) -> Any:
    """What stands at a path."""
    for step in path:
        document = document[step]
    return document


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
            yield _one(of, f"{where} has one more", [_set((*path, "more"), 1)], "format")
        if path and isinstance(path[-1], str):
            # Without its state, a current passport is one that is not current.
            step = None if path == ("state",) and "registration" in base else "format"
            yield _one(of, f"{where} is missing", [_remove(path)], step)
        if path:
            wrong = 7 if isinstance(value, str | list | dict) or value is None else "7"
            yield _one(of, f"{where} of another type", [_set(path, wrong)], "format")
        if path and value is not None and path[:-1] != ("state",):
            yield _one(of, f"{where} is null", [_set(path, None)], "format")


def _values(of: str, base: Any) -> Iterator[dict[str, Any]]:
    """One bit, one digit, one number changed."""
    for path, value in _places(base):
        where = ".".join(map(str, path))
        if _is_hex(path, value):
            flipped = f"{int(value, 16) ^ 1 << 4 * (len(value) // 2):0{len(value)}x}"
            yield _one(of, f"a bit of {where}", [_set(path, flipped)], _step(path))
            yield _one(of, f"{where} in capitals", [_set(path, _capitals(value))], "format")
            yield _one(of, f"{where} too short", [_set(path, value[2:])], "format")
            yield _one(of, f"{where} too long", [_set(path, value + "00")], "format")
        elif path[-1:] in (("header",), ("transaction",), ("value",)) and value:
            yield from _base64(of, path, value)
        elif type(value) is int and path != ("passport",):
            yield _one(of, f"{where} one more", [_set(path, value + 1)], _step(path))
            yield _one(of, f"{where} is -1", [_set(path, -1)], "format")
            yield _one(of, f"{where} is true", [_set(path, True)], "format")
            yield _one(of, f"{where} is 2^53", [_set(path, 2**53)], "format")


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
        yield _one(of, f"{name} of {where}", [_set(path, text)], _step(path))
    for name, text in (
        ("without padding", base64.b64encode(data + bytes(-len(data) % 3 or 0) + b"\0").decode()),
        ("of the other alphabet", "-_" + value[2:]),
        ("with a line end", value[:8] + "\n" + value[8:]),
        ("with a space", value + " "),
    ):
        shown = text.rstrip("=") if name == "without padding" else text
        yield _one(of, f"{where} {name}", [_set(path, shown)], "format")
    spare = base64.b64encode(data + b"\0" * ((1 - len(data)) % 3)).decode()
    changed = spare[:-3] + _next_symbol(spare[-3]) + "=="
    assert base64.b64decode(changed) == base64.b64decode(spare)
    yield _one(of, f"{where} with a spare bit", [_set(path, changed)], "format")


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
        yield _one(FULL, f"the ID is {name}", [_set(("id",), text)], step)
    for name, text, step in (
        ("another kilogram of the batch", format_id("S3PA", 5, 7), None),
        ("a batch that is there", format_id("K77G", 5, 1), "state"),
        ("another absent batch", format_id("K77G", 77_777, 1), "state"),
    ):
        yield _one("absent_batch", f"the ID is {name}", [_set(("id",), text)], step)
    beyond = good["beyond_the_batch"]
    for name, serial, step in (("a kilogram", 1, "record"), ("the batch", 0, "record")):
        text = format_id("K77G", 5, serial)
        yield _one("beyond_the_batch", f"the ID is {name}", [_set(("id",), text)], step)
    assert beyond["record"]["mass_g"] == 0
    for text in ("n4", "", good[FULL]["chain_id"].upper(), good[FULL]["chain_id"] + "0"):
        yield _one(FULL, f"the chain is {text!r}", [_set(("chain_id",), text)], "genesis")
    for value, name in ((2, "2"), (0, "0"), ("1", "a text"), (True, "true")):
        yield _one(FULL, f"the version is {name}", [_set(("passport",), value)], "format")
    for value in ("maybe", "Registered", ""):
        yield _one(FULL, f"the claim is {value!r}", [_set(("claim",), value)], "format")


def _next_of(symbol: str) -> str:
    symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return symbols[(symbols.index(symbol) + 1) % 32]


def _registrations(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    path = good[FULL]["registration"]["path"]
    where: Place = ("registration", "path")
    assert len(path) == 4
    for name, edits in (
        ("one digest less", [_remove((*where, 3))]),
        ("one digest more", [_insert((*where, 4), "00" * 32)]),
        ("the last digest twice", [_insert((*where, 4), path[3])]),
        ("nothing", [_set(where, [])]),
        ("two digests swapped", [_set((*where, 0), path[1]), _set((*where, 1), path[0])]),
        ("backwards", [_set(where, path[::-1])]),
    ):
        yield _one(FULL, f"the path has {name}", edits, "inclusion")
    for count, step in ((64, "inclusion"), (65, "format")):
        edits = [_set(where, ["00" * 32] * count)]
        yield _one(FULL, f"the path has {count} digests", edits, step)
    for index in (0, 12, 13, 2**53 - 1):
        edits = [_set(("registration", "index"), index)]
        yield _one(FULL, f"the index is {index}", edits, "inclusion")
    donor = good["last_kilogram"]["registration"]
    whole = [_set(("registration",), donor)]
    yield _one(FULL, "the registration of another batch", whole, "record")
    record = [*whole, _set(("record",), good["last_kilogram"]["record"])]
    yield _one(FULL, "registration and record of another batch", record, "record")
    transaction = [_set(("registration", "transaction"), donor["transaction"])]
    yield _one(FULL, "the transaction of another batch", transaction, "inclusion")
    moved = [
        _set(
            ("registration", "block"), good["kilogram_alone_in_its_block"]["registration"]["block"]
        )
    ]
    yield _one(FULL, "the block of another registration", moved, "inclusion")
    alone = "kilogram_alone_in_its_block"
    more = [_insert(("registration", "path", 0), "00" * 32)]
    yield _one(alone, "a path in a tree of one", more, "inclusion")
    yield _one(alone, "the second of one", [_set(("registration", "index"), 1)], "inclusion")


def _certificates(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for of, where, step in (
        (FULL, ("registration", "block"), "agreement"),
        (FULL, ("state", "block"), "agreement"),
        (ABSENT, ("state", "block"), "agreement"),
        ("n7", ("registration", "block"), "agreement"),
        ("n1", ("registration", "block"), "agreement"),
        (CHANGED, ("validator_changes", 0, "block"), "validators"),
    ):
        block = at(good[of], where)
        votes, place = block["certificate"]["votes"], (*where, "certificate", "votes")
        said = ".".join(map(str, where))
        last = len(votes) - 1
        yield _one(of, f"a vote less in {said}", [_remove((*place, last))], step)
        yield _one(of, f"no votes in {said}", [_set(place, [])], step)
        yield _one(of, f"a vote twice in {said}", [_insert((*place, 0), votes[0])], step)
        for replica in (0, 64, 2**53 - 1):
            if replica != votes[last]["replica"]:
                edits = [_set((*place, last, "replica"), replica)]
                yield _one(of, f"the last vote of replica {replica} in {said}", edits, step)
        edits = [_set((*place, 0, "signature"), "00" * 64)]
        yield _one(of, f"a signature of zeros in {said}", edits, step)
        if last:
            yield _one(of, f"votes backwards in {said}", [_set(place, votes[::-1])], step)
            same = [_set((*place, last), votes[0])]
            yield _one(of, f"a vote in place of another in {said}", same, step)
            swapped = [_set((*place, 0, "signature"), votes[1]["signature"])]
            yield _one(of, f"the signature of another in {said}", swapped, step)
    first, second = (good[FULL][part]["block"] for part in ("registration", "state"))
    for name, part, certificate in (
        ("the registration", "registration", second["certificate"]),
        ("the state", "state", first["certificate"]),
    ):
        edits = [_set((part, "block", "certificate"), certificate)]
        yield _one(FULL, f"the certificate of the other block in {name}", edits, "agreement")
    foreign = good["n7"]["registration"]["block"]
    yield _one(FULL, "a block of another chain", [_set(("state", "block"), foreign)], "agreement")


def _states(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    state = good[FULL]["state"]
    siblings, place = state["siblings"], ("state", "siblings")
    last = len(siblings) - 1
    value = good["batch_current"]["state"]["value"]
    older = good["kilogram_alone_in_its_block"]["registration"]["block"]
    own = good[FULL]["registration"]["block"]
    for name, edits in (
        ("a sibling less", [_remove((*place, last))]),
        ("the first sibling less", [_remove((*place, 0))]),
        ("a sibling more", [_insert((*place, last + 1), "")]),
        ("no siblings", [_set(place, [])]),
        ("siblings backwards", [_set(place, siblings[::-1])]),
        ("an empty sibling", [_set((*place, 0), "")]),
        ("a sibling of zeros", [_set((*place, 0), "00" * 32)]),
        ("256 siblings", [_set(place, [""] * 256)]),
        ("no value", [_set(("state", "value"), None)]),
        (
            "the value of another",
            [_set(("state", "value"), value)],
        ),
        ("an older block", [_set(("state", "block"), older)]),
        (
            "the registration's block",
            [_set(("state", "block"), own)],
        ),
        ("the state of another batch", [_set(("state",), good["batch_current"]["state"])]),
        ("the state of an absent batch", [_set(("state",), good[ABSENT]["state"])]),
    ):
        yield _one(FULL, f"a state with {name}", edits, "state")
    yield _one(FULL, "a state with 257 siblings", [_set(place, [""] * 257)], "format")
    other = {"path": "00" * 32, "value_digest": "00" * 32}
    yield _one(FULL, "a value and another entry", [_set(("state", "other"), other)], "format")
    both = [_set(("state", "value"), None), _set(("state", "other"), other)]
    yield _one(FULL, "no value and another entry", both, "state")
    absent = good[ABSENT]["state"]
    for name, edits in (
        ("no other entry", [_set(("state", "other"), None)]),
        ("an entry elsewhere", [_set(("state", "other"), other)]),
        ("a sibling less", [_remove(("state", "siblings", 0))]),
        ("a sibling more", [_insert(("state", "siblings", len(absent["siblings"])), "")]),
    ):
        yield _one(ABSENT, f"an absence with {name}", edits, "state")
    for name, edits in (
        ("another entry", [_set(("state", "other"), absent["other"])]),
        ("a sibling less", [_remove(("state", "siblings", 0))]),
    ):
        yield _one("absent_empty", f"an absence with {name}", edits, "state")
    value = [_set(("state", "value"), state["value"])]
    yield _one("absent_empty", "an absence with a value", value, "format")
    claim = [_set(("state",), absent), _set(("claim",), "not_registered"), _remove(("record",))]
    gone = [*claim, _remove(("registration",)), _set(("id",), good[FULL]["id"])]
    yield _one(FULL, "absent by the way of another", gone, "state")
    yield _one("beyond_the_batch", "beyond it and absent", [_set(("state",), absent)], "state")


def _changes(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    changes = good[CHANGED]["validator_changes"]
    place: Place = ("validator_changes",)
    assert len(changes) == 2
    first = (*place, 0, "validators")
    validators, later = changes[0]["validators"], good[CHANGED]["state"]["block"]
    for name, edits, step in (
        ("without the first", [_remove((*place, 0))], "validators"),
        ("without the last", [_remove((*place, 1))], "agreement"),
        ("without any", [_set(place, [])], "agreement"),
        ("backwards", [_set(place, changes[::-1])], "validators"),
        ("the first twice", [_insert((*place, 0), changes[0])], "validators"),
        ("the last twice", [_insert((*place, 2), changes[1])], "validators"),
        ("no validators", [_set(first, [])], "validators"),
        ("a validator less", [_remove((*first, 4))], "validators"),
        ("a validator twice", [_insert((*first, 4), validators[4])], "validators"),
        ("validators backwards", [_set(first, validators[::-1])], "validators"),
        ("another name", [_set((*first, 0, "name"), "v9")], "validators"),
        ("an empty name", [_set((*first, 0, "name"), "")], "validators"),
        ("another peer", [_set((*first, 0, "peer_id"), "peer-v9")], "validators"),
        ("the next set", [_set(first, changes[1]["validators"])], "validators"),
        (
            "another block",
            [_set((*place, 0, "block"), later)],
            "validators",
        ),
    ):
        yield _one(CHANGED, f"changes: {name}", edits, step)
    extra = [_set(place, changes)]
    yield _one(FULL, "changes of another chain", extra, "validators")
    yield _one("before_the_changes", "later changes are allowed", extra, None)
    yield _one("between_the_changes", "all changes are allowed", extra, None)
    after = good["after_the_changes"]["registration"]
    moved = [_set(("registration",), after), _set(("record",), good["after_the_changes"]["record"])]
    moved.append(_set(("id",), good["after_the_changes"]["id"]))
    yield _one("between_the_changes", "a block after a change left out", moved, "agreement")


def _records(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    record = good[FULL]["record"]
    payload: Place = ("record", "payload")
    for name, path, value in (
        ("batch", ("record", "batch"), format_id("K77G", 6, 0)),
        ("batch is the kilogram", ("record", "batch"), good[FULL]["id"]),
        ("mass", ("record", "mass_g"), 999),
        ("mass is the batch's", ("record", "mass_g"), 2500),
        ("member", ("record", "registered_by"), "S3PA"),
        ("time", ("record", "registered_ms"), record["registered_ms"] - 1),
        ("units", ("record", "units"), 4),
        ("product", (*payload, "product"), "dy2o3"),
        ("element", (*payload, "ree", "Nd"), 995_001),
        ("element is true", (*payload, "ree", "Nd"), True),
        ("element is a text", (*payload, "ree", "Nd"), "995000"),
        ("another element", (*payload, "ree", "Dy"), 0),
        ("no elements", (*payload, "ree"), {}),
        ("origin", (*payload, "origin", 0, "country"), "CN"),
        ("origins", (*payload, "origin"), []),
        ("site decomposed", (*payload, "origin", 0, "site"), "Ba\u0308renberg"),
        ("certificate", (*payload, "assay", "sha256"), "5b" + "5a" * 31),
        ("certificate in capitals", (*payload, "assay", "sha256"), "5A" * 32),
        ("nothing said", payload, {}),
        ("one more", (*payload, "quality"), "best"),
        ("an optional one is null", (*payload, "loi_ppm"), None),
        ("deep", (*payload, "ree"), _nested(28)),
    ):
        yield _one(FULL, f"record: {name}", [_set(path, value)], "record")
    yield _one(FULL, "record: a field less", [_remove((*payload, "assay"))], "record")
    yield _one(FULL, "record: too deep", [_set((*payload, "ree"), _nested(40))], "format")
    mass = [_set(("record", "mass_g"), 1000)]
    yield _one("beyond_the_batch", "record: mass of a kilogram", mass, "record")
    yield _one("last_kilogram", "record: mass of a whole kilogram", mass, "record")
    yield _one("batch", "record: mass of a kilogram", mass, "record")
    first = "kilogram_alone_in_its_block"
    assert good[first]["record"]["payload"]["batch_no"] == 1
    truth = [_set((*payload, "batch_no"), True)]
    yield _one(first, "record: true for 1", truth, "record")
    orphan = [_set(("record",), record)]
    yield _one(ABSENT, "a record without a registration", orphan, "format")


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def _texts(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    def one(name: str, step: str | None, *text: Any, of: str = FULL) -> dict[str, Any]:
        return {"name": f"{of}: {name}", "of": of, "text": list(text), "step": step}

    def replace(old: str, new: str) -> dict[str, Any]:
        return {"replace": [old, new]}

    genesis = good[FULL]["genesis"]
    yield one("a member twice", "format", replace('"passport":1', '"passport":1,"passport":1'))
    yield one("a vote's replica twice", "format", replace('"replica":1', '"replica":1,"replica":1'))
    twice = '"product":"nd2o3"'
    yield one("a field of the payload twice", "format", replace(twice, f"{twice},{twice}"))
    for text in ("1.0", "1e0", "01", "+1", "0x1", "1.", ".1", "NaN", "Infinity", "1_0", "'1'", ""):
        yield one(f"the version is {text}", "format", replace('"passport":1', f'"passport":{text}'))
    for text in ("2500.0", "25e2", "-2500", "1e400", "9" * 400):
        name = text if len(text) < 9 else "400 digits"
        step = "record" if text == "-2500" else "format"
        yield one(
            f"net_mass_g is {name}", step, replace('"net_mass_g":2500', f'"net_mass_g":{text}')
        )
    yield one("a comment", "format", replace("{", "/* a passport */ {"))
    yield one("a comma too many", "format", replace('"passport":1,', '"passport":1,,'))
    yield one("a comma at the end", "format", replace('"other":null}', '"other":null,}'))
    yield one("a control character", "format", replace("RE1", "\u0001RE1"))
    yield one("a list around it", "format", {"prepend_hex": "5b"}, {"append_hex": "5d"})
    yield one("nothing", "format", {"cut_to": 0})
    yield one("half of it", "format", {"cut_to": 2000})
    yield one("without its end", "format", replace('"other":null}}', '"other":null}'))
    yield one("twice", "format", {"append_hex": "7b7d"})
    yield one("a zero byte after it", "format", {"append_hex": "00"})
    yield one("a byte order mark", "format", {"prepend_hex": "efbbbf"})
    yield one("a byte that is not UTF-8", "format", replace("RE1", "RE1"), {"append_hex": "ff"})
    yield one("the longest file", None, {"pad_to": 128 * 1024})
    yield one("a file too long", "format", {"pad_to": 128 * 1024 + 1})
    yield one("half a surrogate pair as ID", "format", replace("RE1", "\\ud800E1"))
    surrogate = replace('"name":"v0"', '"name":"\\ud800"')
    yield one("half a surrogate pair as name", "format", surrogate, of=CHANGED)
    yield one("a member named with an escape", None, replace('"passport"', '"p\\u0061ssport"'))
    twice = '"passport":1,"p\\u0061ssport":1'
    yield one("twice, once with an escape", "format", replace('"passport":1', twice))
    yield one("white space", None, replace('{"passport":1,', ' \t\r\n{ "passport" : 1 ,\n'))
    space = replace('"passport":1', '"passport":\u00a01')
    yield one("white space that is none of JSON's", "format", space)
    moved = replace(f'"genesis":"{genesis}",', ""), replace("{", '{"genesis":"' + genesis + '",')
    yield one("another order of the members", None, *moved)
    yield one(
        "a member from nowhere", "format", replace('"passport":1', '"passport":1,"__proto__":{}')
    )
    alone = "kilogram_alone_in_its_block"
    yield one("an index of minus zero", None, replace('"index":0', '"index":-0'), of=alone)
