"""What the explorer asks of the node that serves it."""

from __future__ import annotations

from typing import Any, Protocol


class Refused(Exception):  # noqa: N818 - the name says what happened
    """A call that the node refused: `code` is the stable name (E_…), the message is for people."""

    def __init__(self, code: str, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data or {"code": code}

    def as_json(self) -> dict[str, Any]:
        """The error in JSON form: message and data, as JSON-RPC gives them."""
        return {"error": {"message": str(self), "data": self.data}}


class Source(Protocol):
    """The node's read calls."""

    async def ask(self, method: str, **parameters: object) -> Any:
        """The result of one call. Raises Refused."""
