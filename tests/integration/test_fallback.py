"""Where a sender that is asked to use IPv4 goes: real MTAs with a message for the site, and its names laid out anew."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from conftest import Start

from lab import cast
from lab.messages import Message
from lab.mx_layouts import MANY, RECOMMENDED, SINGLE, MxLayout
from lab.senders import QueueRun, SendingPostfix, SendingSendmail
from lab.site import Site
from lab.sixgate import Sixgate


@dataclass(frozen=True)
class Policy:
    """And what it answers a client without PTR over IPv6."""

    text: str
    codes: str


CLOSED = Policy('mode = "closed"', "451 4.7.1")
CLOSED_456 = Policy(
    'profile = "fallback"\nmode = "closed"\n[reply.fallback.closed]\nsoft = "456 4.7.1"\nenforce = "456 4.7.1"',
    "456 4.7.1",
)
CLOSED_AT_HELO = Policy('mode = "closed"\nclosed_at = "helo"', "421 4.7.1")
FALLBACK_SOFT = Policy('profile = "fallback"\nmode = "soft"', "451 4.7.25")
FALLBACK_ENFORCE = Policy('profile = "fallback"\nmode = "enforce"', "451 4.7.25")

AFTER_THE_GREETING = {
    "closed": CLOSED,
    "closed-456": CLOSED_456,
    "fallback-soft": FALLBACK_SOFT,
    "fallback-enforce": FALLBACK_ENFORCE,
}
ALL = {**AFTER_THE_GREETING, "closed-at-helo": CLOSED_AT_HELO}


def each(policies: dict[str, Policy]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("policy", policies.values(), ids=policies.keys())


@dataclass(frozen=True)
class Sent:
    run: QueueRun
    message: Message
    received: str  # the Received field of the site's Postfix; empty where the message has not come
    codes: list[str]  # what sixgate answered, each time that it did

    @property
    def came_over(self) -> str:
        return {cast.NO_PTR.address: "IPv6", cast.IPV4.address: "IPv4"}[_client_in(self.received)]


def _client_in(received: str) -> str:
    return re.search(r"\[(?:IPv6:)?([0-9a-f.:]+)\]", received)[1]  # type: ignore[index]


def sent(site: Site, sixgate: Sixgate, sender: SendingPostfix | SendingSendmail, layout: MxLayout) -> Sent:
    """One message from a client without PTR, whose SPF and DKIM are in order, to a domain of that layout."""
    message = site.message(sender.client, to=layout.recipient)
    run = sender.send(message, layout.recipient)
    received = ""
    if run.status == "sent":
        received = str(site.postfix.delivered(message.message_id)["Received"])
    else:
        assert not site.postfix.has(message.message_id), run.log
    return Sent(run, message, received, [entry["reply"] for entry in sixgate.entries() if "reply" in entry])


def replies_in(log: str) -> list[str]:
    """Those that Postfix tells of, with their codes as the last line has them."""
    return re.findall(r"(?:said|refused to talk to me): (\d{3})[- ](\S+) ", log)


# -- without a policy, to know what the others change


def test_unrefused_mail_comes_over_ipv6(
    start: Start, site: Site, sending_postfix: SendingPostfix, sending_sendmail: SendingSendmail
) -> None:
    sixgate = start('[policy]\nmode = "observe"\n')
    for sender in (sending_postfix, sending_sendmail):
        one = sent(site, sixgate, sender, SINGLE)
        assert (one.run.attempts, one.came_over) == ("6", "IPv6")


def test_who_meets_the_requirements_is_not_asked_for_ipv4(
    start: Start, site: Site, sending_postfix: SendingPostfix
) -> None:
    sixgate = start('[policy]\nprofile = "fallback"\nmode = "soft"\nreverse_name = "any"\n')
    one = sent(site, sixgate, sending_postfix, SINGLE)
    assert (one.run.attempts, one.came_over, one.codes) == ("6", "IPv6", [])


# -- Postfix


@each(ALL)
def test_postfix_goes_on_over_ipv4_at_once(
    start: Start, site: Site, sending_postfix: SendingPostfix, policy: Policy
) -> None:
    one = sent(site, start(f"[policy]\n{policy.text}\n"), sending_postfix, SINGLE)
    assert (one.run.attempts, one.came_over, one.codes) == ("64", "IPv4", [policy.codes])
    assert [" ".join(reply) for reply in replies_in(one.run.log)] == [policy.codes]
    assert "please use IPv4" in one.run.log


@each(AFTER_THE_GREETING)
def test_postfix_stops_after_two_aaaa(
    start: Start, site: Site, sending_postfix: SendingPostfix, policy: Policy
) -> None:
    """smtp_mx_session_limit: two sessions are had, and the A record of the name is not come to."""
    one = sent(site, start(f"[policy]\n{policy.text}\n"), sending_postfix, MANY)
    assert (one.run.attempts, one.run.status) == ("66", "deferred")
    assert one.codes == [policy.codes] * 2


def test_postfix_passes_two_aaaa_that_are_closed_at_helo(
    start: Start, site: Site, sending_postfix: SendingPostfix
) -> None:
    one = sent(site, start(f"[policy]\n{CLOSED_AT_HELO.text}\n"), sending_postfix, MANY)
    assert (one.run.attempts, one.came_over) == ("664", "IPv4")
    assert one.codes == [CLOSED_AT_HELO.codes] * 2
    assert one.run.log.count("refused to talk to me: 421 4.7.1 ") == 2


@each(ALL)
def test_postfix_with_the_layout_of_the_manual(
    start: Start, site: Site, sending_postfix: SendingPostfix, policy: Policy
) -> None:
    one = sent(site, start(f"[policy]\n{policy.text}\n"), sending_postfix, RECOMMENDED)
    assert (one.run.attempts, one.came_over) == ("64", "IPv4")


# -- Sendmail


@each(ALL)
@pytest.mark.parametrize("layout", [SINGLE, MANY], ids=lambda layout: layout.domain)
def test_sendmail_tries_no_other_address_of_the_name(
    start: Start, site: Site, sending_sendmail: SendingSendmail, policy: Policy, layout: MxLayout
) -> None:
    one = sent(site, start(f"[policy]\n{policy.text}\n"), sending_sendmail, layout)
    assert (one.run.attempts, one.run.status, one.codes) == ("6", "deferred", [policy.codes])


@each(ALL)
def test_sendmail_goes_on_to_a_further_mx_host(
    start: Start, site: Site, sending_sendmail: SendingSendmail, policy: Policy
) -> None:
    """The last one has no AAAA, so it comes over IPv4."""
    one = sent(site, start(f"[policy]\n{policy.text}\n"), sending_sendmail, RECOMMENDED)
    assert (one.run.attempts, one.came_over) == ("664", "IPv4")
    assert one.codes == [policy.codes] * 2
