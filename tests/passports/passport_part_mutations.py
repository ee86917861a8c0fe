"""Changes to one part of a good passport each, with the step at which a verifier has to stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from passport_edits import ABSENT, CHANGED, FULL, Place, at, insert, one, put, remove

from ledger.identifiers import format_id


def registrations(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the transaction, its index, path and block."""
    path = good[FULL]["registration"]["path"]
    where: Place = ("registration", "path")
    assert len(path) == 4
    for name, edits in (
        ("one digest less", [remove((*where, 3))]),
        ("one digest more", [insert((*where, 4), "00" * 32)]),
        ("the last digest twice", [insert((*where, 4), path[3])]),
        ("nothing", [put(where, [])]),
        ("two digests swapped", [put((*where, 0), path[1]), put((*where, 1), path[0])]),
        ("backwards", [put(where, path[::-1])]),
    ):
        yield one(FULL, f"the path has {name}", edits, "inclusion")
    for count, step in ((64, "inclusion"), (65, "format")):
        edits = [put(where, ["00" * 32] * count)]
        yield one(FULL, f"the path has {count} digests", edits, step)
    for index in (0, 12, 13, 2**53 - 1):
        edits = [put(("registration", "index"), index)]
        yield one(FULL, f"the index is {index}", edits, "inclusion")
    donor = good["last_kilogram"]["registration"]
    whole = [put(("registration",), donor)]
    yield one(FULL, "the registration of another batch", whole, "record")
    record = [*whole, put(("record",), good["last_kilogram"]["record"])]
    yield one(FULL, "registration and record of another batch", record, "record")
    transaction = [put(("registration", "transaction"), donor["transaction"])]
    yield one(FULL, "the transaction of another batch", transaction, "inclusion")
    moved = [
        put(("registration", "block"), good["kilogram_alone_in_its_block"]["registration"]["block"])
    ]
    yield one(FULL, "the block of another registration", moved, "inclusion")
    alone = "kilogram_alone_in_its_block"
    more = [insert(("registration", "path", 0), "00" * 32)]
    yield one(alone, "a path in a tree of one", more, "inclusion")
    yield one(alone, "the second of one", [put(("registration", "index"), 1)], "inclusion")


def certificates(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the votes of every part."""
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
        yield one(of, f"a vote less in {said}", [remove((*place, last))], step)
        yield one(of, f"no votes in {said}", [put(place, [])], step)
        yield one(of, f"a vote twice in {said}", [insert((*place, 0), votes[0])], step)
        for replica in (0, 64, 2**53 - 1):
            if replica != votes[last]["replica"]:
                edits = [put((*place, last, "replica"), replica)]
                yield one(of, f"the last vote of replica {replica} in {said}", edits, step)
        edits = [put((*place, 0, "signature"), "00" * 64)]
        yield one(of, f"a signature of zeros in {said}", edits, step)
        if last:
            yield one(of, f"votes backwards in {said}", [put(place, votes[::-1])], step)
            same = [put((*place, last), votes[0])]
            yield one(of, f"a vote in place of another in {said}", same, step)
            swapped = [put((*place, 0, "signature"), votes[1]["signature"])]
            yield one(of, f"the signature of another in {said}", swapped, step)
    first, second = (good[FULL][part]["block"] for part in ("registration", "state"))
    for name, part, certificate in (
        ("the registration", "registration", second["certificate"]),
        ("the state", "state", first["certificate"]),
    ):
        edits = [put((part, "block", "certificate"), certificate)]
        yield one(FULL, f"the certificate of the other block in {name}", edits, "agreement")
    foreign = good["n7"]["registration"]["block"]
    yield one(FULL, "a block of another chain", [put(("state", "block"), foreign)], "agreement")


def states(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the entry of the state and what stands beside its way."""
    state = good[FULL]["state"]
    siblings, place = state["siblings"], ("state", "siblings")
    last = len(siblings) - 1
    value = good["batch_current"]["state"]["value"]
    older = good["kilogram_alone_in_its_block"]["registration"]["block"]
    own = good[FULL]["registration"]["block"]
    for name, edits in (
        ("a sibling less", [remove((*place, last))]),
        ("the first sibling less", [remove((*place, 0))]),
        ("a sibling more", [insert((*place, last + 1), "")]),
        ("no siblings", [put(place, [])]),
        ("siblings backwards", [put(place, siblings[::-1])]),
        ("an empty sibling", [put((*place, 0), "")]),
        ("a sibling of zeros", [put((*place, 0), "00" * 32)]),
        ("256 siblings", [put(place, [""] * 256)]),
        ("no value", [put(("state", "value"), None)]),
        (
            "the value of another",
            [put(("state", "value"), value)],
        ),
        ("an older block", [put(("state", "block"), older)]),
        (
            "the registration's block",
            [put(("state", "block"), own)],
        ),
        ("the state of another batch", [put(("state",), good["batch_current"]["state"])]),
        ("the state of an absent batch", [put(("state",), good[ABSENT]["state"])]),
    ):
        yield one(FULL, f"a state with {name}", edits, "state")
    yield one(FULL, "a state with 257 siblings", [put(place, [""] * 257)], "format")
    other = {"path": "00" * 32, "value_digest": "00" * 32}
    yield one(FULL, "a value and another entry", [put(("state", "other"), other)], "format")
    both = [put(("state", "value"), None), put(("state", "other"), other)]
    yield one(FULL, "no value and another entry", both, "state")
    absent = good[ABSENT]["state"]
    for name, edits in (
        ("no other entry", [put(("state", "other"), None)]),
        ("an entry elsewhere", [put(("state", "other"), other)]),
        ("a sibling less", [remove(("state", "siblings", 0))]),
        ("a sibling more", [insert(("state", "siblings", len(absent["siblings"])), "")]),
    ):
        yield one(ABSENT, f"an absence with {name}", edits, "state")
    for name, edits in (
        ("another entry", [put(("state", "other"), absent["other"])]),
        ("a sibling less", [remove(("state", "siblings", 0))]),
    ):
        yield one("absent_empty", f"an absence with {name}", edits, "state")
    value = [put(("state", "value"), state["value"])]
    yield one("absent_empty", "an absence with a value", value, "format")
    claim = [put(("state",), absent), put(("claim",), "not_registered"), remove(("record",))]
    gone = [*claim, remove(("registration",)), put(("id",), good[FULL]["id"])]
    yield one(FULL, "absent by the way of another", gone, "state")
    yield one("beyond_the_batch", "beyond it and absent", [put(("state",), absent)], "state")


def changes(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the validators that came later."""
    changes = good[CHANGED]["validator_changes"]
    place: Place = ("validator_changes",)
    assert len(changes) == 2
    first = (*place, 0, "validators")
    validators, later = changes[0]["validators"], good[CHANGED]["state"]["block"]
    for name, edits, step in (
        ("without the first", [remove((*place, 0))], "validators"),
        ("without the last", [remove((*place, 1))], "agreement"),
        ("without any", [put(place, [])], "agreement"),
        ("backwards", [put(place, changes[::-1])], "validators"),
        ("the first twice", [insert((*place, 0), changes[0])], "validators"),
        ("the last twice", [insert((*place, 2), changes[1])], "validators"),
        ("no validators", [put(first, [])], "validators"),
        ("a validator less", [remove((*first, 4))], "validators"),
        ("a validator twice", [insert((*first, 4), validators[4])], "validators"),
        ("validators backwards", [put(first, validators[::-1])], "validators"),
        ("another name", [put((*first, 0, "name"), "v9")], "validators"),
        ("an empty name", [put((*first, 0, "name"), "")], "validators"),
        ("another peer", [put((*first, 0, "peer_id"), "peer-v9")], "validators"),
        ("the next set", [put(first, changes[1]["validators"])], "validators"),
        (
            "another block",
            [put((*place, 0, "block"), later)],
            "validators",
        ),
    ):
        yield one(CHANGED, f"changes: {name}", edits, step)
    extra = [put(place, changes)]
    yield one(FULL, "changes of another chain", extra, "validators")
    yield one("before_the_changes", "later changes are allowed", extra, None)
    yield one("between_the_changes", "all changes are allowed", extra, None)
    after = good["after_the_changes"]["registration"]
    moved = [put(("registration",), after), put(("record",), good["after_the_changes"]["record"])]
    moved.append(put(("id",), good["after_the_changes"]["id"]))
    yield one("between_the_changes", "a block after a change left out", moved, "agreement")


def records(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of what is said for people."""
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
        yield one(FULL, f"record: {name}", [put(path, value)], "record")
    yield one(FULL, "record: a field less", [remove((*payload, "assay"))], "record")
    yield one(FULL, "record: too deep", [put((*payload, "ree"), _nested(40))], "format")
    mass = [put(("record", "mass_g"), 1000)]
    yield one("beyond_the_batch", "record: mass of a kilogram", mass, "record")
    yield one("last_kilogram", "record: mass of a whole kilogram", mass, "record")
    yield one("batch", "record: mass of a kilogram", mass, "record")
    first = "kilogram_alone_in_its_block"
    assert good[first]["record"]["payload"]["batch_no"] == 1
    truth = [put((*payload, "batch_no"), True)]
    yield one(first, "record: true for 1", truth, "record")
    orphan = [put(("record",), record)]
    yield one(ABSENT, "a record without a registration", orphan, "format")


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def texts(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the bytes of the file."""

    def text(name: str, step: str | None, *edits: Any, of: str = FULL) -> dict[str, Any]:
        return {"name": f"{of}: {name}", "of": of, "text": list(edits), "step": step}

    def replace(old: str, new: str) -> dict[str, Any]:
        return {"replace": [old, new]}

    genesis = good[FULL]["genesis"]
    yield text("a member twice", "format", replace('"passport":1', '"passport":1,"passport":1'))
    yield text(
        "a vote's replica twice", "format", replace('"replica":1', '"replica":1,"replica":1')
    )
    twice = '"product":"nd2o3"'
    yield text("a field of the payload twice", "format", replace(twice, f"{twice},{twice}"))
    for shown in ("1.0", "1e0", "01", "+1", "0x1", "1.", ".1", "NaN", "Infinity", "1_0", "'1'", ""):
        yield text(
            f"the version is {shown}", "format", replace('"passport":1', f'"passport":{shown}')
        )
    for shown in ("2500.0", "25e2", "-2500", "1e400", "9" * 400):
        name = shown if len(shown) < 9 else "400 digits"
        step = "record" if shown == "-2500" else "format"
        yield text(
            f"net_mass_g is {name}", step, replace('"net_mass_g":2500', f'"net_mass_g":{shown}')
        )
    yield text("a comment", "format", replace("{", "/* a passport */ {"))
    yield text("a comma too many", "format", replace('"passport":1,', '"passport":1,,'))
    yield text("a comma at the end", "format", replace('"other":null}', '"other":null,}'))
    yield text("a control character", "format", replace("RE1", "\u0001RE1"))
    yield text("a list around it", "format", {"prepend_hex": "5b"}, {"append_hex": "5d"})
    yield text("nothing", "format", {"cut_to": 0})
    yield text("half of it", "format", {"cut_to": 2000})
    yield text("without its end", "format", replace('"other":null}}', '"other":null}'))
    yield text("twice", "format", {"append_hex": "7b7d"})
    yield text("a zero byte after it", "format", {"append_hex": "00"})
    yield text("a byte order mark", "format", {"prepend_hex": "efbbbf"})
    yield text("a byte that is not UTF-8", "format", replace("RE1", "RE1"), {"append_hex": "ff"})
    yield text("the longest file", None, {"pad_to": 128 * 1024})
    yield text("a file too long", "format", {"pad_to": 128 * 1024 + 1})
    yield text("half a surrogate pair as ID", "format", replace("RE1", "\\ud800E1"))
    surrogate = replace('"name":"v0"', '"name":"\\ud800"')
    yield text("half a surrogate pair as name", "format", surrogate, of=CHANGED)
    yield text("a member named with an escape", None, replace('"passport"', '"p\\u0061ssport"'))
    twice = '"passport":1,"p\\u0061ssport":1'
    yield text("twice, once with an escape", "format", replace('"passport":1', twice))
    yield text("white space", None, replace('{"passport":1,', ' \t\r\n{ "passport" : 1 ,\n'))
    space = replace('"passport":1', '"passport":\u00a01')
    yield text("white space that is none of JSON's", "format", space)
    moved = replace(f'"genesis":"{genesis}",', ""), replace("{", '{"genesis":"' + genesis + '",')
    yield text("another order of the members", None, *moved)
    yield text(
        "a member from nowhere", "format", replace('"passport":1', '"passport":1,"__proto__":{}')
    )
    alone = "kilogram_alone_in_its_block"
    yield text("an index of minus zero", None, replace('"index":0', '"index":-0'), of=alone)
