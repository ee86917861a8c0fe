"""Key files and Ed25519: the only module that imports nacl.

A key file is JSON {"kind", "public", "secret"} in lower-case hex, `secret` being the 32-byte seed.
With a passphrase, `secret` is replaced by `salt` and `sealed`: the seed in a SecretBox under an
Argon2id key. Files are written with mode 0600.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from nacl import bindings, pwhash, secret, utils
from nacl.exceptions import CryptoError

KINDS = ("node", "validator", "member")


class KeyFileError(Exception):
    """A key file cannot be read, written or opened; the message names the file."""


class KeyFileDamaged(KeyFileError):  # noqa: N818 - the name says what happened
    """What stands in a key file is no key, or is not the key that it says."""


class PassphraseWrong(KeyFileError):  # noqa: N818 - the name says what happened
    """The passphrase does not open the key file, or none was given."""


@dataclass(frozen=True, slots=True)
class KeyLabel:
    """What a key file says without its passphrase. `sealed`: whether it needs one."""

    kind: str
    public: bytes
    sealed: bool


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key pair. `kind`: node, validator or member; `public`, `seed`: 32 bytes each."""

    kind: str
    public: bytes
    seed: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature over `message`, 64 bytes."""
        return sign(self.seed, self.public, message)


def generate(kind: str) -> KeyFile:
    """A new random key of one of `KINDS`. Raises KeyFileError for another kind."""
    return from_seed(kind, utils.random(32))


def from_seed(kind: str, seed: bytes) -> KeyFile:
    """The key of a 32-byte seed. Raises KeyFileError for another kind or length."""
    if kind not in KINDS:
        raise KeyFileError(f"a key is one of {', '.join(KINDS)}, not {kind!r}")
    if len(seed) != 32:
        raise KeyFileError("a key's seed is 32 bytes")
    public, _ = bindings.crypto_sign_seed_keypair(seed)
    return KeyFile(kind, public, seed)


def sign(seed: bytes, public: bytes, message: bytes) -> bytes:
    """Ed25519 signature (64 bytes) of the key pair over `message`."""
    signed: bytes = bindings.crypto_sign(message, seed + public)
    return signed[:64]


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is `key`'s over `message`; never raises. Releases the GIL."""
    if len(key) != 32 or len(signature) != 64:
        return False
    try:
        bindings.crypto_sign_open(signature + message, key)
    except CryptoError:
        return False
    return True


def save_key(path: Path, key: KeyFile, passphrase: str | None = None) -> None:
    """Write a new key file with mode 0600; refuses to overwrite one. Raises KeyFileError."""
    _write_new(path, key, passphrase)
    _sync_folder(path.parent)


def replace_key(path: Path, key: KeyFile, passphrase: str | None = None) -> None:
    """Write the key over the file that holds it, whole or not at all. Raises KeyFileError."""
    fresh = path.with_name(f"{path.name}.{utils.random(8).hex()}.new")
    _write_new(fresh, key, passphrase)
    os.replace(fresh, path)
    _sync_folder(path.parent)


def _write_new(path: Path, key: KeyFile, passphrase: str | None) -> None:
    document = {"kind": key.kind, "public": key.public.hex()}
    if passphrase is None:
        document["secret"] = key.seed.hex()
    else:
        salt = utils.random(pwhash.argon2id.SALTBYTES)
        sealed = secret.SecretBox(_stretch(passphrase, salt)).encrypt(key.seed)
        document |= {"salt": salt.hex(), "sealed": bytes(sealed).hex()}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path}: a key is already there; it is never overwritten") from None
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_label(path: Path) -> KeyLabel:
    """What a key file says without its passphrase. Raises KeyFileError."""
    document = _read(path)
    return KeyLabel(document["kind"], bytes.fromhex(document["public"]), "sealed" in document)


def load_key(path: Path, passphrase: str | None = None) -> KeyFile:
    """Read a key file. Raises KeyFileError: absent, malformed; PassphraseWrong."""
    document = _read(path)
    if "sealed" in document:
        seed = _open(path, document, passphrase)
    else:
        seed = bytes.fromhex(document["secret"])
    key = from_seed(document["kind"], seed)
    if key.public.hex() != document["public"]:
        raise KeyFileDamaged(f"{path}: the public key does not belong to the secret")
    return key


def _read(path: Path) -> dict[str, str]:
    """The document of a key file, its form checked: hex of the right lengths."""
    try:
        with path.open() as file:
            document = json.loads(file.read(_FILE_CHARACTERS_MAX))
        lengths = _SEALED if "sealed" in document else _OPEN
        if set(document) != {"kind", *lengths} or document["kind"] not in KINDS:
            raise ValueError(f"kind, {', '.join(lengths)} and nothing else are expected")
        for name, length in lengths.items():
            if (
                len(bytes.fromhex(document[name])) != length
                or document[name].lower() != (document[name])
            ):
                raise ValueError(f"{name} must be {length} bytes in lower-case hex")
    except FileNotFoundError:
        raise KeyFileDamaged(f"{path}: no such key file") from None
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise KeyFileDamaged(f"{path}: not a key file ({error})") from None
    return dict(document)


_FILE_CHARACTERS_MAX = 4096
_OPEN = {"public": 32, "secret": 32}
_SEALED = {
    "public": 32,
    "salt": pwhash.argon2id.SALTBYTES,
    "sealed": 32 + secret.SecretBox.NONCE_SIZE + secret.SecretBox.MACBYTES,
}


def _open(path: Path, document: dict[str, str], passphrase: str | None) -> bytes:
    if passphrase is None:
        raise PassphraseWrong(f"{path}: this key needs its passphrase")
    box = secret.SecretBox(_stretch(passphrase, bytes.fromhex(document["salt"])))
    try:
        return bytes(box.decrypt(bytes.fromhex(document["sealed"])))
    except CryptoError:
        raise PassphraseWrong(f"{path}: the passphrase is wrong") from None


def _stretch(passphrase: str, salt: bytes) -> bytes:
    kdf = pwhash.argon2id
    return bytes(
        kdf.kdf(
            32,
            passphrase.encode(),
            salt,
            opslimit=kdf.OPSLIMIT_MODERATE,
            memlimit=kdf.MEMLIMIT_MODERATE,
        )
    )
