"""The lab itself: without these, a green test of sixgate would say little. Needs no sixgate."""

from __future__ import annotations

import subprocess

import pytest

from lab import cast, messages, nsd
from lab.dns_tap import Fault
from lab.site import SASL_USER, TAP_PORT, UNFILTERED_PORT, Site


def test_names_of_the_cast_resolve(site: Site) -> None:
    answer = nsd.ask("127.0.0.1", 53, cast.GOOD.ptr_name, "PTR", 2)
    assert nsd.rcode_of(answer) == 0
    assert answer is not None and b"\x04mail\x04good" in answer


def test_a_broken_zone_answers_servfail(site: Site) -> None:
    assert nsd.rcode_of(nsd.ask("127.0.0.1", 53, cast.PTR_SERVFAIL.ptr_name, "PTR", 2)) == 2


def test_questions_are_counted(site: Site) -> None:
    nsd.ask("127.0.0.1", TAP_PORT, "MAIL.good.test", "AAAA", 2)
    nsd.ask("127.0.0.1", TAP_PORT, "mail.good.test", "AAAA", 2)
    assert site.dns.count("mail.good.test", "AAAA") == 2
    assert len(site.dns.questions()) == 2


def test_a_large_answer_comes_over_tcp(site: Site) -> None:
    command = ["dig", "+tcp", "+short", "@127.0.0.1", "-p", str(TAP_PORT), "lab._domainkey.good.test", "TXT"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.startswith('"v=DKIM1; k=rsa;')
    assert site.dns.count("lab._domainkey.good.test", "TXT") == 1


def test_faults_are_for_the_chosen_names_only(site: Site) -> None:
    site.dns.fail(Fault.SERVFAIL, "mail.good.test")
    assert nsd.rcode_of(nsd.ask("127.0.0.1", TAP_PORT, "mail.good.test", "AAAA", 2)) == 2
    assert nsd.rcode_of(nsd.ask("127.0.0.1", TAP_PORT, "mail.neither.test", "AAAA", 2)) == 0
    site.dns.fail(Fault.SILENCE)
    assert nsd.ask("127.0.0.1", TAP_PORT, "mail.neither.test", "AAAA", 0.2) is None


def test_a_dead_name_server_is_dead_for_sixgate_alone(site: Site) -> None:
    site.dns.stop()
    assert nsd.ask("127.0.0.1", TAP_PORT, "mail.good.test", "AAAA", 0.2) is None
    assert nsd.rcode_of(nsd.ask("127.0.0.1", 53, "mail.good.test", "AAAA", 2)) == 0


@pytest.mark.parametrize("client", cast.EVERYBODY, ids=lambda client: client.name)
def test_signatures_are_what_the_cast_says(site: Site, client: cast.Client) -> None:
    verifies = messages.verifies(site.message(client), site.records)
    assert verifies == (client.signature in (cast.Signature.RSA, cast.Signature.ED25519))


@pytest.mark.parametrize("client", [cast.NEITHER, cast.IPV4], ids=lambda client: client.name)
def test_mail_is_delivered_where_no_milter_listens(site: Site, client: cast.Client) -> None:
    message = site.message(client)
    with site.connect(client, UNFILTERED_PORT) as smtp:
        smtp.ehlo(client.helo)
        assert smtp.send(client.mail_from, cast.RECIPIENT, message.content).code == 250
        smtp.quit()
    received = site.postfix.delivered(message.message_id)["Received"]
    assert client.address in received


def test_authentication_works(site: Site) -> None:
    with site.connect(cast.NEITHER, UNFILTERED_PORT) as smtp:
        smtp.ehlo("laptop.test")
        assert smtp.auth_plain(SASL_USER[0], "wrong").code == 535
        assert smtp.auth_plain(*SASL_USER).code == 235


def test_without_sixgate_postfix_asks_to_come_back(site: Site) -> None:
    with site.connect(cast.GOOD) as smtp:
        smtp.ehlo(cast.GOOD.helo)
        assert smtp.mail(cast.GOOD.mail_from).codes == "451 4.7.1"
