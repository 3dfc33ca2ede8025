"""Who is never refused: IPv4, local, authenticated and exempt mail, and whoever writes to postmaster."""

from __future__ import annotations

from conftest import Start
from outcomes import delivered, ours, outcome_of

from lab import cast, messages, smtp
from lab.site import AUTHSERV_ID, SASL_USER, SMTP_PORT, Site

ENFORCE = '[policy]\nmode = "enforce"\n'


def from_loopback() -> smtp.Client:
    return smtp.Client(("::1", SMTP_PORT), "::1")


def forged(count: int = 1) -> list[tuple[str, str]]:
    return [("Authentication-Results", f"{AUTHSERV_ID}; spf=pass smtp.mailfrom=bank{i}.test") for i in range(count)]


def test_ipv4_mail_is_not_judged_and_asks_no_dns(site: Site, start: Start) -> None:
    start(ENFORCE)
    site.dns.forget()
    message = site.message(cast.IPV4, fields=forged())
    assert not ours(delivered(outcome_of(site, cast.IPV4, message)))
    assert site.dns.questions() == []


def test_ipv6_mail_does_ask(site: Site, start: Start) -> None:
    start(ENFORCE)
    site.dns.forget()
    outcome_of(site, cast.GOOD)
    assert site.dns.count(cast.GOOD.ptr_name, "PTR") == 1
    assert site.dns.count(cast.GOOD.helo, "AAAA") == 1
    assert site.dns.count(cast.GOOD.domain, "TXT") == 1
    assert site.dns.count(f"lab._domainkey.{cast.GOOD.domain}", "TXT") == 1


def test_mapped_addresses_are_ipv4(site: Site, start: Start) -> None:
    start(ENFORCE)
    message = messages.compose("sender@neither.test", cast.RECIPIENT)
    with from_loopback() as client:
        client.ehlo("proxy.test")
        name = {"ADDR": "IPV6:::ffff:192.0.2.77", "NAME": "[UNAVAILABLE]"}
        assert client.xclient(name).code == 220
        client.ehlo("mail.neither.test")
        site.dns.forget()
        assert client.send("sender@neither.test", cast.RECIPIENT, message.content).code == 250
        client.quit()
    assert site.dns.questions() == []


def test_loopback_is_not_judged(site: Site, start: Start) -> None:
    start(ENFORCE)
    message = messages.compose("sender@neither.test", cast.RECIPIENT)
    with from_loopback() as client:
        client.ehlo("localhost")
        assert client.send("sender@neither.test", cast.RECIPIENT, message.content).code == 250
        client.quit()
    assert site.postfix.delivered(message.message_id)


def test_local_submission_is_not_judged(site: Site, start: Start) -> None:
    start(ENFORCE)
    message = messages.compose("root@rx.example.test", cast.RECIPIENT)
    site.postfix.submit_locally(message.content, "root@rx.example.test", cast.RECIPIENT)
    assert site.postfix.delivered(message.message_id)
    assert site.dns.questions() == []


def test_authenticated_mail_is_not_judged(site: Site, start: Start) -> None:
    start(ENFORCE)
    assert outcome_of(site, cast.NO_PTR).codes == "550 5.7.25"
    assert delivered(outcome_of(site, cast.NEITHER, login=SASL_USER))
    assert delivered(outcome_of(site, cast.NO_PTR, login=SASL_USER))


def test_exempt_networks_are_not_judged_and_keep_their_fields(site: Site, start: Start) -> None:
    start(ENFORCE + f'[exempt]\nnetworks = ["{cast.NO_PTR.address}"]\n')
    message = site.message(cast.NO_PTR, fields=forged(2))
    assert len(ours(delivered(outcome_of(site, cast.NO_PTR, message)))) == 2
    assert outcome_of(site, cast.FORGED_PTR).codes == "550 5.7.25"


def test_mail_to_postmaster_alone_is_not_refused(site: Site, start: Start) -> None:
    start(ENFORCE)
    for recipient in (f"postmaster@{cast.HOST}", f"Abuse@{cast.HOST.upper()}"):
        assert delivered(outcome_of(site, cast.NO_PTR, recipients=recipient))


def test_postmaster_among_others_exempts_nothing(site: Site, start: Start) -> None:
    start(ENFORCE)
    for recipients in ([f"postmaster@{cast.HOST}", cast.RECIPIENT], [cast.RECIPIENT, f"postmaster@{cast.HOST}"]):
        assert outcome_of(site, cast.NO_PTR, recipients=recipients).codes == "550 5.7.25"


def test_the_operator_names_the_exempt_recipients(site: Site, start: Start) -> None:
    start(ENFORCE + '[exempt]\nrecipients = ["*@other.example.test"]\n')
    assert delivered(outcome_of(site, cast.NO_PTR, recipients="bob@other.example.test"))
    assert outcome_of(site, cast.NO_PTR, recipients=f"postmaster@{cast.HOST}").codes == "550 5.7.25"
