"""What the ledger refuses, with a stable code, the field at fault and what to do."""

from __future__ import annotations


class LedgerError(Exception):
    """`code`: E_…; `field`: the field at fault, or None."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class InvalidTransaction(LedgerError):  # noqa: N818 - the name is the fact
    """A transaction that no correct block holds."""


class InvalidBlock(LedgerError):  # noqa: N818 - the name is the fact
    """A block that no correct replica accepts."""


class InvalidIdentifier(LedgerError):  # noqa: N818 - the name is the fact
    """Text that is no kilogram or batch ID: E_ID (form) or E_CHECK (check characters)."""


class NotRegistered(LedgerError):  # noqa: N818 - the name is the fact
    """A well-formed ID that nobody registered: E_NOT_REGISTERED."""


class GenesisError(LedgerError):
    """A genesis document that cannot start a network: E_GENESIS."""


class StoreCorrupted(LedgerError):  # noqa: N818 - the name is the fact
    """What is stored is not what was written: E_CORRUPTED."""


class FormatUnknown(LedgerError):  # noqa: N818 - the name is the fact
    """The store was written in a format that this version does not read: E_FORMAT."""


class InvalidPassport(LedgerError):  # noqa: N818 - the name is the fact
    """A passport that proves nothing: E_PASSPORT. `step`: the first of its steps that fails."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__("E_PASSPORT", message, step)
        self.step = step
