"""Open pages in a headless Chromium, where the machine has one, and read what they came to."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ANSWER = re.compile(r'<pre id="answer">(.*?)</pre>', re.DOTALL)


@dataclass(frozen=True)
class Seen:
    """What a browser made of a page: its DOM, the errors on its console, the addresses it asked for, a script's answer."""

    dom: str
    errors: list[str]
    asked: list[str]
    answer: Any


def browse(page: Path, folder: Path, *, address: str = "", script: str = "") -> Seen:
    """
    Open a page and run a script in it, once it is ready.

    Parameters
    ----------
    page : Path
        A file.
    folder : Path
        For a copy of the page with the script, the log, and the browser's own files.
    address : str
        What follows ``#``.
    script : str
        Body of an async function; what it returns is the answer. Empty: the page stays as it is.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser on this machine, looked for {', '.join(PROGRAMS)}")
    opened = page
    if script:
        opened = folder / "scripted.html"
        waited = (
            "<script>(async () => { const out = document.createElement('pre'); out.id = 'answer'; try {"
            "for (let i = 0; i < 400 && window.explorer === undefined; i++) await new Promise((r) => setTimeout(r, 25));"
            f"out.textContent = JSON.stringify(await (async () => {{ {script} }})());"
            "} catch (fault) { console.error(fault); out.textContent = 'null'; } document.body.append(out); })();</script>"
        )
        opened.write_text(page.read_text(encoding="utf-8").replace("</body>", waited + "</body>"), encoding="utf-8")
    log = folder / "net.json"
    line = [
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
        *(f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--enable-logging=stderr"),
        *("--virtual-time-budget=20000", "--dump-dom", f"{opened.as_uri()}#{address}"),
    ]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=True, env=environment)
    errors = [text for text in done.stderr.splitlines() if re.search(r"(ERROR|WARNING):CONSOLE|Uncaught", text)]
    found = ANSWER.search(done.stdout)
    answer = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) if found else None
    asked = [each for each in _addresses(log) if not each.startswith(("data:", "file:", "blob:", "chrome"))]
    return Seen(done.stdout, errors, asked, answer)


def _addresses(log: Path) -> list[str]:
    """Return what pages asked for; what the browser itself asks for belongs to no page's site."""
    text = log.read_text(encoding="utf-8", errors="replace")
    found = re.findall(r'"site_for_cookies":"SiteForCookies: \{site=file:[^"]*","url":"([^"]+)"', text)
    return list(dict.fromkeys(found))
