"""`kilochain keys`, and where passphrases come from."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from pathlib import Path

import pytest
from one_node import run, said

from node.cli.passphrase import unlock
from node.keys import KeyFileError, PassphraseWrong, generate, load_key, save_key
from node.network.host import peer_id_of
from node.testnet import calls

OPEN = {"KILOCHAIN_PASSPHRASE": "neodymium"}


@pytest.mark.parametrize("kind", ["member", "node", "validator"])
def test_a_new_key_is_private_and_shows_its_public_part(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.key"
    made = said("keys", "new", path, "--kind", kind, "--no-passphrase")
    key = load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (made["kind"], made["public"]) == (kind, key.public.hex())
    assert made["peer_id"] == (peer_id_of(key.seed) if kind == "node" else None)
    assert said("keys", "show", path) == made


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    said("keys", "new", path, "--no-passphrase")
    before = path.read_bytes()
    again = run("keys", "new", path, "--no-passphrase")
    assert again.exit_code == 1
    assert "already there" in again.stderr
    assert path.read_bytes() == before


def test_a_sealed_key_is_shown_without_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    made = said("keys", "new", path, env=OPEN)
    assert made["passphrase"]
    assert said("keys", "show", path) == made


def test_without_a_terminal_a_new_key_says_how_to_give_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    refused = run("keys", "new", path)
    assert refused.exit_code == 1
    assert not path.exists()
    for way in ("KILOCHAIN_PASSPHRASE", "--passphrase-file", "--no-passphrase"):
        assert way in refused.stderr


def test_a_passphrase_can_be_changed_and_taken_away(tmp_path: Path) -> None:
    path, word = tmp_path / "a.key", tmp_path / "word"
    word.write_text("dysprosium\n")
    said("keys", "new", path, env=OPEN)
    said("keys", "passwd", path, "--new-passphrase-file", word, env=OPEN)
    key = load_key(path, "dysprosium")
    with pytest.raises(PassphraseWrong):
        load_key(path, OPEN["KILOCHAIN_PASSPHRASE"])
    said("keys", "passwd", path, "--passphrase-file", word, "--no-passphrase")
    assert load_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".new"] == []


def test_a_wrong_passphrase_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    said("keys", "new", path, env=OPEN)
    before = path.read_bytes()
    wrong = {"KILOCHAIN_PASSPHRASE": "praseodymium"}
    refused = run("keys", "passwd", path, "--no-passphrase", env=wrong)
    assert refused.exit_code == 1
    assert "the passphrase is wrong" in refused.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '"kind"', '{"kind": "node"}', '{"kind": "x", "public": "", "secret": ""}'],
)
def test_what_is_no_key_file_is_called_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(text)
    shown = run("keys", "show", path)
    assert shown.exit_code == 1
    assert "not a key file" in shown.stderr


def test_one_passphrase_opens_every_key_of_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILOCHAIN_PASSPHRASE", "neodymium")
    kept = [generate("node"), generate("validator"), generate("member")]
    paths = [tmp_path / f"{key.kind}.key" for key in kept]
    for path, key in zip(paths, kept, strict=True):
        save_key(path, key, None if key.kind == "member" else "neodymium")
    assert unlock(*paths) == kept


def test_a_passphrase_file_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILOCHAIN_PASSPHRASE", "wrong")
    path, word = tmp_path / "a.key", tmp_path / "word"
    key = generate("node")
    save_key(path, key, "neodymium")
    word.write_text("neodymium\r\n")
    assert unlock(path, passphrase_file=word) == [key]
    word.write_text("\n")
    with pytest.raises(KeyFileError, match="1 to"):
        unlock(path, passphrase_file=word)


def test_a_person_at_a_terminal_is_asked_and_may_mistype(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    save_key(path, generate("member"), "neodymium")
    shown = _typing(
        ["keys", "passwd", str(path), "--no-passphrase"],
        [(b"Passphrase of", b"neodimium\n"), (b"Passphrase of", b"neodymium\n")],
    )
    assert b"the passphrase is wrong" in shown
    assert b"neodymium" not in shown
    assert load_key(path).kind == "member"


def _typing(arguments: list[str], script: list[tuple[bytes, bytes]]) -> bytes:
    """Run the command on a terminal: each (prompt, answer) in turn. What it showed."""
    terminal, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "KILOCHAIN_PASSPHRASE"}
    process = subprocess.Popen(
        calls.command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    for prompt, typed in script:
        since = len(shown)
        while prompt not in shown[since:]:
            shown += os.read(terminal, 4096)
        os.write(terminal, typed)
    # How Linux tells that the other end of a terminal is closed is an error.
    with contextlib.suppress(OSError):
        while more := os.read(terminal, 4096):
            shown += more
    os.close(terminal)
    assert process.wait(60) == 0, shown
    return shown
