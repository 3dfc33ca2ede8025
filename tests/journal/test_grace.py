"""A sender that does not mend is refused in the end, at the date that it was told, by every host of the site."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from lab.fleet import Fleet, Host
from lab.gate import CLIENT, Gate
from lab.milter import Answer

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
NAMELESS = "2001:db8:bad::1"
SAME_NETWORK = "2001:db8:bad::2"
OTHER_NETWORK = "2001:db8:bad:1::1"
SOFT, HARD = "450 4.7.25", "550 5.7.25"


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, gate: Gate) -> str:
    """What all hosts have in [store]."""
    return {"sqlite": f'url = "sqlite:{gate.folder}/shared.db"'}[request.param]


def policy(attempts: int = 2, period: str = "2d", then: str = "enforce") -> str:
    return f'mode = "soft"\n[policy.grace]\nattempts = {attempts}\nperiod = "{period}"\nthen = "{then}"\n'


def codes(answer: Answer) -> str:
    found = re.match(r"(\d{3})[ -](\S+)", answer.reply)
    return f"{found[1]} {found[2]}" if found else "250"


def date_in(answer: Answer) -> str:
    """The date told, or nothing."""
    text = " ".join(re.sub(r"(?m)^\d{3}[ -]\S+ ?", "", answer.reply).split())
    found = re.search(r"such mail will be refused for good from (\S+ \S+) UTC on\.", text)
    return found[1] if found else ""


def sent(host: Host, client: str = NAMELESS, mail_from: str = "<sender@good.test>") -> tuple[str, str]:
    """The codes and the date."""
    answer = host.send(host.gate.message().content, client, mail_from)
    return codes(answer), date_in(answer)


def test_the_sender_is_refused_in_the_end_and_the_date_is_kept(gate: Gate, store: str) -> None:
    fleet = Fleet(gate)
    with fleet.at(NOON).running(policy(), store) as (one, other):
        date = "2026-03-03 12:00"
        assert sent(one) == (SOFT, date)
        fleet.at(NOON + timedelta(days=1))
        assert sent(other, SAME_NETWORK) == (SOFT, date)
        assert sent(one, mail_from="<x@mail.good.test>") == (SOFT, date)  # of the same organization
        assert sent(one, OTHER_NETWORK) == (SOFT, "2026-03-04 12:00")
        assert sent(one, mail_from="<sender@other.test>") == (SOFT, "2026-03-04 12:00")
        assert sent(one, CLIENT) == ("250", "")  # the same sender, where all is in order
    # A shorter period takes nothing back, and nothing is forgotten where all have been restarted.
    with fleet.at(NOON + timedelta(days=1, hours=23)).running(policy(period="1h"), store) as (one, other):
        assert sent(one) == (SOFT, date)
        fleet.at(NOON + timedelta(days=2, seconds=1))
        assert sent(other) == (HARD, "")
        assert sent(one, SAME_NETWORK) == (HARD, "")
        assert sent(one, OTHER_NETWORK)[0] == SOFT
    # A longer one counts, and puts off what was refused.
    with fleet.running(policy(period="3d"), store) as (one, other):
        assert sent(one) == (SOFT, "2026-03-04 12:00")
        assert sent(other) == (SOFT, "2026-03-04 12:00")


def test_what_it_becomes_may_be_tag(gate: Gate, store: str) -> None:
    fleet = Fleet(gate, 1)
    with fleet.at(NOON).running(policy(attempts=1, period="1h", then="tag"), store) as (host,):
        assert sent(host) == (SOFT, "")  # nothing is refused ever: no date
        fleet.at(NOON + timedelta(hours=2))
        answer = host.send(gate.message().content, NAMELESS)
        assert answer.goes_on
        assert answer.field("Sixgate-Policy").lstrip().startswith("fail; reason=reverse_name_missing; stage=default;")


def test_hosts_that_are_asked_at_once_agree(gate: Gate, store: str) -> None:
    """Of all that comes after the date, whoever it comes to, as many as are left of the tries are put off."""
    fleet = Fleet(gate)
    with fleet.at(NOON).running(policy(attempts=6, period="1h"), store) as hosts:
        sent(hosts[0])
        fleet.at(NOON + timedelta(hours=2))
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda i: sent(hosts[i % 2])[0], range(24)))
        assert sorted(answers) == [SOFT] * 5 + [HARD] * 19
        refusals = [entry["refusals"] for host in hosts for entry in host.sixgate.entries()]
        assert sorted(map(int, refusals)) == list(range(25))


def test_a_store_that_is_away_makes_every_sender_new(gate: Gate) -> None:
    fleet = Fleet(gate, 1)
    file = gate.folder / "shared.db"
    with fleet.at(NOON).running(policy(attempts=1, period="1h"), f'url = "sqlite:{file}"') as (host,):
        sent(host)
        fleet.at(NOON + timedelta(hours=2))
        assert sent(host) == (HARD, "")
        aside = file.rename(gate.folder / "aside.db")
        file.mkdir()  # so that nothing can be made there
        began = time.monotonic()
        assert [sent(host) for _ in range(5)] == [(SOFT, "")] * 5
        assert time.monotonic() - began < 4
        assert host.sixgate.log().count("event=grace_failed") == 1
        file.rmdir()
        aside.rename(file)
        deadline = time.monotonic() + 10
        while sent(host) != (HARD, ""):
            assert time.monotonic() < deadline, host.sixgate.log()
            time.sleep(0.1)


def test_the_journal_knows_what_was_used_up_and_forget_removes_it(gate: Gate, store: str) -> None:
    fleet = Fleet(gate, 1)
    with fleet.at(NOON).running(policy(attempts=1), store) as (host,):
        sent(host)
        fleet.at(NOON + timedelta(days=3))
        sent(host)
        config = str(host.sixgate.configuration)
        case = host.sixgate.entries()[-1]["case"]
        deadline = time.monotonic() + 10
        explain = ("explain", "--config", config, "--case", case, "--json")
        while not (output := host.sixgate.command(*explain).output).startswith("{"):
            assert time.monotonic() < deadline, output
        grace = json.loads(output)["evidence"]["grace"]
        assert grace == {"first": "2026-03-01T12:00:00Z", "refusals": 1, "refused_from": "2026-03-03T12:00:00Z"}

        forget = ("forget", "--config", config, "good.test")
        assert "1 entry of grace and fallback would be forgotten" in host.sixgate.command(*forget, "--dry-run").output
        assert "1 entry of grace and fallback forgotten" in host.sixgate.command(*forget).output
        assert sent(host) == (SOFT, "2026-03-06 12:00")
