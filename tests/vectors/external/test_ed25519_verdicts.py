"""The node's one Ed25519 verifier against Wycheproof's cases and the speccheck edge cases."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from node.keys import verify

DATA = Path(__file__).parent / "data"
WYCHEPROOF: dict[str, Any] = json.loads((DATA / "wycheproof_ed25519.json").read_text())
SPECCHECK: list[dict[str, str]] = json.loads((DATA / "speccheck.json").read_text())
CASES = [
    (group["publicKey"]["pk"], case)
    for group in WYCHEPROOF["testGroups"]
    for case in group["tests"]
]


def test_every_wycheproof_case_is_here() -> None:
    assert len(CASES) == WYCHEPROOF["numberOfTests"] == 151
    assert Counter(case["result"] for _, case in CASES) == {"valid": 88, "invalid": 63}


def test_the_verifier_agrees_with_every_wycheproof_case() -> None:
    disagreed = [
        (case["tcId"], case["result"], case["flags"])
        for key, case in CASES
        if verify(*map(bytes.fromhex, (key, case["msg"], case["sig"])))
        != (case["result"] == "valid")
    ]
    assert not disagreed


def test_a_valid_signature_covers_its_key_and_its_message() -> None:
    valid = [(key, case) for key, case in CASES if case["result"] == "valid"]
    keys = {key for key, _ in valid}
    for key, case in valid:
        message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
        assert not verify(bytes.fromhex(key), message + b"\0", signature)
        other = next(each for each in sorted(keys) if each != key)
        assert not verify(bytes.fromhex(other), message, signature)


def test_the_border_between_signature_and_message_does_not_move() -> None:
    # The library takes both as one string of bytes.
    for key, case in CASES:
        if case["result"] == "valid":
            public, whole = bytes.fromhex(key), bytes.fromhex(case["sig"] + case["msg"])
            for border in {63, 65} & set(range(len(whole) + 1)):
                assert not verify(public, whole[border:], whole[:border])


def test_the_row_of_the_twelve_edge_cases_is_frozen() -> None:
    # Only case 3 is accepted: mixed-order R and A, where the equation without cofactor holds too.
    # Replicas that disagree on one of these disagree on a block.
    row = "".join(
        "V" if verify(*map(bytes.fromhex, (c["pub_key"], c["message"], c["signature"]))) else "X"
        for c in SPECCHECK
    )
    assert row == "XXXVXXXXXXXX"
