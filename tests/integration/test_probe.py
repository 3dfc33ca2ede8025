"""Test addresses: whoever writes to one is told what was found, in every mode, and nothing is delivered."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from conftest import Start
from outcomes import case_id_in, methods, outcome_of, results_in
from receiver import Receiver

from lab import cast
from lab.cast import Client
from lab.site import SASL_USER, Site
from lab.smtp import Reply

PROBE = f"ipv6-test@{cast.HOST}"
SETTINGS = f'[probe]\nrecipients = ["{PROBE}"]\n'
POSTMASTER = f"postmaster@{cast.HOST}"

# For mail that falls short: what such mail would meet.
MEETS = {
    "off": "Such mail is accepted here.",
    "observe": "Such mail is now accepted here. Where this is enforced it is refused with 550 5.7.25.",
    "tag": "Such mail is now accepted here. Where this is enforced it is refused with 550 5.7.25.",
    "soft": "Such mail is now refused with 450 4.7.25 here. Where this is enforced it is refused with 550 5.7.25.",
    "enforce": "Such mail is now refused with 550 5.7.25 here.",
    "closed": "Such mail is now refused with 451 4.7.1 here.",
}


def text_of(reply: Reply) -> str:
    """Without the ends of lines, which long records are broken at."""
    return " ".join(" ".join(reply.texts).split())


def policy(mode: str) -> str:
    return f'[policy]\nmode = "{mode}"\nhelp_url = "https://mail.example.org/ipv6"\n' + SETTINGS


@pytest.mark.parametrize("mode", MEETS)
def test_every_mode_answers_at_the_end_of_data(start: Start, mta: Receiver, mode: str) -> None:
    start(policy(mode))
    client = cast.NO_PTR
    message = mta.site.message(client, to=PROBE)
    with mta.greet(client) as connection:
        connection.mail(client.mail_from)
        assert connection.rcpt(PROBE).code == 250
        reply = connection.data(message.content)
        connection.quit()
    assert reply.codes == "550 5.7.0"
    assert reply.lines[0].startswith(f"550-5.7.0 [{client.address}] IPv6 test: failed, no PTR record, case ")
    text = text_of(reply)
    assert "This address takes no mail" in text
    assert MEETS[mode] in text
    assert f"To mend it: {client.ptr_name}. PTR {client.helo}." in text
    assert f"{client.helo}. AAAA {client.address}" in text
    assert "https://mail.example.org/ipv6" in text
    assert not mta.program.has(message.message_id)
    assert methods(results_in(reply)) == {"iprev": "permerror", "spf": "pass", "dkim": "pass"}


def test_who_is_in_order_is_told_so(site: Site, start: Start) -> None:
    start(policy("enforce"))
    message = site.message(cast.GOOD)
    outcome = outcome_of(site, cast.GOOD, message, recipients=PROBE)
    assert outcome.codes == "550 5.7.0"
    assert "IPv6 test: passed, all that is asked for is there, case " in outcome.reply.lines[0]
    assert "Such mail is accepted here." in text_of(outcome.reply)
    assert "To mend it" not in str(outcome.reply)
    assert not site.postfix.has(message.message_id)


FAULTS = {
    cast.FORGED_PTR: ("failed, PTR leads elsewhere", f"mail.innocent.test. AAAA {cast.FORGED_PTR.address}"),
    cast.NEITHER: ("failed, no SPF, no DKIM", f"those on IPv4 too, with ip6:{cast.NEITHER.address}"),
    cast.SIGNER_NO_PTR: ("failed, no PTR record", f"{cast.SIGNER_NO_PTR.helo}. AAAA {cast.SIGNER_NO_PTR.address}"),
    cast.BROKEN_SIGNATURE: ("failed, no SPF, DKIM fail", "or DKIM signatures that pass"),
    cast.PTR_SERVFAIL: ("failed, PTR not looked up", f"look after the name servers of {cast.PTR_SERVFAIL.ptr_name}"),
}


def test_each_fault_is_told_with_what_to_publish(site: Site, start: Start) -> None:
    start(policy("observe"))
    for client, (found, remedy) in FAULTS.items():
        reply = outcome_of(site, client, recipients=PROBE).reply
        assert reply.codes == "550 5.7.0"
        assert found in reply.lines[0]
        assert remedy in text_of(reply)


def test_it_tells_of_the_stage_that_the_sender_is_under(site: Site, start: Start) -> None:
    """Before every stage, so that the closed world can test itself, too."""
    start(
        policy("closed")
        + '[[stage]]\nname = "partners"\nnetworks = ["2001:db8:8::/48"]\nmode = "soft"\n'
        + f'[[stage]]\nname = "tests"\nrecipients = ["{PROBE}"]\nmode = "closed"\nclosed_at = "rcpt"\n'
    )
    partner = outcome_of(site, cast.PARTNER_NO_PTR, recipients=PROBE).reply
    assert partner.codes == "550 5.7.0"
    assert "Such mail is now refused with 450 4.7.25 here." in text_of(partner)
    stranger = outcome_of(site, cast.GOOD, recipients=PROBE).reply
    assert stranger.codes == "550 5.7.0"
    assert "Such mail is now refused with 451 4.7.1 here." in text_of(stranger)


@pytest.mark.parametrize("mode", ["observe", "closed"])
def test_over_ipv4(start: Start, mta: Receiver, mode: str) -> None:
    start(policy(mode))
    message = mta.site.message(cast.IPV4)
    reply = mta.offer(cast.IPV4, message, recipients=PROBE)
    assert reply.codes == "550 5.7.0"
    assert f"[{cast.IPV4.address}] IPv6 test: this came over IPv4, where no mail is judged" in reply.lines[0]
    assert not mta.program.has(message.message_id)
    assert mta.site.dns.questions() == []
    assert mta.offer(cast.IPV4).code == 250


def test_authenticated(site: Site, start: Start) -> None:
    start(policy("closed"))
    for client in (cast.NO_PTR, cast.IPV4):
        message = site.message(client)
        outcome = outcome_of(site, client, message, recipients=PROBE, login=SASL_USER)
        assert outcome.codes == "550 5.7.0"
        assert ("has logged in" if client is cast.NO_PTR else "over IPv4") in outcome.reply.lines[0]
        assert not site.postfix.has(message.message_id)
    assert outcome_of(site, cast.NO_PTR, login=SASL_USER).codes == "250 2.0.0"


@pytest.mark.parametrize("mixed", ["split", "strictest"])
@pytest.mark.parametrize("client", [cast.GOOD, cast.IPV4], ids=lambda client: client.name)
def test_among_other_recipients(start: Start, mta: Receiver, client: Client, mixed: str) -> None:
    start(f'[policy]\nmixed_recipients = "{mixed}"\n' + SETTINGS)
    with mta.greet(client) as connection:
        for first, second, code in ((cast.RECIPIENT, PROBE, 250), (PROBE, POSTMASTER, 550)):
            message = mta.site.message(client)
            connection.mail(client.mail_from)
            assert connection.rcpt(first).code == 250
            assert connection.rcpt(second).codes == "452 4.5.3"
            reply = connection.data(message.content)
            assert reply.code == code
            assert mta.keeps_its_word(reply, message)
        connection.quit()


def test_only_the_address_itself(site: Site, start: Start) -> None:
    start('[policy]\nmode = "observe"\n' + SETTINGS)
    assert outcome_of(site, cast.GOOD, recipients=PROBE.upper()).codes == "550 5.7.0"
    for other in ("ipv6-test@other.example.test", f"ipv6-test2@{cast.HOST}", f"x.{PROBE}"):
        assert outcome_of(site, cast.GOOD, recipients=other).codes == "250 2.0.0"


def codes_of_many(site: Site, client: Client, count: int) -> list[str]:
    """Of so many tests on one connection."""
    content = site.message(client).content
    with site.connect(client) as connection:
        connection.ehlo(client.helo)
        codes = [connection.send(client.mail_from, PROBE, content).codes for _ in range(count)]
        connection.quit()
    return codes


def test_a_network_has_so_many_tests_an_hour(site: Site, start: Start) -> None:
    """A /64 is one network; each IPv4 address is one."""
    sixgate = start(policy("enforce"))
    assert cast.NO_PTR.address.rpartition(":")[0] == cast.FORGED_PTR.address.rpartition(":")[0]
    assert codes_of_many(site, cast.NO_PTR, 21) == ["550 5.7.0"] * 20 + ["450 4.7.0"]
    neighbour = outcome_of(site, cast.FORGED_PTR, recipients=PROBE).reply
    assert neighbour.codes == "450 4.7.0"
    assert "try again later" in neighbour.lines[0]
    sixgate.reload(site.configuration(policy("observe")))
    assert codes_of_many(site, cast.NO_PTR, 1) == ["450 4.7.0"]
    assert codes_of_many(site, cast.GOOD, 1) == ["550 5.7.0"]
    assert codes_of_many(site, cast.IPV4, 21) == ["550 5.7.0"] * 20 + ["450 4.7.0"]
    assert outcome_of(site, cast.NO_PTR).codes == "250 2.0.0"


def entries_in_journal(site: Site) -> int:
    with closing(sqlite3.connect(site.sixgate.store_file)) as database:
        return int(database.execute("SELECT count(*) FROM details").fetchone()[0])


def test_it_is_logged_and_not_counted(site: Site, start: Start) -> None:
    sixgate = start(policy("enforce"))
    assert outcome_of(site, cast.GOOD).codes == "250 2.0.0"
    assert sixgate.stop_soon() == 0
    before = entries_in_journal(site)
    sixgate = start(policy("enforce"))
    probe = outcome_of(site, cast.NO_PTR, recipients=PROBE).reply
    outcome_of(site, cast.IPV4, recipients=PROBE)
    mail = outcome_of(site, cast.NO_PTR).reply
    entry = sixgate.entry(case_id_in(probe.lines[0]))
    assert entry["probe"] == "yes"
    assert (entry["verdict"], entry["reply"], entry["stage"]) == ("reject", "550 5.7.0", "default")
    assert entry["reason"] == "reverse_name_missing"
    assert "probe" not in sixgate.entry(case_id_in(mail.lines[0]))
    assert sixgate.stop_soon() == 0
    assert [entry.get("probe") for entry in sixgate.entries()] == ["yes", "yes", None]
    assert entries_in_journal(site) == before + 1
