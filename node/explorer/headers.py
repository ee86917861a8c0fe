"""The headers of the explorer's answers: no foreign code, no framing, no leaking of addresses."""

from __future__ import annotations

import re

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    # No script of ours, present or future, can turn text into markup.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
FIXED = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
_PAGE = {
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


def page_headers(host: str) -> dict[str, str]:
    """The headers of an HTML page that is asked for at `host`, as its Host header names it."""
    return {**FIXED, **_PAGE, "content-security-policy": "; ".join((*_POLICY, _connect(host)))}


def _connect(host: str) -> str:
    # Not every browser takes 'self' to cover the WebSocket of the same host.
    streams = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return f"connect-src 'self'{streams}"
