"""The report as a page: its numbers are those of the JSON, everybody can read it, and nobody can take it over."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import FilledJournal

from lab.browser import LOOKS, Browser, Look

Rows = list[dict[str, Any]]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def percent(part: int, whole: int) -> str:
    """What is not nothing never reads 0.0%, and what is not all never 100.0%."""
    tenths = round(1000 * part / whole)
    if 0 < part < whole:
        tenths = min(max(tenths, 1), 999)
    return f"{tenths / 10:.1f}%"


def name_of(row: dict[str, Any]) -> str:
    return f"<> {row['domain']}" if row["null_path"] else row["domain"] or "(no domain)"


def refused(rows: Rows) -> Rows:
    return [row for row in rows if row["refused"]]


@pytest.fixture(scope="module")
def page(filled: FilledJournal) -> Path:
    return filled.page("report.html", "--limit", "1000")


@pytest.mark.parametrize("words", [[], ["--config"]], ids=["today", "candidate"])
def test_every_number_is_that_of_the_json(filled: FilledJournal, browser: Browser, words: list[str]) -> None:
    words = [*words, str(filled.candidate)] if words else []
    told = filled.json(*words)
    browser.open(filled.page("numbers.html", "--limit", "1000", *words))
    total = told["total"]
    assert total["refused"] > 20 and total["temporary"] > 0

    parts = {name: number(count) for name, count, _ in browser.table("parts")}
    spared = total["falling_short"] - total["refused"]
    assert parts == {
        "pass": total["passing"],
        "would be refused": total["refused"],
        "temporary errors": total["temporary"],
        **({"fall short, and pass": spared} if spared else {}),
        **({"exempt": total["exempt"]} if total["exempt"] else {}),
    }
    known = total["messages"] - total["unknown"]
    assert number(browser.text("#parts tfoot td")) == known
    shares = {name: share for name, _, share in browser.table("parts")}
    assert shares == {name: percent(count, known) for name, count in parts.items()}
    assert browser.text("#pass") == shares["pass"]
    assert browser.text("#standing") == f"{shares['would be refused']} of the mail would be refused"
    assert [[number(cell) for cell in row[1:]] for row in browser.table("answers")] == [
        [total["answered"][answer], total["foretold"][answer]] for answer in ("accepted", "tempfailed", "rejected")
    ]
    for place, key in (("refused", "refused"), ("refused-domains", "refused_sender_domains")):
        assert number(browser.text(f"#{place}")) == total[key]
    assert number(browser.text("#refused-recipients")) == total["refused_recipients"]
    check_tables(told, browser)


def check_tables(told: dict[str, Any], browser: Browser) -> None:
    assert [
        (row[1], number(row[2]), number(row[3]), number(row[5]), row[8]) for row in browser.table("sender-domains")
    ] == [
        (name_of(row), row["refused"], row["messages"], row["refused_recipients"], row["fault"]["in_short"])
        for row in refused(told["sender_domains"])
    ]
    assert [(row[0], number(row[1]), number(row[2]), number(row[5])) for row in browser.table("client-networks")] == [
        (row["network"], row["refused"], row["messages"], row["sender_domains"])
        for row in refused(told["client_networks"])
    ]
    assert [(row[0], number(row[1]), number(row[2]), number(row[6])) for row in browser.table("reasons")] == [
        (row["reason"], row["foretold"]["rejected"], row["foretold"]["tempfailed"], row["sender_domains"])
        for row in told["reasons"]
    ]
    assert [(row[0], number(row[1]), number(row[3]), number(row[5])) for row in browser.table("days")] == [
        (row["day"], row["messages"], row["refused"], row["temporary"]) for row in told["days"]
    ]
    assert [(row[2], row[4]) for row in browser.table("days")] == [
        (percent(row["passing"], row["messages"]), percent(row["refused"], row["messages"])) for row in told["days"]
    ]
    stages = [(row["stage"], row["messages"], row["refused"]) for row in told["stages"]]
    shown = [(row[0], number(row[1]), number(row[3])) for row in browser.table("stages")]
    assert shown == (stages if len(stages) > 1 else [])
    moves = [(row["from"], row["to"], row["messages"]) for row in told["stage_changes"]]
    assert [(row[0], row[1], number(row[2])) for row in browser.table("stage-changes")] == moves


def test_the_chart_is_as_high_as_its_numbers(filled: FilledJournal, browser: Browser, page: Path) -> None:
    browser.open(page)
    heights = browser.run(
        "return [...document.querySelectorAll('.chart svg[role=img]')].map(svg => [...svg.querySelectorAll('g')].map("
        "g => [...g.querySelectorAll('rect:not(.slot)')].reduce((sum, r) => sum + Number(r.getAttribute('height')), 0)))"
    )
    days = filled.json()["days"]
    for shown, key in zip(heights, ("messages", "refused"), strict=True):
        highest = max(range(len(days)), key=lambda i: days[i][key])
        for height, day in zip(shown, days, strict=True):
            # A part that is, shows: it is a pixel high, however little it is.
            assert height == pytest.approx(shown[highest] * day[key] / days[highest][key], abs=4)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_everybody_can_read_it(browser: Browser, page: Path, look: Look) -> None:
    browser.open(page, look)
    assert browser.violations() == []
    assert browser.overflow() <= 0


def test_what_each_sender_has_to_mend_is_that_of_the_json(
    filled: FilledJournal, browser: Browser, page: Path
) -> None:
    browser.open(page)
    letters = browser.run(
        "return [...document.querySelectorAll('.letters > li')].map(li => [li.querySelector('h3').textContent,"
        "[...li.querySelectorAll('.records li')].map(one => one.textContent)])"
    )
    assert letters == [[name_of(row), row["fault"]["remedy"]] for row in refused(filled.json()["sender_domains"])]
    # Every link to one of them leads to its own.
    for place, row in enumerate(browser.table("sender-domains"), 1):
        assert browser.text(f"#sender-{place} h3") == row[1]


def test_on_paper_it_is_light_and_has_its_charts(browser: Browser, page: Path) -> None:
    """Also for who reads it dark on the screen."""
    is_seen = "return document.querySelector(arguments[0]).checkVisibility()"
    browser.open(page, Look(scheme="dark"))
    assert browser.run(is_seen, "details")
    dark = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.open(page, Look(scheme="dark", medium="print"))
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)" != dark
    assert browser.run(is_seen, ".chart svg[role=img]") and browser.run(is_seen, "#sender-domains .scale")
    assert not browser.run(is_seen, "details")
    assert browser.overflow() <= 0


def test_nothing_is_asked_for_and_nothing_runs(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.text("title").startswith("Mail over IPv6, ")
    assert browser.run("return document.querySelectorAll('script, img, iframe, link, form, [onmouseover]').length") == 0
    assert browser.run("return document.title") == browser.text("title")
    assert browser.requests() == []
    assert browser.complaints() == []


def test_hostile_names_are_text(filled: FilledJournal, browser: Browser, page: Path) -> None:
    browser.open(page)
    text = browser.text("main")
    found = [row["fault"]["found"] for row in refused(filled.json()["sender_domains"])]
    hostile = [one for one in found if any(part in one for part in ("<script", "onmouseover", "<img", "&lt;", "{{"))]
    assert len(hostile) >= 5, found
    for one in hostile:
        assert one in text
    assert "elpmaxe" in text
    assert page.read_bytes().isascii()
    # What comes after them is where it belongs.
    order = "return [...document.querySelectorAll('body > *')].map(element => element.tagName)"
    assert browser.run(order) == ["HEADER", "MAIN", "FOOTER"]


def test_a_page_can_do_nothing_even_with_a_script_in_it(browser: Browser, page: Path) -> None:
    """Were a name ever to get through: the policy of the page stops it."""
    broken = page.with_name("broken.html")
    taken = "<script>document.title='taken'</script><img src='https://tracker.test/x'>"
    broken.write_text(page.read_text().replace("<main>", f"<main>{taken}"))
    browser.open(broken)
    assert browser.run("return document.title").startswith("Mail over IPv6, ")
    complaints = " ".join(browser.complaints())
    assert "script" in complaints and "tracker.test" in complaints


def test_a_report_on_nothing_is_a_page_too(filled: FilledJournal, browser: Browser) -> None:
    file = filled.site.folder / "empty.html"
    filled.site.command("report", "--journal-of", str(filled.today), "--since", "0s", "--html", str(file))
    browser.open(file)
    assert "There are no entries in the journal" in browser.text("main")
    assert browser.violations() == []


def test_where_it_is_written(filled: FilledJournal, tmp_path: Path) -> None:
    def report(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(filled.site.program), "report", "--journal-of", str(filled.today), "--since", "31d", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    printed = report("--html", "-")
    assert printed.returncode == os.EX_OK and printed.stdout.startswith("<!DOCTYPE html>")
    nowhere = report("--html", str(tmp_path / "none" / "report.html"))
    assert nowhere.returncode == os.EX_CANTCREAT
    assert nowhere.stderr == f"sixgate: {tmp_path}/none/report.html cannot be written: No such file or directory\n"
    assert report("--html", "-", "--json").returncode == os.EX_USAGE
    assert json.loads(report("--json").stdout)["total"]["messages"] > 300
