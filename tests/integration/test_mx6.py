"""MX6: a listener that an SRV record leads to sends who falls short to IPv4, and the ordinary MX never says so."""

from __future__ import annotations

import pytest
from conftest import Start
from outcomes import results_in

from lab import cast
from lab.cast import Client
from lab.messages import Message
from lab.mx6_sender import Attempt, Mx6Sender
from lab.mx_layouts import MX6, SINGLE, MxLayout
from lab.senders import SendingPostfix
from lab.sendmail import Sendmail
from lab.site import MX6_LISTENER_NAME, SENDMAIL_PORT, SMTP_PORT, Site
from lab.smtp import Reply

REGISTRATION = "https://mail.example.org/mx6"
SHORT = (cast.NO_PTR, cast.FORGED_PTR, cast.NEITHER, cast.BROKEN_SIGNATURE)
BY_ADDRESS = f"[{cast.MX6_ADDRESS6}]:25"


def policy(listener: str = BY_ADDRESS, mode: str = "enforce", ordinary: str = 'mode = "observe"') -> str:
    return f"""\
[policy]
{ordinary}

[[stage]]
name = "mx6"
listeners = ["{listener}"]
profile = "mx6"
mode = "{mode}"
help_url = "{REGISTRATION}"
"""


def offered(site: Site, client: Client, server: str, port: int = SMTP_PORT) -> tuple[Reply, Message]:
    """A message that is refused after DATA, or not at all."""
    recipient = MX6.recipient if port == SMTP_PORT else cast.RECIPIENT
    message = site.message(client, to=recipient)
    with site.connect(client, port, server) as connection:
        assert connection.ehlo(client.helo).code == 250
        assert connection.mail(client.mail_from).code == 250
        assert connection.rcpt(recipient).code == 250
        reply = connection.data(message.content)
        connection.quit()
    return reply, message


# -- the two listeners


@pytest.mark.parametrize("mode", ["soft", "enforce"])
@pytest.mark.parametrize("listener", [BY_ADDRESS, cast.MX6_ADDRESS6, MX6_LISTENER_NAME])
def test_the_listener_of_the_srv_record_alone(start: Start, site: Site, listener: str, mode: str) -> None:
    """However it is named; each client at both listeners in turn."""
    start(policy(listener, mode))
    for client in SHORT:
        reply, message = offered(site, client, cast.MX6_ADDRESS6)
        assert reply.codes == "550 5.5.5"
        assert f"[{client.address}]" in reply.lines[0] and "retry over IPv4" in reply.lines[0]
        assert any(REGISTRATION in line for line in reply.lines)
        assert {result.method for result in results_in(reply).results} == {"iprev", "spf", "dkim"}
        assert not site.postfix.has(message.message_id)
        for address in (cast.ADDRESS6, cast.SECOND_ADDRESS6):
            reply, message = offered(site, client, address)
            assert reply.code == 250
            assert site.postfix.delivered(message.message_id)
    for client in (cast.GOOD, cast.DKIM_ONLY):
        assert offered(site, client, cast.MX6_ADDRESS6)[0].code == 250


@pytest.mark.parametrize("mode", ["soft", "enforce"])
def test_the_ordinary_mx_has_replies_of_its_own(start: Start, site: Site, mode: str) -> None:
    start(policy(ordinary=f'mode = "{mode}"'))
    code = {"soft": "450", "enforce": "550"}[mode]
    for client in SHORT:
        assert offered(site, client, cast.MX6_ADDRESS6)[0].codes == "550 5.5.5"
        reply, _ = offered(site, client, cast.ADDRESS6)
        assert reply.codes.startswith(f"{code} {code[0]}.7.2")
        assert REGISTRATION not in str(reply) and "retry over IPv4" not in str(reply)


@pytest.mark.parametrize("listener", [f"[{cast.ADDRESS6}]:{SENDMAIL_PORT}", f":{SENDMAIL_PORT}", "MTA1"])
def test_a_listener_of_sendmail(start: Start, site: Site, the_sendmail: Sendmail, listener: str) -> None:
    """Beside Postfix, which has the same address and another port and name."""
    start(policy(listener))
    for client in (cast.NO_PTR, cast.NEITHER):
        assert offered(site, client, cast.ADDRESS6, SENDMAIL_PORT)[0].codes == "550 5.5.5"
        assert offered(site, client, cast.ADDRESS6)[0].code == 250


def test_what_could_not_be_looked_up_comes_again(start: Start, site: Site) -> None:
    """It may be willing yet, so that IPv4 is not asked for."""
    start(policy())
    assert offered(site, cast.PTR_SERVFAIL, cast.MX6_ADDRESS6)[0].codes == "451 4.4.3"


# -- the four scenarios of the proposal


def came_by(site: Site, message: Message) -> str:
    """The client address that the site's Postfix has taken the message from."""
    received = str(site.postfix.delivered(message.message_id)["Received"])
    return next(c.address for c in cast.CAST if f"[{c.address}]" in received or f"[IPv6:{c.address}]" in received)


def sent(site: Site, client: Client, layout: MxLayout) -> tuple[list[Attempt], Message]:
    message = site.message(client, to=layout.recipient)
    return Mx6Sender(client, cast.IPV4).send(message, layout.recipient), message


@pytest.mark.parametrize(
    ("ordinary", "attempts"), [('mode = "observe"', "6"), ('profile = "fallback"\nmode = "soft"', "64")]
)
def test_a_sender_that_does_not_know_mx6(
    start: Start, site: Site, sending_postfix: SendingPostfix, ordinary: str, attempts: str
) -> None:
    """It would fall short at the listener of the SRV record, and does not find it."""
    sixgate = start(policy(ordinary=ordinary))
    message = site.message(sending_postfix.client, to=MX6.recipient)
    run = sending_postfix.send(message, MX6.recipient)
    assert (run.attempts, run.status) == (attempts, "sent")
    assert "5.5.5" not in run.log and f"[{cast.MX6_ADDRESS6}]" not in run.log
    assert site.postfix.delivered(message.message_id)
    assert {entry["stage"] for entry in sixgate.entries()} == {"default"}


@pytest.mark.parametrize("client", [cast.GOOD, cast.NO_PTR], ids=lambda client: client.name)
def test_a_receiver_that_does_not_know_mx6(start: Start, site: Site, client: Client) -> None:
    start(policy())
    attempts, message = sent(site, client, SINGLE)
    assert [(attempt.address, attempt.reply.code) for attempt in attempts] == [(cast.ADDRESS6, 250)]
    assert came_by(site, message) == client.address


@pytest.mark.parametrize("mode", ["soft", "enforce"])
def test_both_know_mx6_and_the_receiver_is_willing(start: Start, site: Site, mode: str) -> None:
    sixgate = start(policy(mode=mode))
    attempts, message = sent(site, cast.GOOD, MX6)
    assert [(attempt.address, attempt.reply.code) for attempt in attempts] == [(cast.MX6_ADDRESS6, 250)]
    assert came_by(site, message) == cast.GOOD.address
    assert [entry["stage"] for entry in sixgate.entries()] == ["mx6"]


@pytest.mark.parametrize("client", SHORT, ids=lambda client: client.name)
@pytest.mark.parametrize("mode", ["soft", "enforce"])
def test_both_know_mx6_and_the_receiver_is_not_willing(
    start: Start, site: Site, mode: str, client: Client
) -> None:
    start(policy(mode=mode))
    attempts, message = sent(site, client, MX6)
    assert [(attempt.address, attempt.reply.code) for attempt in attempts] == [
        (cast.MX6_ADDRESS6, 550),
        (cast.ADDRESS4, 250),
    ]
    assert attempts[0].asks_for_ipv4
    assert came_by(site, message) == cast.IPV4.address
