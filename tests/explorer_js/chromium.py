"""A headless Chromium, driven by its DevTools protocol: what the browser tests need of it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
START_S_MAX = 60
WAIT_S_MAX = 60
POLL_S = 0.05
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--lang=en-US",
    "--window-size=900,1400",
)


class Tab:
    """One page. `requested`: the URL of every request that the page made."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._sent = 0
        self._answers: dict[int, trio.MemorySendChannel[dict[str, Any]]] = {}
        self.requested: list[str] = []

    async def listen(self) -> None:
        """Reads what the browser says, until cancelled."""
        while True:
            said = json.loads(await self._socket.get_message())
            if said.get("method") == "Network.requestWillBeSent":
                self.requested.append(said["params"]["request"]["url"])
            if waiting := self._answers.pop(said.get("id"), None):
                waiting.send_nowait(said)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a DevTools method."""
        self._sent += 1
        send, receive = trio.open_memory_channel[dict[str, Any]](1)
        self._answers[self._sent] = send
        message = {"id": self._sent, "method": method, "params": params}
        await self._socket.send_message(json.dumps(message))
        with trio.fail_after(WAIT_S_MAX):
            said = await receive.receive()
        assert "error" not in said, f"{method}: {said}"
        return dict(said["result"])

    async def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; promises are awaited."""
        said = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, script: str) -> Any:
        """The value of `script`, once it is neither false nor empty."""
        with trio.fail_after(WAIT_S_MAX):
            while True:
                if value := await self.evaluate(script):
                    return value
                await trio.sleep(POLL_S)

    async def open(self, url: str) -> None:
        """Goes to `url` and waits until the page says that it is ready."""
        await self.call("Page.navigate", url=url)
        await self.until("document.documentElement?.dataset.ready === 'yes'")

    async def choose(self, selector: str, *paths: Path) -> None:
        """Puts files into a file picker."""
        root = (await self.call("DOM.getDocument"))["root"]["nodeId"]
        found = await self.call("DOM.querySelector", nodeId=root, selector=selector)
        files = [str(path) for path in paths]
        await self.call("DOM.setFileInputFiles", nodeId=found["nodeId"], files=files)

    async def drop(self, *paths: Path) -> None:
        """Drags files over the middle of the window and lets them go."""
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.call("Input.dispatchDragEvent", type=kind, x=450, y=300, data=data)

    async def picture(self, path: Path) -> None:
        """A PNG of the whole page."""
        said = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        await trio.Path(path).write_bytes(base64.b64decode(said["data"]))


@asynccontextmanager
async def browser_tab(profile: Path, *more_flags: str) -> AsyncIterator[Tab]:
    """A tab of a Chromium of its own, whose profile is the empty folder `profile`."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, *more_flags, f"--user-data-dir={profile}", "about:blank"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = await trio.lowlevel.open_process(command, **silent)
    try:
        url = await _first_page(profile, process)
        async with (
            open_websocket_url(url, max_message_size=MESSAGE_BYTES_MAX) as socket,
            trio.open_nursery() as nursery,
        ):
            tab = Tab(socket)
            nursery.start_soon(tab.listen)
            for domain in ("Page", "Network", "DOM", "Runtime"):
                await tab.call(f"{domain}.enable")
            yield tab
            nursery.cancel_scope.cancel()
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _first_page(profile: Path, process: trio.Process) -> str:
    """The DevTools address of the browser's first page."""
    with trio.fail_after(START_S_MAX):
        while True:
            assert process.poll() is None, "the browser ended"
            try:
                port = int((profile / "DevToolsActivePort").read_text().splitlines()[0])
                async with httpx.AsyncClient(trust_env=False) as client:
                    said = await client.get(f"http://127.0.0.1:{port}/json/list")
                pages = [each for each in said.json() if each["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
            except (OSError, ValueError, IndexError, httpx.HTTPError):
                await trio.sleep(POLL_S)
