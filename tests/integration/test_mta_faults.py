"""sixgate slow, killed or started anew under a real MTA: nothing is lost, and nothing passes unjudged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from conftest import Start
from receiver import Receiver, results_of

from lab import cast, smtp
from lab.dns_tap import Fault
from lab.messages import Message
from lab.sendmail import Sendmail
from lab.site import AUTHSERV_ID, SENDMAIL_PORT, SMTP_PORT, Site
from lab.smtp import ConnectionLost, Reply

ENFORCE = '[policy]\nmode = "enforce"\n'


@pytest.fixture
def both(site: Site, the_sendmail: Sendmail) -> tuple[Receiver, Receiver]:
    return Receiver(site, site.postfix, SMTP_PORT), Receiver(site, the_sendmail, SENDMAIL_PORT)


def timed(receiver: Receiver) -> tuple[Reply, float]:
    """A message of a client that is in order, and how long its end was waited for."""
    message = receiver.site.message(cast.GOOD)
    with receiver.greet(cast.GOOD) as connection:
        connection.mail(cast.GOOD.mail_from)
        connection.rcpt(cast.RECIPIENT)
        began = time.monotonic()
        reply = connection.data(message.content)
        waited = time.monotonic() - began
    assert not receiver.program.has(message.message_id)
    return reply, waited


def is_ours(reply: Reply) -> bool:
    return f"[{cast.GOOD.address}]" in reply.lines[0]


# -- slow


def with_deadline(milliseconds: int) -> str:
    return f"{ENFORCE}deadline_ms = {milliseconds}\n"


def test_slow_dns_within_the_mtas_limits(start: Start, both: tuple[Receiver, Receiver]) -> None:
    """Sendmail waits 10 s for an answer, and anew after each smfi_progress."""
    start(with_deadline(12_000), dns="timeout_ms = 12000")
    both[0].site.dns.fail(Fault.SILENCE)
    with ThreadPoolExecutor() as pool:
        for reply, waited in pool.map(timed, both):
            assert reply.codes == "451 4.4.3"
            assert is_ours(reply)
            assert 11 < waited < 14


def test_slow_dns_beyond_sendmails_limit(start: Start, both: tuple[Receiver, Receiver]) -> None:
    """E, 15 s here, is the longest in all: then Sendmail itself asks to come back."""
    start(with_deadline(20_000), dns="timeout_ms = 20000")
    both[0].site.dns.fail(Fault.SILENCE)
    reply, waited = timed(both[1])
    assert reply.codes == "451 4.3.2"
    assert not is_ours(reply)
    assert 14 < waited < 17


def test_a_short_deadline_is_kept(start: Start, mta: Receiver) -> None:
    start(with_deadline(1_000), dns="timeout_ms = 12000")
    mta.site.dns.fail(Fault.SILENCE)
    reply, waited = timed(mta)
    assert reply.codes == "451 4.4.3"
    assert is_ours(reply)
    assert waited < 2


# -- killed


class Dialogue:
    """One message in steps, so that something can happen between any two."""

    STEPS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "header", "body", "end")

    def __init__(self, receiver: Receiver, message: Message) -> None:
        self.receiver = receiver
        self.client = cast.GOOD
        self.head, _, self.body = message.content.partition(b"\r\n\r\n")
        self.connection: smtp.Client | None = None

    def do(self, step: str) -> Reply | None:
        """The reply, where this step has one."""
        if step == "connect":
            self.connection = self.receiver.connect(self.client)
            return None
        connection = self.connection
        assert connection is not None
        if step in ("header", "body", "end"):
            connection.write({"header": self.head + b"\r\n\r\n", "body": self.body, "end": b".\r\n"}[step])
            return connection.reply() if step == "end" else None
        commands = {
            "EHLO": f"EHLO {self.client.helo}",
            "MAIL": f"MAIL FROM:<{self.client.mail_from}>",
            "RCPT": f"RCPT TO:<{cast.RECIPIENT}>",
        }
        return connection.command(commands.get(step, step))

    def run(self, at: str, event: Callable[[], None]) -> Reply:
        """All steps, with `event` after the step `at`; the reply that refused, or the last."""
        for step in self.STEPS:
            reply = self.do(step)
            if reply is not None and not reply.is_positive:
                return reply
            if step == at:
                event()
        assert reply is not None
        return reply


@pytest.mark.parametrize("at", Dialogue.STEPS[:-1])
def test_killed_in_a_message(start: Start, mta: Receiver, at: str) -> None:
    sixgate = start(ENFORCE)
    message = mta.site.message(cast.GOOD)
    reply = Dialogue(mta, message).run(at, sixgate.kill)
    assert reply.code == 451
    assert not mta.program.has(message.message_id)
    start(ENFORCE)
    assert mta.offer(cast.GOOD, message).code == 250
    assert len(results_of(mta.fields(message))) == 1


def test_killed_while_it_looks_things_up(start: Start, mta: Receiver) -> None:
    sixgate = start(ENFORCE, dns="timeout_ms = 10000")
    mta.site.dns.fail(Fault.SILENCE)
    message = mta.site.message(cast.GOOD)
    timer = threading.Timer(0.5, sixgate.kill)
    timer.start()
    reply = mta.offer(cast.GOOD, message)
    timer.join()
    assert reply.code == 451
    assert not is_ours(reply)
    assert not mta.program.has(message.message_id)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_stopped_in_a_message(start: Start, mta: Receiver, mode: str) -> None:
    """SIGTERM waits for nobody: the MTA decides, as after a crash."""
    sixgate = start(f'[policy]\nmode = "{mode}"\n')
    message = mta.site.message(cast.GOOD)
    reply = Dialogue(mta, message).run("header", lambda: check_status(sixgate.stop_soon()))
    assert reply.code == 451
    assert not mta.program.has(message.message_id)


def check_status(status: int) -> None:
    assert status == 0


# -- started anew


def test_a_session_from_before_a_restart(start: Start, mta: Receiver) -> None:
    """It has lost its filter, and what it sends is not taken; the next session is served at once."""
    sixgate = start(ENFORCE)
    early, late = mta.site.message(cast.GOOD), mta.site.message(cast.GOOD)
    with mta.greet(cast.GOOD) as connection:
        assert sixgate.stop_soon() == 0
        start(ENFORCE)
        for _ in range(2):
            reply = connection.send(cast.GOOD.mail_from, cast.RECIPIENT, early.content)
            assert reply.code == 451
        assert mta.offer(cast.GOOD, late).code == 250
    assert mta.fields(late)
    assert not mta.program.has(early.message_id)


def test_restarts_under_load(start: Start, both: tuple[Receiver, Receiver]) -> None:
    """Clients that come all the time, while sixgate is killed, stopped and started below them."""
    sixgate = start(ENFORCE)
    with ThreadPoolExecutor() as pool, senders(pool, both) as sent:
        for event in (sixgate.kill, sixgate.stop_soon, sixgate.kill):
            time.sleep(0.7)
            event()
            time.sleep(0.2)
            start(ENFORCE)
        time.sleep(0.7)
    outcomes = [outcome for future in sent for outcome in future.result()]
    taken = [(receiver, message) for receiver, message, code in outcomes if code == 250]
    assert {code for _, _, code in outcomes} <= {250, 421, 451}
    assert len(taken) > 10
    for receiver, message in taken:
        ours = [value for value in results_of(receiver.fields(message)) if value.startswith(AUTHSERV_ID)]
        assert len(ours) == 1, "taken unjudged"
    for receiver, message, code in outcomes:
        assert code == 250 or not receiver.program.has(message.message_id)


Sent = tuple[Receiver, Message, int]


@contextmanager
def senders(pool: ThreadPoolExecutor, receivers: tuple[Receiver, ...]) -> Iterator[list[Future[list[Sent]]]]:
    """Two clients for each MTA, for as long as the context lasts."""
    is_over = threading.Event()

    def send_all_the_time(receiver: Receiver) -> list[Sent]:
        outcomes = []
        while not is_over.is_set():
            message = receiver.site.message(cast.GOOD)
            try:
                outcomes.append((receiver, message, receiver.offer(cast.GOOD, message).code))
            except (ConnectionLost, AssertionError):
                outcomes.append((receiver, message, 421))
            time.sleep(0.02)
        return outcomes

    futures = [pool.submit(send_all_the_time, receiver) for receiver in receivers for _ in range(2)]
    try:
        yield futures
    finally:
        is_over.set()
