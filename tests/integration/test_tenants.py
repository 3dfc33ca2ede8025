"""Tenants of one server that take mail over IPv6 and others that do not, as Exchange Online Protection has them."""

from __future__ import annotations

import pytest
from conftest import Start
from receiver import Receiver

from lab import cast
from lab.smtp import Reply

OPEN = cast.RECIPIENT
CLOSED_DOMAIN = "other.example.test"
CLOSED = f"bob@{CLOSED_DOMAIN}"

# Either may be what is named.
POLICIES = {
    "opted-out": f"""\
[policy]
profile = "eop"
mode = "enforce"

[[stage]]
name = "opted-out"
recipients = ["*@{CLOSED_DOMAIN}"]
mode = "closed"
""",
    "opted-in": f"""\
[policy]
profile = "eop"
mode = "closed"

[[stage]]
name = "opted-in"
recipients = ["*@{cast.HOST}"]
mode = "enforce"
""",
}


@pytest.fixture(params=POLICIES.values(), ids=POLICIES.keys(), autouse=True)
def policy(request: pytest.FixtureRequest, start: Start) -> None:
    start(request.param)


def is_closed(reply: Reply) -> bool:
    return reply.codes == "550 5.2.1" and f" {CLOSED_DOMAIN} takes no mail over IPv6" in reply.lines[0]


def test_each_tenant_for_itself(mta: Receiver) -> None:
    message = mta.site.message(cast.GOOD)
    with mta.greet(cast.GOOD) as connection:
        assert connection.mail(cast.GOOD.mail_from).code == 250
        assert is_closed(connection.rcpt(CLOSED))
        connection.command("RSET")
        assert connection.send(cast.GOOD.mail_from, OPEN, message.content).code == 250
        connection.quit()
    assert mta.program.delivered(message.message_id)


@pytest.mark.parametrize("recipients", [(OPEN, CLOSED), (CLOSED, OPEN)], ids=["open-first", "closed-first"])
def test_a_message_for_both(mta: Receiver, recipients: tuple[str, ...]) -> None:
    """The one is refused for good and the other is not asked to come anew."""
    message = mta.site.message(cast.GOOD)
    with mta.greet(cast.GOOD) as connection:
        assert connection.mail(cast.GOOD.mail_from).code == 250
        replies = {recipient: connection.rcpt(recipient) for recipient in recipients}
        assert connection.data(message.content).code == 250
        connection.quit()
    assert is_closed(replies[CLOSED]) and replies[OPEN].code == 250
    assert mta.program.delivered(message.message_id)


def test_an_open_tenant_has_its_rules(mta: Receiver) -> None:
    assert mta.offer(cast.NO_PTR, recipients=OPEN).codes == "550 5.7.25"
    assert mta.offer(cast.NEITHER, recipients=OPEN).codes == "554 5.7.26"


def test_a_closed_tenant_has_its_postmaster(mta: Receiver) -> None:
    assert mta.offer(cast.GOOD, recipients=f"postmaster@{CLOSED_DOMAIN}").code == 250


def test_a_closed_tenant_takes_mail_over_ipv4(mta: Receiver) -> None:
    assert mta.offer(cast.IPV4, recipients=CLOSED).code == 250
