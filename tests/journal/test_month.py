"""Every number of the report equals what was sent, and what it foretells is what then happens.

The same with 200,000 messages, and what the journal costs: tests/journal/measure.
"""

from __future__ import annotations

from pathlib import Path

from lab.month import month_before
from lab.month_site import MonthSite
from lab.month_truth import differences, standing_of, text_differences, what_if_differences
from lab.redis_server import RedisServer
from lab.site import program_from_environment

OBSERVE = 'mode = "observe"'
ENFORCE = 'mode = "enforce"'
CLOSED = 'mode = "closed"'


def test_a_small_month_on_a_server(tmp_path: Path) -> None:
    """What two hosts have judged is one report, as true as that of a file."""
    month = month_before(domains=60, count=600)
    with RedisServer(tmp_path) as server:
        first = MonthSite(program_from_environment("dev"), tmp_path / "mx1", month)
        other = first.beside("mx2")
        url = f"unix://{server.socket}"
        with first.running(OBSERVE, url), other.running(OBSERVE, url):
            answered = first.send_shared(month, other)
        today = first.write("today.toml", OBSERVE, url)
        assert differences(first.report(today), answered) == []
        assert text_differences(other.report_text(today), answered) == []


def test_a_small_month(tmp_path: Path) -> None:
    month = month_before(domains=60, count=2_000)
    site = MonthSite(program_from_environment("dev"), tmp_path, month)
    with site.running(OBSERVE):
        answered = site.send(month)
    assert {one.action for one in answered} == {"accept"}
    with site.running(CLOSED):
        at_closed_gate = site.send_to_closed_gate(month, 100)
    answered += at_closed_gate
    standings = {"passing", "falling_short", "temporary", "exempt", "unknown"}
    assert set(map(standing_of, answered)) == standings
    today = site.write("today.toml", OBSERVE)
    assert differences(site.report(today), answered) == []
    assert text_differences(site.report_text(today), answered) == []

    foretold = site.report(today, site.write("candidate.toml", ENFORCE))
    assert foretold["total"]["foretold"]["rejected"] > 0
    with site.running(ENFORCE, f"sqlite:{tmp_path}/enforced.db"):
        enforced = site.send(month)
    enforced += [one for one in at_closed_gate if one.is_checked]  # to postmaster alone: the same in all modes
    assert what_if_differences(foretold, enforced) == []
