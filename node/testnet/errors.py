"""What goes wrong with a testnet, said so that a person can act on it."""

from __future__ import annotations


class TestnetError(Exception):
    """A testnet command is refused or failed; the message says what to do next."""

    __test__ = False
