"""Drives a headless Chromium through its debugging pipe: opens a page, runs scripts, clicks, types, takes pictures.

Nothing but the browser is needed; what it prints and does belongs to a folder of its own.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ABOVE = 10
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
"""A browser reads its orders from descriptor 3 and answers on 4; ours lie above `ABOVE`, so that none is in the way."""
PATIENCE = 60.0  # seconds for an answer
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Home": 36, "Tab": 9}


class BrowserError(RuntimeError):
    """The browser did not answer, or a script in the page failed."""


def program() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Chromium:
    """A browser with one page; a context that ends it.

    Parameters
    ----------
    width, height : int
        Of the window [CSS pixels].
    """

    def __init__(self, width: int = 1300, height: int = 1000) -> None:
        found = program()
        if found is None:
            raise BrowserError(f"no browser on this machine, looked for {', '.join(PROGRAMS)}")
        self.folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        pipes = (*os.pipe(), *os.pipe())
        to_read, self.to, self.answers, to_write = (fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, ABOVE) for each in pipes)
        for each in pipes:
            os.close(each)
        line = [
            *(found, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
            *(f"--user-data-dir={self.folder.name}", f"--window-size={width},{height}", "--remote-debugging-pipe"),
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", LAUNCH, str(to_read), str(to_write), *line, "about:blank"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder.name},
        )
        os.close(to_read)
        os.close(to_write)
        self.number, self.rest, self.session = 0, b"", ""
        self.errors: list[str] = []
        self.asked: list[str] = []
        targets = self.order("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        self.session = self.order("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.order(f"{domain}.enable")

    def __enter__(self) -> Chromium:
        """Return the browser."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and remove its folder."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.answers)
        self.folder.cleanup()

    def order(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one order of the DevTools protocol and return its result; what happens meanwhile is noted."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self.number:
                if "error" in told:
                    raise BrowserError(f"{method}: {told['error']['message']}")
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def open(self, address: str) -> None:
        """Open a page, and wait until the explorer in it is ready."""
        self.order("Page.navigate", url=address)
        self.wait("document.documentElement?.dataset.ready === 'yes'")

    def run(self, script: str) -> Any:
        """Return what the body of an async function returns in the page."""
        told = self.order(
            "Runtime.evaluate", expression=f"(async () => {{ {script} }})()", awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise BrowserError(str(told["exceptionDetails"].get("exception", {}).get("description", "a script failed")))
        return told["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({expression});"):
            if time.monotonic() > deadline:
                raise BrowserError(f"not within {PATIENCE:g} s: {expression}; errors {self.errors}")
            time.sleep(0.02)

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window [CSS pixels]."""
        self._mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self._mouse(kind, x, y, button="left", clickCount=1, buttons=int(kind == "mousePressed"))

    def drag(self, places: list[tuple[float, float]]) -> None:
        """Press at the first place, move over the others, and let go at the last."""
        self._mouse("mousePressed", *places[0], button="left", clickCount=1, buttons=1)
        for place in places[1:]:
            self._mouse("mouseMoved", *place, button="left", buttons=1)
        self._mouse("mouseReleased", *places[-1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press a key by its name in `KEYS`."""
        for kind in ("rawKeyDown", "keyUp"):
            self.order("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key])

    def picture(self, file: Path) -> None:
        """Write the whole page as PNG."""
        size = self.order("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        told = self.order("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(told["data"]))

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.order("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], PATIENCE)[0]:
                raise BrowserError(f"no answer within {PATIENCE:g} s")
            read = os.read(self.answers, 1 << 20)
            if not read:
                raise BrowserError("the browser has ended")
            self.rest += read
        first, _, self.rest = self.rest.partition(b"\0")
        told: dict[str, Any] = json.loads(first)
        return told

    def _note(self, told: dict[str, Any]) -> None:
        """Keep errors of the console and every address that was asked for."""
        method, what = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.errors.append(str(details.get("exception", {}).get("description", details["text"])))
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
            self.errors.append(" ".join(str(each.get("value", each.get("description"))) for each in what["args"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.errors.append(what["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(what["request"]["url"])
