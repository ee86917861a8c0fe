"""Vendored files are those that their authors published, and their licences are beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "node" / "explorer" / "static" / "vendor"

# SHA-256 of the files in @noble/ed25519 3.2.0 and @noble/hashes 2.4.0 as published.
PUBLISHED = {
    "noble/LICENSE-ed25519": ("394c2e6e5552e5dba202bee6390b9d6aa2754d657f5b9869e83b3d265a315501"),
    "noble/LICENSE-hashes": ("4f221aee6e072336700c408c68ab3b96a3fc09f6aebe6f48f1bd99e5ef13faec"),
    "noble/_md.js": ("60cf3010fda89e3e4d3f0e7ff1ce249e9c467f34b4fd41b6fd6101d9f69be763"),
    "noble/_u64.js": ("b09da8c07fe8187c07649494cdb7cd0bcf13df90b506a9473d19e4d5f8c2e102"),
    "noble/ed25519.js": ("a4f631d1876b5d9e43a86cd71194ca27b5e1451edf4ba4db9a418f40a475569a"),
    "noble/sha2.js": ("471746bba6ec4c6238ca41358d1d3b40b6ff31cf3363f0b4d550c649c1a8e83b"),
    "noble/utils.js": ("037ad49adb78168b6b699598fd33f85f7877456b1d28b4d032e2a1a16807947c"),
}


def test_vendored_files_are_as_published() -> None:
    here = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.glob("noble/*")
    }
    assert here == PUBLISHED


def test_every_vendored_package_has_its_licence_and_version_noted() -> None:
    noted = (VENDOR / "README.md").read_text()
    for words in ("`@noble/ed25519` 3.2.0", "`@noble/hashes` 2.4.0", "MIT"):
        assert words in noted
    for licence in VENDOR.glob("noble/LICENSE-*"):
        assert "Permission is hereby granted" in licence.read_text()
        assert licence.relative_to(VENDOR).as_posix() in noted
