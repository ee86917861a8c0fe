"""`rpc.discover`: an OpenRPC document made of the table of methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from node.rpc.context import software_version
from node.rpc.methods import Method

_REFERENCE = "#/components/schemas/{name}"
_SUMMARY = "This document: every method with its parameters, result and an example."


def describe(methods: Sequence[Method]) -> dict[str, Any]:
    """The OpenRPC 1.3 document of these methods and of `rpc.discover` itself."""
    asked, components = msgspec.json.schema_components(
        [kind for method in methods for kind in (method.parameters, method.result)],
        ref_template=_REFERENCE,
    )
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "Kilochain node",
            "version": software_version(),
            "description": "JSON-RPC 2.0 over POST /. Every error has data.code (E_…), and where "
            "it applies data.field and data.retry_after_ms.",
        },
        "methods": [
            *(_method(each, components, asked[2 * i + 1]) for i, each in enumerate(methods)),
            {
                "name": "rpc.discover",
                "summary": _SUMMARY,
                "params": [],
                "result": {"name": "document", "schema": {"type": "object"}},
            },
        ],
        "components": {"schemas": components},
    }


def parameters_of(method: Method) -> list[dict[str, Any]]:
    """Name, description, schema and whether required, of each parameter in order."""
    schema = msgspec.json.schema_components([method.parameters], ref_template=_REFERENCE)[1]
    return _parameters(method, schema)


def _method(method: Method, components: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    example = {
        "name": "example",
        "params": [{"name": key, "value": value} for key, value in method.given.items()],
        "result": {"name": "result", "value": msgspec.to_builtins(method.shown)},
    }
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": _parameters(method, components),
        "result": {"name": "result", "schema": result},
        "examples": [example],
    }


def _parameters(method: Method, components: dict[str, Any]) -> list[dict[str, Any]]:
    schema = components[method.parameters.__name__]
    return [
        {
            "name": name,
            "description": inner.get("description", ""),
            "required": name in schema["required"],
            "schema": inner,
        }
        for name, inner in schema["properties"].items()
    ]
