"""A page in headless Chromium, looked at through the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import aiohttp

from tests.support.servers.browser import PROGRAM, QUIET
from tests.support.waiting import eventually

_Told = TypeVar("_Told")
_PATIENCE_S = 60


@dataclass
class Tab:
    """One tab; what it complains of and asks for is collected."""

    socket: aiohttp.ClientWebSocketResponse
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _number: int = 0
    _loaded: bool = False

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its answer; what happens meanwhile is noted."""
        self._number += 1
        number = self._number
        await self.socket.send_json({"id": number, "method": method, "params": params})
        while True:
            told = await self._next()
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    async def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self._loaded = False
        await self.call("Page.navigate", url=url)
        while not self._loaded:
            await self._next()

    async def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    async def point_at(self, x: float, y: float) -> None:
        await self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    async def sized(self, width: int, height: int = 900) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def media(self, **features: str) -> None:
        """Such as prefers-color-scheme, with _ for -; the medium is the screen unless it is named."""
        medium = features.pop("medium", "screen")
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        await self.call("Emulation.setEmulatedMedia", media=medium, features=named)

    async def _next(self) -> dict[str, Any]:
        told: dict[str, Any] = await self.socket.receive_json(timeout=_PATIENCE_S)
        match told.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(told["params"]["exceptionDetails"]))
            case "Log.entryAdded":
                self.errors.append(str(told["params"]["entry"]))
            case "Runtime.consoleAPICalled":
                self.errors.append(str(told["params"]["args"]))
        return told


def in_browser(look: Callable[[Tab], Awaitable[_Told]], folder: Path) -> _Told:
    """Start a browser, have one tab looked at, and end the browser."""

    async def looked() -> _Told:
        async with _tab(folder) as tab:
            return await look(tab)

    return asyncio.run(looked())


@asynccontextmanager
async def _tab(folder: Path) -> AsyncIterator[Tab]:
    assert PROGRAM is not None
    profile = folder / "profile"
    command = [PROGRAM, *QUIET, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    with TemporaryDirectory(ignore_cleanup_errors=True) as short, (folder / "browser.log").open("wb") as log:
        browser = subprocess.Popen(  # noqa: ASYNC220 (nothing else is going on)
            command,
            env={**os.environ, "HOME": str(folder), "TMPDIR": short},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            port = eventually(lambda: _port(profile / "DevToolsActivePort"), _PATIENCE_S)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    target = next(each for each in await answer.json() if each["type"] == "page")
                async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    tab = Tab(socket)
                    for domain in ("Page", "Runtime", "Log", "Network"):
                        await tab.call(f"{domain}.enable")
                    yield tab
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()


def _port(file: Path) -> int | None:
    lines = file.read_text().splitlines() if file.exists() else []
    return int(lines[0]) if len(lines) > 1 else None
