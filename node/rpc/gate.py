"""Who may ask: keeps out what a hostile web page can make a browser send, and guards writes.

A page can name this node's address (any origin), or rebind its own host name to it (any Host); it
cannot send JSON's content type without a preflight, which is never granted.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from node.rpc.protocol import REFUSED, RPCError


class RequestRefusedError(RPCError):
    """A whole request that is turned away; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, code: str, message: str, **data: object) -> None:
        super().__init__(REFUSED, message, code=code, **data)
        self.status = status


class Gate:
    """The rules for a node that listens at `listen` ("host:port") with a write `token` or None.

    `hosts`: names that its operator gave it, in lower case.
    """

    def __init__(self, listen: str, token: str | None, hosts: Sequence[str] = ()) -> None:
        self._names = frozenset({urlsplit(f"//{listen}").hostname or "", "localhost"})
        self._chosen = frozenset(hosts)
        self._token = token

    def check(self, request: Request) -> None:
        """Raises RequestRefusedError unless the request may pass."""
        self.check_source(request)
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.method == "POST" and kind != "application/json":
            raise RequestRefusedError(415, "E_CONTENT_TYPE", "send Content-Type: application/json")

    def check_source(self, request: HTTPConnection) -> None:
        """Raises RequestRefusedError unless it names this node and comes from no other page."""
        host = request.headers.get("host", "")
        name = _name_of(host)
        # A name server can rebind a name, but no address and none that the operator chose.
        if not (name in self._names | self._chosen or _is_address(name)):
            raise RequestRefusedError(
                403,
                "E_HOST",
                "the Host header does not name this node by its address; "
                "rpc.hosts of its config.toml lists the names that it answers to",
            )
        if "content-length" in request.headers and "transfer-encoding" in request.headers:
            message = "send Content-Length or Transfer-Encoding, not both"
            raise RequestRefusedError(400, "E_HTTP", message)
        origin = request.headers.get("origin")
        # At a name that the operator chose, a proxy in front of the node may speak TLS.
        schemes = ("http", "https") if name in self._chosen else ("http",)
        own = [f"{scheme}://{host}".lower() for scheme in schemes]
        if origin is not None and origin.lower() not in own:
            raise RequestRefusedError(
                403, "E_HTTP_ORIGIN", "pages of another origin may not call this node"
            )

    def may_write(self, request: Request) -> bool:
        """A client on this machine may; from beyond loopback only with the token."""
        if request.client is not None and is_loopback(request.client.host):
            return True
        if self._token is None:
            return False
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, b"Bearer " + self._token.encode())


def _name_of(host: str) -> str:
    """The name or address in a Host header, in lower case; empty for what is neither."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Whether `name` is an address of this machine's loopback."""
    return _is_address(name) and ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
