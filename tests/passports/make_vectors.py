"""Writes tests/vectors/passports.json: passports, and what a verifier has to say of each.

Run it to write the file again: `.venv/bin/python tests/passports/make_vectors.py`. Keys and salts
come from names, so the bytes never differ. The steps are written down here by hand from
docs/passport.md; no verifier is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import forged_passports
import passport_mutations
from passport_world import VECTORS, World, genesis_of, payload, validator

from ledger.identifiers import format_id
from ledger.passport import Passport, encode_passport
from ledger.proofs import make_passport

ABSENT = range(200, 400)  # batch numbers that nobody registers
ABOUT = (
    "genesis: the exact text of each document. good: passports that hold under their genesis. "
    "mutated: the passport `of` after `edits` in order (set, insert or remove at a path; insert "
    "moves the later entries up), or its compact text (no white space, members in this order, "
    "letters beyond ASCII as they are) after `text` in order: replace [old, new] once, "
    "prepend_hex or append_hex bytes, pad_to a length with spaces, cut_to a length. "
    "forged: what no correct quorum agrees on. "
    "step: the first that fails, null where all hold; genesis: another document than the good one's"
)


def worlds() -> dict[str, World]:
    """The chains, by the name of their genesis."""
    found = {name: World.of(genesis_of(n)) for name, n in (("n4", 4), ("n1", 1), ("n7", 7))}
    for name, world in found.items():
        world.register(1)
        world.register(*range(2, 15))
        world.register(*range(15, 30) if name == "n4" else (15,))
    found["changed"] = _changed()
    return found


def _changed() -> World:
    world = World.of(genesis_of(4, "changing"))
    world.register(1)
    five = [validator(f"v{i}") for i in range(5)]
    world.add([world.transaction(payload(2))], following=five)
    world.register(3, 4, 5)
    world.add([world.transaction(payload(6))], following=five[1:])
    world.register(7, 8)
    return world


def _absent(world: World, other: bool) -> str:
    """An ID of no batch whose way in the state tree ends at another entry, or at none."""
    for number in ABSENT:
        passport = make_passport(world, format_id("K77G", number, 1))
        assert passport.state
        if (passport.state.other is not None) == other and len(passport.state.siblings) > 2:
            return passport.id
    raise AssertionError("no such ID: register more batches")


def good(chains: dict[str, World]) -> Iterator[tuple[str, str, Passport]]:
    """Name, genesis and passport of each."""

    def one(name: str, genesis: str, text: str, current: bool = False) -> Any:
        return name, genesis, make_passport(chains[genesis], text, current)

    def kilogram(number: int, serial: int) -> str:
        return format_id("K77G", number, serial)

    yield one("kilogram", "n4", kilogram(5, 1))
    yield one("kilogram_current", "n4", kilogram(5, 2), current=True)
    yield one("kilogram_alone_in_its_block", "n4", kilogram(1, 1))
    yield one("last_kilogram", "n4", kilogram(14, 3))
    yield one("batch", "n4", kilogram(2, 0))
    yield one("batch_current", "n4", kilogram(14, 0), current=True)
    yield one("absent_other_entry", "n4", _absent(chains["n4"], other=True))
    yield one("absent_empty", "n4", _absent(chains["n4"], other=False))
    yield one("absent_batch", "n4", format_id("S3PA", 5, 0))
    yield one("absent_of_no_member", "n4", format_id("ZZZZ", 33_554_431, 1_048_575))
    yield one("beyond_the_batch", "n4", kilogram(5, 4))
    yield one("beyond_the_batch_current", "n4", kilogram(5, 1_048_575), current=True)
    yield one("n1", "n1", kilogram(5, 1), current=True)
    yield one("n7", "n7", kilogram(5, 1), current=True)
    yield one("n7_absent", "n7", kilogram(500, 1))
    yield one("before_the_changes", "changed", kilogram(1, 1))
    yield one("in_the_changing_block", "changed", kilogram(2, 1))
    yield one("between_the_changes", "changed", kilogram(4, 1))
    yield one("after_the_changes", "changed", kilogram(7, 1))
    yield one("before_the_changes_current", "changed", kilogram(1, 1), current=True)
    yield one("between_the_changes_current", "changed", kilogram(4, 3), current=True)
    yield one("absent_after_the_changes", "changed", kilogram(500, 1))


def document() -> dict[str, Any]:
    """The whole file."""
    chains = worlds()
    found = [
        {"name": name, "genesis": genesis, "passport": json.loads(encode_passport(passport))}
        for name, genesis, passport in good(chains)
    ]
    by_name = {each["name"]: each["passport"] for each in found}
    return {
        "about": ABOUT,
        "genesis": {name: world.genesis.data.decode() for name, world in chains.items()},
        "good": found,
        "mutated": list(passport_mutations.mutations(by_name)),
        "forged": list(forged_passports.forged()),
    }


def text() -> str:
    """The file's text: one passport or mutation a line."""
    parts = []
    for name, value in document().items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in value)
            parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    VECTORS.write_text(text())
