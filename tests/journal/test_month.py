"""Every number of the report equals what was sent, and what it foretells is what then happens.

The same with 200,000 messages, and what the journal costs: tests/journal/measure.
"""

from __future__ import annotations

from pathlib import Path

from lab.month import month_before
from lab.month_site import MonthSite
from lab.month_truth import differences, what_if_differences
from lab.site import program_from_environment

OBSERVE = 'mode = "observe"'
ENFORCE = 'mode = "enforce"'


def test_a_small_month(tmp_path: Path) -> None:
    month = month_before(domains=60, count=2_000)
    site = MonthSite(program_from_environment("dev"), tmp_path, month)
    with site.running(OBSERVE):
        answered = site.send(month)
    assert {one.action for one in answered} == {"accept"}
    today = site.write("today.toml", OBSERVE)
    assert differences(site.report(today), answered) == []

    foretold = site.report(today, site.write("candidate.toml", ENFORCE))
    assert foretold["total"]["foretold"]["rejected"] > 0
    with site.running(ENFORCE, f"sqlite:{tmp_path}/enforced.db"):
        enforced = site.send(month)
    assert what_if_differences(foretold, enforced) == []
