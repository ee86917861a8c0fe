"""Calls to a running node's RPC, and runs of the `kilochain` command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from node.testnet.errors import TestnetError
from node.testnet.limits import ARRAY_TIMEOUT_S, COMMAND_TIMEOUT_S, RPC_TIMEOUT_S


def command(*arguments: str) -> list[str]:
    """The command line of `kilochain` beside the running interpreter."""
    return [str(Path(sys.executable).parent / "kilochain"), *arguments]


def typed() -> str:
    """What a person types here to run `kilochain`: its name, or its path where the shell would not
    find it."""
    path = Path(command()[0])
    if shutil.which("kilochain"):
        return "kilochain"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def run(*arguments: str) -> str:
    """Run `kilochain` to its end and give its output. Raises TestnetError with what it said."""
    try:
        done = subprocess.run(
            command(*arguments),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TestnetError(f"kilochain {' '.join(arguments[:2])}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise TestnetError(f"kilochain {' '.join(arguments[:2])} failed: {said}")
    return done.stdout


def call(url: str, method: str, **parameters: object) -> dict[str, Any]:
    """One JSON-RPC call. Raises TestnetError: nobody answers, or the node refuses."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    try:
        answer = httpx.post(url, json=request, timeout=RPC_TIMEOUT_S).json()
    except (httpx.HTTPError, ValueError) as error:
        raise TestnetError(f"{url} does not answer: {type(error).__name__}") from None
    if not isinstance(answer, dict) or "result" not in answer:
        refusal = answer.get("error") if isinstance(answer, dict) else answer
        raise TestnetError(f"{url} refused {method}: {refusal}")
    result = answer["result"]
    return result if isinstance(result, dict) else {"result": result}


def call_many(
    url: str, method: str, parameters: Sequence[Mapping[str, object]]
) -> list[dict[str, Any]]:
    """One array of calls; the response objects in the order asked. Raises TestnetError."""
    requests = [
        {"jsonrpc": "2.0", "id": i, "method": method, "params": each}
        for i, each in enumerate(parameters)
    ]
    if not requests:
        return []
    try:
        answers = httpx.post(url, json=requests, timeout=ARRAY_TIMEOUT_S).json()
    except (httpx.HTTPError, ValueError) as error:
        raise TestnetError(f"{url} does not answer: {type(error).__name__}") from None
    if not isinstance(answers, list) or len(answers) != len(requests):
        raise TestnetError(f"{url} refused an array of {method}: {answers}")
    return sorted(answers, key=lambda answer: int(answer["id"]))


def ready(url: str) -> bool:
    """Whether the node at `url` says that it can serve."""
    try:
        return httpx.get(url + "/readyz", timeout=RPC_TIMEOUT_S).status_code == 200
    except httpx.HTTPError:
        return False
