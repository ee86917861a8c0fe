"""RFC 9162 trees: roots and inclusion verdicts that an independent implementation gave."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from ledger import merkle

VECTORS = json.loads((Path(__file__).parent / "data" / "merkle_proofs.json").read_text())
Case = tuple[str, int, int, bytes, bytes, list[bytes], bool]
CASES: list[Case] = [
    (what, index, size, bytes.fromhex(entry), bytes.fromhex(root), [*map(bytes.fromhex, path)], ok)
    for what, index, size, entry, root, path, ok in VECTORS["inclusion"]
]
# The root does not name the tree's size: a path of the same shape fits two sizes.
OF_ANOTHER_SIZE = {"size + 1", "size - 1", "size doubled", "size halved"}


def verdict(case: Case) -> bool:
    _, index, size, entry, root, path, _ = case
    return merkle.verify_inclusion(entry, index, size, path, root)


def test_every_case_is_here() -> None:
    assert len(VECTORS["roots"]) == 9
    assert Counter(ok for *_, ok in CASES) == {True: 75, False: 921}
    assert sum(what == "sound" for what, *_ in CASES) == 49
    assert len({what for what, *_ in CASES}) == 31


def test_the_roots_of_the_nine_published_trees() -> None:
    for entries, root in VECTORS["roots"]:
        assert merkle.root([bytes.fromhex(entry) for entry in entries]).hex() == root


def test_every_verdict_is_the_same() -> None:
    assert not [case[:3] for case in CASES if verdict(case) != case[6]]


def test_every_sound_proof_is_accepted_and_every_mutated_one_refused() -> None:
    for case in CASES:
        if case[0] == "sound":
            assert verdict(case)
        elif case[0] not in OF_ANOTHER_SIZE:
            assert not verdict(case), case[:3]


def test_the_proofs_we_make_are_the_same_ones() -> None:
    published = [bytes.fromhex(entry) for entry in VECTORS["roots"][-1][0]]
    made = 0
    for what, index, size, _, root, path, _ in CASES:
        if what == "sound":
            entries = published if size <= len(published) else [bytes([i]) for i in range(size)]
            assert merkle.root(entries[:size]) == root
            assert merkle.inclusion_proof(entries[:size], index) == path
            made += 1
    assert made == 49
