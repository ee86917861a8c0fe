"""Key files."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.keys import KeyFileError, generate, load_key, save_key, verify


def test_a_key_file_is_private_and_comes_back(tmp_path: Path) -> None:
    key = generate("validator")
    path = tmp_path / "keys" / "validator.key"
    save_key(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == key


def test_a_sealed_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    key = generate("member")
    path = tmp_path / "member.key"
    save_key(path, key, "neodymium")
    assert key.seed.hex() not in path.read_text()
    assert load_key(path, "neodymium") == key
    for wrong in (None, "praseodymium"):
        with pytest.raises(KeyFileError, match="passphrase"):
            load_key(path, wrong)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    save_key(path, generate("node"))
    with pytest.raises(KeyFileError, match="already there"):
        save_key(path, generate("node"))


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    key, other = generate("member"), generate("member")
    signature = key.sign(b"message")
    assert verify(key.public, b"message", signature)
    assert not verify(key.public, b"massage", signature)
    assert not verify(other.public, b"message", signature)
    assert not verify(key.public, b"message", signature[:-1])
