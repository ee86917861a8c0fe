"""The two verifiers of passports, which share no code, agree on passports changed at random."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from node_runner import NODE, needs_node

from ledger.codec import digest
from ledger.identifiers import parse_id
from ledger.passport_verifier import verify_passport
from node.keys import verify

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE.parent / "vectors" / "passports.json").read_text())
CHANGES_OF_ONE = {"WebCrypto": 100, "noble": 12}  # random changes of each good passport
RUN_S_MAX = 540

Case = tuple[bytes, bytes]


def changed(data: bytes, chance: random.Random) -> bytes:
    """One byte replaced, left out, doubled or swapped with its neighbour; or a bit flipped."""
    at = chance.randrange(len(data))
    before, byte, after = data[:at], data[at], data[at + 1 :]
    match chance.randrange(6):
        case 0:
            return before + bytes([chance.randrange(256)]) + after
        case 1:
            return before + bytes([byte ^ (1 << chance.randrange(8))]) + after
        case 2:
            return before + after
        case 3:
            return before + bytes([byte, byte]) + after
        case 4:
            return before + after[:1] + bytes([byte]) + after[1:]
    # A character of the same kind keeps the form and reaches the later steps.
    for alphabet in (
        b"0123456789abcdef",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/",
    ):
        if byte in alphabet:
            return before + bytes([chance.choice(alphabet)]) + after
    return before + bytes([chance.choice(b'"{}[],: 019aA')]) + after


def cases(changes: int) -> list[Case]:
    """(genesis document, passport file) of each good passport and of its random changes."""
    chance = random.Random(20_261_125)
    found = []
    for each in VECTORS["good"]:
        document = VECTORS["genesis"][each["genesis"]].encode()
        data = json.dumps(each["passport"], ensure_ascii=False, separators=(",", ":")).encode()
        found += [(document, data)]
        found += [(document, changed(data, chance)) for _ in range(changes)]
    return found


def python_says(document: bytes, data: bytes) -> str:
    verdict = verify_passport(data, document, verify)
    return "holds" if verdict.failed is None else verdict.failed.name


def javascript_says(crypto: str, given: list[Case]) -> list[str]:
    assert NODE is not None
    lines = "".join(
        json.dumps(
            {"genesis": base64.b64encode(g).decode(), "passport": base64.b64encode(p).decode()}
        )
        + "\n"
        for g, p in given
    )
    ran = subprocess.run(
        [NODE, "--no-warnings", str(HERE / "verdicts.mjs"), crypto],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        timeout=RUN_S_MAX,
    )
    return ran.stdout.split()


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("crypto", CHANGES_OF_ONE)
def test_both_verifiers_give_the_same_verdict_at_the_same_step(crypto: str) -> None:
    given = cases(CHANGES_OF_ONE[crypto])
    ours = [python_says(*case) for case in given]
    theirs = javascript_says(crypto, given)
    differ = [
        (python, javascript, data)
        for (_, data), python, javascript in zip(given, ours, theirs, strict=True)
        if python != javascript
    ]
    assert not differ, f"{len(differ)} of {len(given)}: {differ[0]}"
    said = Counter(ours)
    assert said["holds"] >= len(VECTORS["good"])
    assert {"format", "agreement", "identity"} <= said.keys()


def own_absences() -> list[Case]:
    """Each current passport of a registration, turned to say that its own entry is another's."""
    found = []
    for each in VECTORS["good"]:
        state = each["passport"].get("state")
        if state is None or state["value"] is None:
            continue
        identifier = parse_id(each["passport"]["id"])
        key = batch_key(identifier.producer, identifier.batch_no)
        value = base64.b64decode(state["value"])
        other = {
            "path": digest("kilochain/state-key/1", key).hex(),
            "value_digest": hashlib.sha256(value).hexdigest(),
        }
        forged = {k: v for k, v in each["passport"].items() if k not in ("record", "registration")}
        forged |= {"claim": "not_registered", "state": {**state, "value": None, "other": other}}
        document = VECTORS["genesis"][each["genesis"]].encode()
        found.append((document, json.dumps(forged).encode()))
    return found


def batch_key(producer: str, batch_no: int) -> bytes:
    return b"batch/" + producer.encode() + batch_no.to_bytes(4, "big")


@needs_node
def test_neither_verifier_takes_an_entry_for_the_proof_of_its_own_absence() -> None:
    given = own_absences()
    assert len(given) >= 3
    assert [python_says(*case) for case in given] == ["state"] * len(given)
    for crypto in CHANGES_OF_ONE:
        assert javascript_says(crypto, given) == ["state"] * len(given)
