"""A sender that does not mend is refused in the end, at the date that it was told, by every host of the site."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from threading import Event

import pytest

from lab.fleet import Fleet, Host
from lab.gate import CLIENT, Gate
from lab.milter import Answer
from lab.redis_server import RedisServer
from lab.sixgate import logfmt_fields

# The clock goes on, and a date is told to the minute that is over then: "12:01".
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=timezone.utc)  # well within a minute: dates end with one
NAMELESS = "2001:db8:bad::1"
SAME_NETWORK = "2001:db8:bad::2"
OTHER_NETWORK = "2001:db8:bad:1::1"
SOFT, HARD = "450 4.7.25", "550 5.7.25"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as running:
        yield running


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, gate: Gate) -> str:
    """What all hosts have in [store]."""
    if request.param == "sqlite":
        return f'url = "sqlite:{gate.folder}/shared.db"'
    return shared_by(request.getfixturevalue("server"))


def shared_by(server: RedisServer) -> str:
    key = server.folder / "journal.key"
    key.write_bytes(b"of all hosts that share it".ljust(32))
    return f'{server.store_settings}key = "file:{key}"'


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
        date = "2026-03-03 12:01"
        assert sent(one) == (SOFT, date)
        fleet.at(NOON + timedelta(days=1))
        assert sent(other, SAME_NETWORK) == (SOFT, date)
        assert sent(one, mail_from="<x@mail.good.test>") == (SOFT, date)  # of the same organization
        assert sent(one, OTHER_NETWORK) == (SOFT, "2026-03-04 12:01")
        assert sent(one, mail_from="<sender@other.test>") == (SOFT, "2026-03-04 12:01")
        assert sent(one, CLIENT) == ("250", "")  # the same sender, where all is in order
    # A shorter period takes nothing back, and nothing is forgotten where all have been restarted.
    with fleet.at(NOON + timedelta(days=1, hours=23)).running(policy(period="1h"), store) as (one, other):
        assert sent(one) == (SOFT, date)
        fleet.at(NOON + timedelta(days=2, minutes=1))
        assert sent(other) == (HARD, "")
        assert sent(one, SAME_NETWORK) == (HARD, "")
        assert sent(one, OTHER_NETWORK)[0] == SOFT
    # A longer one counts, and puts off what was refused.
    with fleet.running(policy(period="3d"), store) as (one, other):
        assert sent(one) == (SOFT, "2026-03-04 12:01")
        assert sent(other) == (SOFT, "2026-03-04 12:01")


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


def test_every_answer_follows_from_what_came_to_all_hosts(gate: Gate, store: str) -> None:
    fleet, random, now = Fleet(gate), Random(7), NOON
    domains, clients = ("good.test", "other.test"), (NAMELESS, OTHER_NETWORK)
    known: dict[tuple[str, str], tuple[datetime, datetime, int]] = {}  # first, last, refusals
    seen = set()
    with fleet.at(now).running(policy(attempts=3), store) as hosts:
        for number in range(90):
            now += timedelta(days=31) if number == 60 else timedelta(minutes=random.choice((1, 50, 300, 900)))
            fleet.at(now)
            sender = random.choice(clients), random.choice(domains)
            first, last, refusals = known.get(sender, (now, now, 0))
            if now - last > timedelta(days=30):
                first, refusals = now, 0  # it has mended meanwhile
            known[sender] = first, now, refusals + 1
            date = first.replace(second=0) + timedelta(days=2, minutes=1)
            is_over = now >= date and refusals >= 3
            expected = (HARD if is_over else SOFT, f"{date:%Y-%m-%d %H:%M}" if now < date else "")
            assert sent(random.choice(hosts), sender[0], f"<sender@{sender[1]}>") == expected, (number, sender)
            seen.add((expected[0], bool(expected[1])))
    assert seen == {(SOFT, True), (SOFT, False), (HARD, False)}


@contextmanager
def load_on(hosts: list[Host]) -> Iterator[list[tuple[str, float]]]:
    """Mail of four senders by turns to all of them; the codes, and the seconds each took."""
    answers: list[tuple[str, float]] = []
    is_over = Event()

    def send(number: int) -> None:
        while not is_over.wait(0.02):
            number += 1
            began = time.monotonic()
            codes, _ = sent(hosts[number % len(hosts)], mail_from=f"<sender@load-{number % 4}.test>")
            answers.append((codes, time.monotonic() - began))

    with ThreadPoolExecutor(4) as threads:
        sending = [threads.submit(send, number) for number in range(4)]
        try:
            yield answers
        finally:
            is_over.set()
    for each in sending:
        each.result()


def until(holds: Callable[[], object], what: Callable[[], str] = lambda: "", seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def assert_counters_tell(host: Host) -> None:
    """How many messages have had no answer of the ledger stands in the line that says that it is over."""
    before, _, recovered = host.sixgate.log().rpartition("event=grace_recovered")
    told = int(re.search(r"unanswered=(\d+)", recovered)[1])  # type: ignore[index]
    entries = [entry for entry in map(logfmt_fields, before.splitlines()) if "case" in entry]
    assert told == sum("refusals" not in entry for entry in entries) > 0


@pytest.mark.parametrize(("trouble", "end"), [("kill", "start"), ("stand_still", "go_on")])
def test_a_server_that_is_away_under_load(gate: Gate, server: RedisServer, trouble: str, end: str) -> None:
    fleet = Fleet(gate)
    with fleet.at(NOON).running(policy(attempts=1, period="1h"), shared_by(server)) as hosts:
        sent(hosts[0])
        fleet.at(NOON + timedelta(hours=2))
        with load_on(hosts) as answers:
            until(lambda: len(answers) >= 40)
            slowest = max(seconds for _, seconds in answers)
            getattr(server, trouble)()
            for host in hosts:
                until(lambda host=host: "event=grace_failed" in host.sixgate.log(), host.sixgate.log)
            assert [sent(host) for host in hosts] == [(SOFT, "")] * 2  # as if it were new
            had = len(answers)
            until(lambda: len(answers) >= had + 40)
            getattr(server, end)()
            for host in hosts:
                until(lambda host=host: "event=grace_recovered" in host.sixgate.log(), host.sixgate.log)
        assert [sent(host) for host in hosts] == [(HARD, "")] * 2
        assert {code for code, _ in answers} == {SOFT}
        assert max(seconds for _, seconds in answers) < slowest + 1
        for host in hosts:
            assert_counters_tell(host)
        assert sum(len(host.sixgate.entries()) for host in hosts) == len(answers) + 5
        until(lambda: server.client().xlen("{sixgate}:journal") == len(answers) + 5)


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
        assert grace.pop("first").startswith("2026-03-01T12:00:")
        assert grace == {"refusals": 1, "refused_from": "2026-03-03T12:01:00Z"}

        forget = ("forget", "--config", config, "good.test")
        assert "1 entry of grace and fallback would be forgotten" in host.sixgate.command(*forget, "--dry-run").output
        assert "1 entry of grace and fallback forgotten" in host.sixgate.command(*forget).output
        assert sent(host) == (SOFT, "2026-03-06 12:01")
