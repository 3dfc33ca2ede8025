"""What soft refusals led to, on the page of the report: its numbers are those of the JSON."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lab.browser import LOOKS, Browser, Look
from lab.gate import CLIENT, Gate
from lab.site import program_from_environment

NAMELESS = "2001:db8:bad::1"
PARTNER = "2001:db8:7::1"
IPV4 = "192.0.2.7"

SOFT = """\
mode = "soft"
[[stage]]
name = "partners"
mode = "soft"
networks = ["2001:db8:7::/48"]
[fallback]
window = "1d"
[store]
url = "sqlite:{folder}/sixgate.db"
"""


def report(gate: Gate, *words: str) -> str:
    command = [str(gate.sixgate.program), "report", "--config", str(gate.sixgate.configuration), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def told(gate: Gate, **numbers: int) -> dict[str, Any]:
    """The JSON once it has these numbers in all, which the daemon writes soon after."""
    deadline = time.monotonic() + 10
    while True:
        fallback: dict[str, Any] = json.loads(report(gate, "--json"))["fallback"]
        if {key: count(fallback["total"], key) for key in numbers} == numbers:
            return fallback
        assert time.monotonic() < deadline, fallback
        time.sleep(0.1)


def count(row: dict[str, Any], key: str) -> int:
    value = row[key]
    return int(value["messages"] if isinstance(value, dict) else value)


def send(gate: Gate, content: bytes, *clients: str) -> list[str]:
    """One message, from wherever it comes."""
    return [gate.send(content, client=client).codes for client in clients]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    with Gate(program_from_environment("dev")) as gate:
        gate.start(SOFT.format(folder=gate.folder))
        put_off = "450 4.7.25"
        assert send(gate, gate.message().content, NAMELESS, NAMELESS, IPV4) == [put_off, put_off, "250"]
        assert send(gate, gate.message().content, PARTNER, IPV4) == [put_off, "250"]
        assert send(gate, gate.message().content, NAMELESS, CLIENT) == [put_off, "250"]
        assert send(gate, gate.message().content, PARTNER) == [put_off]
        fallback = told(gate, messages=4, attempts=5, ipv4=2, mended=1, open=1)
        page = tmp_path_factory.mktemp("fallback") / "report.html"
        report(gate, "--html", str(page))
    return fallback, page


def test_every_number_is_that_of_the_json(browser: Browser, filled: tuple[dict[str, Any], Path]) -> None:
    fallback, page = filled
    browser.open(page)
    total = fallback["total"]
    assert [(row[0], int(row[1])) for row in browser.table("fates")] == [
        (name, count(total, key))
        for name, key in (
            ("came back over IPv4", "ipv4"),
            ("came back mended", "mended"),
            ("came back and were let through", "let_through"),
            ("refused for good in the end", "refused"),
            ("not seen here again", "not_seen"),
            ("still open", "open"),
        )
    ]
    shares = [row[2] for row in browser.table("fates")]
    assert shares == ["50.0%", "25.0%", "0.0%", "0.0%", "0.0%", "25.0%"]
    for table, rows, name in (
        ("fallback-stages", fallback["stages"], "stage"),
        ("fallback-domains", fallback["sender_domains"], "domain"),
    ):
        keys = ("messages", "ipv4", "mended", "refused", "not_seen", "open")
        assert [(row[0], *map(int, row[1:7])) for row in browser.table(table)] == [
            (row[name], *(count(row, key) for key in keys)) for row in rows
        ]
    assert {row["stage"] for row in fallback["stages"]} == {"partners", "default"}
    assert "4 messages, each counted for each of its recipients" in browser.text("section[aria-labelledby=fallback]")


def test_delays_are_there_where_something_came_back(
    browser: Browser, filled: tuple[dict[str, Any], Path]
) -> None:
    browser.open(filled[1])
    for row in browser.table("fates"):
        assert (row[3] == "-", row[4] == "-") == (row[1] == "0" or row[0] == "still open",) * 2, row


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_everybody_can_read_it(browser: Browser, filled: tuple[dict[str, Any], Path], look: Look) -> None:
    browser.open(filled[1], look)
    assert browser.violations() == []
    assert browser.overflow() <= 0
