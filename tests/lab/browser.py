"""Chromium without a window, driven by Selenium, and axe-core in it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from .axe import axe_source

WIDE = (1280, 900)
PHONE = (390, 844)


@dataclass(frozen=True)
class Look:
    """How a reader has a page before them."""

    size: tuple[int, int] = WIDE
    scheme: str = "light"
    medium: str = "screen"

    def __str__(self) -> str:
        return f"{'phone' if self.size == PHONE else 'wide'}-{self.scheme}"


LOOKS = [Look(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")]


class Browser:
    """One page at a time, from a file. What it asks the network for is kept."""

    def __init__(self, has_script: bool = True) -> None:
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        # Root's Chromium has no sandbox, and the /dev/shm of a container little room.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(argument)
        if not has_script:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self._driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exception: object) -> None:
        self._driver.quit()

    def open(self, page: Path, look: Look = Look(), query: str = "") -> Browser:
        self._call(
            "Emulation.setEmulatedMedia",
            media=look.medium,
            features=[{"name": "prefers-color-scheme", "value": look.scheme}],
        )
        width, height = look.size
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        self._driver.get_log("performance")
        self._driver.get_log("browser")
        self._driver.get("about:blank")  # or another fragment alone would load nothing
        self._driver.get(page.as_uri() + query)
        return self

    def run(self, script: str, *arguments: object) -> Any:
        return self._driver.execute_script(script, *arguments)

    def requests(self) -> list[str]:
        """The addresses that were asked for since open(), the page itself left out."""
        events = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent if one["type"] != "Document"]

    def complaints(self) -> list[str]:
        """What the console says since open(): also what the page's policy has stopped."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def table(self, name: str) -> list[list[str]]:
        """The cells of the rows of a table's bodies, as text, by the id of the table."""
        return self.run(
            "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
            ".map(row => [...row.cells].map(cell => cell.textContent.trim()))",
            name,
        )

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent.trim()", selector))

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.run("return document.documentElement.scrollWidth - window.innerWidth"))

    def violations(self) -> list[str]:
        """What axe-core finds: the rule, and the elements that break it."""
        self.run(axe_source())
        found = self._driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then(done, error => done({error: String(error)}))"
        )
        assert "error" not in found and found["passes"], found
        return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found["violations"]]

    def picture(self, file: Path, whole: bool = True) -> None:
        taken = self._call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(taken["data"]))

    def pdf(self, file: Path) -> None:
        """As it is printed on A4, with the colours of the page, by who reads it in light."""
        self._call("Emulation.setEmulatedMedia", media="")
        printed = self._call(
            "Page.printToPDF", printBackground=True, preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69
        )
        file.write_bytes(base64.b64decode(printed["data"]))

    def _call(self, command: str, **arguments: object) -> dict[str, Any]:
        return self._driver.execute_cdp_cmd(command, arguments)
