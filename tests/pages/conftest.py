"""What sixgate shows to a browser, looked at by one: Chromium, and axe-core for whoever does not see it.

The program is SIXGATE, or build/dev/sixgate.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.browser import Browser  # noqa: E402
from lab.fixtures import gate  # noqa: E402, F401
from lab.month import Host, month_before  # noqa: E402
from lab.month_site import MonthSite  # noqa: E402
from lab.site import program_from_environment  # noqa: E402

# What strangers may call their hosts, to take over the page, or to look like another part of it. In DNS a name has any
# octets; these are written as Latin-1.
HOSTILE_NAMES = (
    "<script>document.title='taken'</script>.example",
    "\"onmouseover='document.title=1'.example",
    "</table></main><img src=x onerror=document.title=1>.example",
    "&lt;b&gt;.&amp.example",
    "{{total}}{{{style}}}.example",
    "\u202eelpmaxe\u202d.example".encode().decode("latin-1"),
    ".".join(letter * 60 for letter in "abc") + ".example",
)


@dataclass(frozen=True)
class HostileHost(Host):
    """Its name stands in HELO and, where it has one, in its PTR record, which leads elsewhere."""

    hostile: str = ""

    @property
    def name(self) -> str:
        return self.hostile

    @property
    def mail_from(self) -> str:
        return "" if self.fault == "no ptr" else f"sender@{self.domain}"


def hostile_hosts() -> list[Host]:
    return [
        HostileHost(f"h{number}.example", f"2001:db8:666:{number}{place}::1", fault, hostile=name)
        for number, name in enumerate(HOSTILE_NAMES)
        for place, fault in enumerate(("no ptr", "ptr elsewhere"))
    ]


@dataclass
class FilledJournal:
    site: MonthSite
    today: Path  # configuration that observes
    candidate: Path  # that enforces for some, and observes the rest

    def json(self, *words: str) -> dict[str, Any]:
        return json.loads(self._report(*words, "--json"))

    def page(self, name: str, *words: str) -> Path:
        file = self.site.folder / name
        assert self._report(*words, "--html", str(file)) == ""
        return file

    def _report(self, *words: str) -> str:
        return self.site.command("report", "--journal-of", str(self.today), "--since", "31d", *words)


_STAGES = """\
mode = "observe"
[[stage]]
name = "partners"
networks = ["2001:db8:1000::/38"]
mode = "enforce"
"""


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> FilledJournal:
    """A month of mail, as the program has judged and journalled it; the hostile are among the first."""
    month = month_before(domains=25, count=300)
    month.hosts += hostile_hosts()
    site = MonthSite(program_from_environment("dev"), tmp_path_factory.mktemp("journal"), month)
    with site.running('mode = "observe"'):
        site.send(month)
    return FilledJournal(site, site.write("today.toml", 'mode = "observe"'), site.write("candidate.toml", _STAGES))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with Browser() as browser_:
        yield browser_
