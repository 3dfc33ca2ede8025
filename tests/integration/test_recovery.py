"""What soft refusals led to: real MTAs with messages that are put off, and what `sixgate report` says of them."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import Start

from lab import cast
from lab.cast import Client
from lab.clock import Clock
from lab.messages import Message
from lab.mx_layouts import MANY, SINGLE
from lab.nsd import Record, ptr
from lab.redis_server import RedisServer
from lab.senders import SendingPostfix
from lab.site import Site
from lab.sixgate import Sixgate

SOFT = '[policy]\nmode = "soft"\n'


@pytest.fixture
def clock(site: Site, tmp_path: Path) -> Iterator[Clock]:
    clock = Clock(tmp_path, site.network)
    network, site.sixgate.network = site.sixgate.network, clock  # type: ignore[assignment]
    yield clock
    site.sixgate.network = network


@pytest.fixture(params=["sqlite", "redis"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A configuration with an empty store of each kind."""
    if request.param == "sqlite":
        yield f'{SOFT}[fallback]\nwindow = "5d"\n[store]\nurl = "sqlite:{tmp_path}/sixgate.db"\n'
        return
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    with RedisServer(tmp_path) as server:
        yield f'{SOFT}[fallback]\nwindow = "5d"\n[store]\n{server.store_settings}key = "file:{key}"\n'


def report(sixgate: Sixgate) -> dict[str, Any]:
    ended = sixgate.command("report", "--config", str(sixgate.configuration), "--since", "14d", "--json")
    assert ended.status == 0, ended.output
    found: dict[str, Any] = json.loads(ended.output)["fallback"]
    return found


def report_with(sixgate: Sixgate, **numbers: int) -> dict[str, Any]:
    """The report once it has these numbers in all, which the daemon writes soon after."""
    deadline = time.monotonic() + 10
    while True:
        found = report(sixgate)
        total = {key: value["messages"] if isinstance(value, dict) else value for key, value in found["total"].items()}
        if total.items() >= numbers.items():
            return found
        assert time.monotonic() < deadline, f"{found}\n{sixgate.log()}"
        time.sleep(0.1)


def sent(site: Site, client: Client, message: Message, mail_from: str = cast.NO_PTR.mail_from) -> str:
    """The same message again, from wherever it comes now."""
    with site.connect(client) as smtp:
        smtp.ehlo(client.helo)
        smtp.mail(mail_from)
        smtp.rcpt(cast.RECIPIENT)
        return smtp.data(message.content).codes


@contextmanager
def published(site: Site, client: Client) -> Iterator[None]:
    """The PTR record that it lacks is there."""
    records = [ptr(client.address, client.helo), Record(client.helo, "AAAA", client.address)]
    site.name_server.stop()
    site.name_server.records += records
    site.name_server.start()
    try:
        yield
    finally:
        site.name_server.stop()
        site.name_server.records[-len(records) :] = []
        site.name_server.start()


# -- real senders


def test_postfix_goes_on_over_ipv4_at_once(
    start: Start, site: Site, sending_postfix: SendingPostfix, watched: str
) -> None:
    sixgate = start(watched)
    run = sending_postfix.send(site.message(sending_postfix.client, to=SINGLE.recipient), SINGLE.recipient)
    assert (run.attempts, run.status) == ("64", "sent"), run.log
    found = report_with(sixgate, messages=1, ipv4=1, attempts=1, not_seen=0, open=0)
    assert 0 <= found["total"]["ipv4"]["longest_ms"] < 10_000
    assert [(row["domain"], row["ipv4"]["messages"]) for row in found["sender_domains"]] == [("no-ptr.test", 1)]
    assert [row["stage"] for row in found["stages"]] == ["default"]


def test_postfix_comes_back_when_its_ptr_is_there(
    start: Start, site: Site, sending_postfix: SendingPostfix, watched: str
) -> None:
    """Two sessions over IPv6 are all that Postfix tries, so that it has to come again: after a restart, too."""
    client = sending_postfix.client
    sixgate = start(watched)
    message = site.message(client, to=MANY.recipient)
    run = sending_postfix.send(message, MANY.recipient)
    assert (run.attempts, run.status) == ("66", "deferred"), run.log
    report_with(sixgate, messages=1, attempts=2, open=1)

    with published(site, client):
        assert sixgate.stop_soon() == 0
        start(watched)  # and what it knows of the DNS is new
        sending_postfix.try_again(message, "sent")
    report_with(sixgate, messages=1, mended=1, attempts=2, open=0)


def test_what_its_sender_gives_up_is_not_seen_again(
    start: Start, site: Site, sending_postfix: SendingPostfix, clock: Clock, watched: str
) -> None:
    client = sending_postfix.client
    now = datetime.now(timezone.utc)
    clock.set(now - timedelta(days=6))
    sixgate = start(watched)
    given_up, kept = (site.message(client, to=MANY.recipient) for _ in range(2))
    for message in (given_up, kept):
        assert sending_postfix.send(message, MANY.recipient).status == "deferred"
    report_with(sixgate, messages=2, attempts=4)
    sending_postfix.give_up(given_up)
    with published(site, client):
        assert sixgate.stop_soon() == 0
        clock.set(now - timedelta(days=4))
        start(watched)
        sending_postfix.try_again(kept, "sent")
    found = report_with(sixgate, messages=2, attempts=4, mended=1, not_seen=1, open=0)
    assert [(row["domain"], row["not_seen"]) for row in found["sender_domains"]] == [("no-ptr.test", 1)]


# -- at other times, from other places


def test_a_retry_has_its_delay(start: Start, site: Site, clock: Clock, watched: str) -> None:
    now = datetime.now(timezone.utc)
    clock.set(now - timedelta(hours=2))
    sixgate = start(watched)
    message = site.message(cast.NO_PTR)
    assert sent(site, cast.NO_PTR, message) == "450 4.7.25"
    clock.set(now - timedelta(hours=1))
    assert sent(site, cast.FORGED_PTR, message) == "450 4.7.25"  # from another address: the same message
    clock.set(now - timedelta(minutes=30))
    assert sent(site, cast.IPV4, site.message(cast.NO_PTR)) == "250 2.0.0"  # another one of the sender
    assert sent(site, cast.IPV4, message).startswith("250")
    assert sent(site, cast.IPV4, message).startswith("250")  # a copy
    found = report_with(sixgate, messages=1, ipv4=1, attempts=2, open=0)
    delay = found["total"]["ipv4"]
    assert delay["median_ms"] == delay["longest_ms"]
    assert 89 * 60_000 < delay["median_ms"] < 91 * 60_000
    assert "example.test" not in sixgate.log().replace("rx.example.test", "")


def test_what_never_comes_back_is_not_seen_when_its_window_is_over(
    start: Start, site: Site, clock: Clock, watched: str
) -> None:
    now = datetime.now(timezone.utc)
    clock.set(now - timedelta(days=6))
    sixgate = start(watched)
    late, lost, waiting = (site.message(cast.NO_PTR) for _ in range(3))
    assert sent(site, cast.NO_PTR, late) == "450 4.7.25"
    assert sent(site, cast.NO_PTR, lost) == "450 4.7.25"
    report_with(sixgate, messages=2, not_seen=2)
    clock.set(now)
    assert sent(site, cast.NO_PTR, waiting) == "450 4.7.25"
    report_with(sixgate, messages=3, not_seen=2, open=1)
    assert sent(site, cast.IPV4, late).startswith("250")
    assert sent(site, cast.IPV4, waiting).startswith("250")
    report_with(sixgate, messages=3, not_seen=2, ipv4=1, open=0)
    text = sixgate.command("report", "--config", str(sixgate.configuration)).output
    assert "not seen here again" in text


# -- the end of grace, with a real sender


def test_postfix_bounces_in_the_end(
    start: Start, site: Site, sending_postfix: SendingPostfix, clock: Clock, watched: str
) -> None:
    now = datetime.now(timezone.utc)
    configuration = watched + '[policy.grace]\nattempts = 2\nperiod = "3d"\n'
    clock.set(now - timedelta(days=4))
    sixgate = start(configuration)
    message = site.message(sending_postfix.client, to=MANY.recipient)
    run = sending_postfix.send(message, MANY.recipient)
    assert (run.attempts, run.status) == ("66", "deferred"), run.log
    assert "will be refused for good from" in run.log
    told = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d) UTC", " ".join(run.log.split()))
    assert told, run.log
    date = datetime.strptime(told[1], "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc)
    assert timedelta() <= date - (now - timedelta(days=1)) <= timedelta(minutes=2)  # the minute that is over then
    clock.set(now)
    sending_postfix.try_again(message, "bounced")
    report_with(sixgate, messages=1, refused=1, attempts=2)
