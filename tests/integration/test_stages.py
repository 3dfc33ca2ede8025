"""Whom a stage selects, as a real MTA's mail comes in, and what a stage may have of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Start
from outcomes import outcome_of
from receiver import Receiver

from lab import cast, messages, rollout, smtp
from lab.cast import Client
from lab.dns_tap import Fault
from lab.messages import Message
from lab.milter import NO_REPLY, NOT_SENT, Milter
from lab.site import LISTENER_NAME, NAMED_PORT, SENDMAIL_DUAL_STACK_PORT, SENDMAIL_PORT, SMTP_PORT, Site
from lab.smtp import Reply

OTHER = "other.example.test"
BOB = f"bob@{OTHER}"
POSTMASTER = f"postmaster@{cast.HOST}"
TAKEN = "250 2.0.0"
SHUT = "451 4.7.1"


def stage(selector: str, mode: str = "closed", name: str = "chosen") -> str:
    return f'[[stage]]\nname = "{name}"\n{selector}\nmode = "{mode}"\n'


# -- selectors: whom `chosen` selects is shut out, everybody else is only observed.


@dataclass(frozen=True)
class Mail:
    client: Client
    mail_from: str | None = None

    def codes(self, site: Site) -> str:
        return outcome_of(site, self.client, mail_from=self.mail_from).codes


# A "{list:a|b}" goes for the path of a file with these lines.
SELECTORS = {
    "network": ('networks = ["2001:db8:8::/48"]', [Mail(cast.PARTNER), Mail(cast.PARTNER_NO_PTR)], [Mail(cast.GOOD)]),
    "address": (f'networks = ["{cast.GOOD.address}"]', [Mail(cast.GOOD)], [Mail(cast.SPF_ONLY)]),
    "networks_file": (
        'networks_file = "{list:2001:db8:8::/48 # partners|2001:db8:5::4}"',
        [Mail(cast.PARTNER), Mail(cast.SPF_ONLY)],
        [Mail(cast.GOOD)],
    ),
    "name": ('reverse_names = ["OUT.named.test"]', [Mail(cast.NAMED_UNSIGNED)], [Mail(cast.NAMED), Mail(cast.GOOD)]),
    "names below": (
        'reverse_names = [".named.test", ".innocent.test"]',
        [Mail(cast.NAMED), Mail(cast.NAMED_UNSIGNED)],
        [Mail(cast.FORGED_PTR), Mail(cast.NO_PTR)],
    ),
    "reverse_names_file": ('reverse_names_file = "{list:mail.named.test}"', [Mail(cast.NAMED)], [Mail(cast.GOOD)]),
    "authenticated by SPF": (
        f'authenticated = ["{cast.SPF_ONLY.domain}"]',
        [Mail(cast.SPF_ONLY)],
        [Mail(cast.GOOD), Mail(cast.NEITHER, cast.SPF_ONLY.mail_from), Mail(cast.SPF_ONLY, "")],
    ),
    "authenticated by DKIM": (
        f'authenticated = ["{cast.DKIM_ONLY.domain}", "{cast.BROKEN_SIGNATURE.domain}"]',
        [Mail(cast.DKIM_ONLY), Mail(cast.DKIM_ONLY, "")],
        [Mail(cast.BROKEN_SIGNATURE), Mail(cast.GOOD)],
    ),
    "domains_file": ('domains_file = "{list:example.org|# nobody|}"', [Mail(cast.SIGNER)], [Mail(cast.SIGNER_NO_PTR)]),
    "from the past": ("from = 2020-01-01T00:00:00Z", [Mail(cast.GOOD)], []),
    "from the future": ("from = 2999-01-01T00:00:00+14:00", [], [Mail(cast.GOOD)]),
    "until the past": ("until = 2020-01-01T00:00:00-08:00", [], [Mail(cast.GOOD)]),
    "until the future": ("until = 2999-01-01T00:00:00Z", [Mail(cast.GOOD)], []),
    "all of several": (
        'networks = ["2001:db8:b::/48"]\nauthenticated = ["example.org", "good.test"]\nuntil = 2999-01-01T00:00:00Z',
        [Mail(cast.SIGNER)],
        [Mail(cast.SIGNER_NO_PTR), Mail(cast.GOOD)],
    ),
}


def with_list(text: str, folder: Path) -> str:
    before, mark, rest = text.partition("{list:")
    if not mark:
        return text
    items, _, after = rest.partition("}")
    file = folder / "list"
    file.write_text(items.replace("|", "\n") + "\n")
    return f"{before}{file}{after}"


@pytest.mark.parametrize(("selector", "chosen", "others"), SELECTORS.values(), ids=SELECTORS)
def test_a_selector(
    site: Site, start: Start, tmp_path: Path, selector: str, chosen: list[Mail], others: list[Mail]
) -> None:
    start(stage(with_list(selector, tmp_path)))
    assert [mail.codes(site) for mail in chosen] == [SHUT] * len(chosen)
    assert [mail.codes(site) for mail in others] == [TAKEN] * len(others)


def test_the_first_stage_that_selects_applies(site: Site, start: Start) -> None:
    sixgate = start(
        stage('networks = ["2001:db8:bad::1"]', "enforce", "host")
        + stage('networks = ["2001:db8:bad::/64"]', "soft", "network")
        + stage("", "closed", "world")
    )
    got = [outcome_of(site, client).codes for client in (cast.NO_PTR, cast.FORGED_PTR, cast.GOOD)]
    assert got == ["550 5.7.25", "450 4.7.25", SHUT]
    assert [entry["stage"] for entry in sixgate.entries()] == ["host", "network", "world"]


def test_a_list_is_read_again_with_the_configuration(site: Site, start: Start, tmp_path: Path) -> None:
    networks = tmp_path / "networks"
    networks.write_text("2001:db8:8::/48\n")
    text = stage(f'networks_file = "{networks}"')
    sixgate = start(text)
    networks.write_text("2001:db8:5::/48\n")
    assert [outcome_of(site, client).codes for client in (cast.PARTNER, cast.GOOD)] == [SHUT, TAKEN]
    sixgate.reload(site.configuration(text))
    assert [outcome_of(site, client).codes for client in (cast.PARTNER, cast.GOOD)] == [TAKEN, SHUT]
    networks.write_text("2001:db8:8::/48\n2001:db8:5::1/48\n")
    sixgate.reload(site.configuration(text))
    assert "event=reload_failed" in sixgate.log() and f"{networks}:2" in sixgate.log()
    assert [outcome_of(site, client).codes for client in (cast.PARTNER, cast.GOOD)] == [TAKEN, SHUT]


def test_a_share_of_senders_is_the_same_from_every_address(site: Site, start: Start, tmp_path: Path) -> None:
    key = tmp_path / "rollout.key"
    key.write_text(rollout.KEY + "\n")
    start(f'[rollout]\nkey = "file:{key}"\n' + stage("percent = 10"))
    domain = cast.EARLY.domain
    assert rollout.percentile(domain) < 10 <= rollout.percentile("good.test")
    addresses = (cast.EARLY, cast.GOOD, cast.NO_PTR, cast.PARTNER)
    early = [Mail(client, f"{name}@{domain}") for client in addresses for name in ("sender", "else")]
    early += [Mail(cast.GOOD, f"sender@news.{domain}"), Mail(cast.GOOD, f"sender@{domain.upper()}")]
    early.append(Mail(cast.EARLY, ""))  # by its HELO name
    late = [Mail(client, f"sender@{cast.GOOD.domain}") for client in addresses] + [Mail(cast.GOOD, "")]
    assert [mail.codes(site) for mail in early] == [SHUT] * len(early)
    assert [mail.codes(site) for mail in late] == [TAKEN] * len(late)


def test_nobody_is_refused_for_good_by_a_stage_that_may_not_be_theirs(site: Site, start: Start) -> None:
    """Had the name been looked up, the forwarder's stage might have taken the mail."""
    text = '[policy]\nmode = "enforce"\nreverse_name = "any"\n'
    forwarder = stage('reverse_names = [".forwarder.test"]', "tag")
    site.dns.fail(Fault.SERVFAIL, cast.NEITHER.ptr_name)
    sixgate = start(text + forwarder)
    assert outcome_of(site, cast.NEITHER).codes == "451 4.4.3"
    sixgate.reload(site.configuration(text))
    assert outcome_of(site, cast.NEITHER).codes == "550 5.7.26"


# -- listeners


LISTENERS = {
    "an address": (f'"{cast.SECOND_ADDRESS6}"', cast.SECOND_ADDRESS6, SMTP_PORT),
    "an address with its port": (f'"[{cast.ADDRESS6}]:{NAMED_PORT}"', cast.ADDRESS6, NAMED_PORT),
    "a port": (f'":{NAMED_PORT}"', cast.ADDRESS6, NAMED_PORT),
    "a name": (f'"{LISTENER_NAME.upper()}"', cast.ADDRESS6, NAMED_PORT),
}


def sent_to(site: Site, client: Client, address: str, port: int) -> Reply:
    with site.connect(client, port, address) as connection:
        connection.ehlo(client.helo)
        reply = connection.send(client.mail_from, cast.RECIPIENT, site.message(client).content)
        connection.quit()
    return reply


@pytest.mark.parametrize(("listener", "address", "port"), LISTENERS.values(), ids=LISTENERS)
def test_a_listener_of_postfix(site: Site, start: Start, listener: str, address: str, port: int) -> None:
    start(stage(f"listeners = [{listener}]"))
    assert sent_to(site, cast.GOOD, address, port).codes == SHUT
    assert sent_to(site, cast.GOOD, cast.ADDRESS6, SMTP_PORT).codes == TAKEN


@pytest.mark.parametrize(
    "listener", [f'":{SENDMAIL_DUAL_STACK_PORT}"', '"MTA4"', f'"[::]:{SENDMAIL_DUAL_STACK_PORT}"']
)
@pytest.mark.usefixtures("the_sendmail")
def test_a_listener_of_sendmail(site: Site, start: Start, listener: str) -> None:
    start(stage(f"listeners = [{listener}]"))
    assert sent_to(site, cast.GOOD, cast.ADDRESS6, SENDMAIL_DUAL_STACK_PORT).codes == SHUT
    assert sent_to(site, cast.GOOD, cast.ADDRESS6, SENDMAIL_PORT).codes == TAKEN


def test_two_listeners_with_profiles_of_their_own(site: Site, start: Start) -> None:
    """That of MX6 leads back to IPv4, and the ordinary one never speaks of it."""
    start(
        '[policy]\nmode = "enforce"\n'
        + stage(f'listeners = ["{LISTENER_NAME}"]', "enforce", "mx6")
        + 'profile = "mx6"\nhelp_url = "https://mail.example.org/mx6"\n'
    )
    mx6 = sent_to(site, cast.NO_PTR, cast.ADDRESS6, NAMED_PORT)
    assert mx6.codes == "550 5.5.5"
    assert "retry over IPv4" in mx6.lines[0]
    assert "https://mail.example.org/mx6" in str(mx6)
    assert "Authentication-Results:" in str(mx6)
    ordinary = sent_to(site, cast.NO_PTR, cast.ADDRESS6, SMTP_PORT)
    assert ordinary.codes == "550 5.7.25"
    assert "IPv4" not in str(ordinary) and "mx6" not in str(ordinary)


# -- recipients


TENANT = stage(f'recipients = ["*@{OTHER}"]', "enforce", "tenant")


@pytest.mark.parametrize(("client", "codes"), [(cast.GOOD, TAKEN), (cast.NO_PTR, "550 5.7.25")])
def test_recipients_of_different_stages_come_one_after_the_other(
    start: Start, mta: Receiver, client: Client, codes: str
) -> None:
    start(TENANT)
    first, second = mta.site.message(client), mta.site.message(client)
    with mta.greet(client) as connection:
        connection.mail(client.mail_from)
        assert connection.rcpt(cast.RECIPIENT).code == 250
        assert connection.rcpt(BOB).codes == "452 4.5.3"
        assert connection.rcpt(f"carol@{cast.HOST}").code == 250
        assert connection.data(first.content).code == 250
        reply = connection.send(client.mail_from, BOB, second.content)
        connection.quit()
    assert reply.codes == codes
    assert mta.keeps_its_word(reply, second)
    assert mta.program.mailbox.content(first.message_id)


def test_the_tenant_may_come_first(start: Start, mta: Receiver) -> None:
    start(TENANT)
    client = cast.NO_PTR
    refused, taken = mta.site.message(client), mta.site.message(client)
    with mta.greet(client) as connection:
        connection.mail(client.mail_from)
        assert connection.rcpt(BOB).code == 250
        assert connection.rcpt(cast.RECIPIENT).codes == "452 4.5.3"
        assert connection.rcpt(f"carol@{OTHER}").code == 250
        assert connection.data(refused.content).codes == "550 5.7.25"
        assert connection.send(client.mail_from, cast.RECIPIENT, taken.content).code == 250
        connection.quit()
    assert mta.program.mailbox.content(taken.message_id)
    assert not mta.program.has(refused.message_id)


def test_stages_that_answer_alike_come_together(start: Start, mta: Receiver) -> None:
    start(stage(f'recipients = ["*@{OTHER}"]', "observe", "tenant"))
    assert mta.offer(cast.NO_PTR, recipients=[cast.RECIPIENT, BOB]).code == 250


@pytest.mark.parametrize("recipients", [[cast.RECIPIENT, BOB], [BOB, cast.RECIPIENT]], ids=["world", "tenant"])
def test_the_strictest_of_their_stages(start: Start, mta: Receiver, recipients: list[str]) -> None:
    start('[policy]\nmixed_recipients = "strictest"\n' + TENANT)
    for client, code in ((cast.NO_PTR, 550), (cast.GOOD, 250)):
        with mta.greet(client) as connection:
            message = mta.site.message(client)
            connection.mail(client.mail_from)
            assert [connection.rcpt(recipient).code for recipient in recipients] == [250, 250]
            reply = connection.data(message.content)
            connection.quit()
        assert reply.code == code
        assert mta.keeps_its_word(reply, message)
    assert mta.offer(cast.NO_PTR).code == 250


@pytest.mark.parametrize("mixed", ["split", "strictest"])
def test_exempt_and_closed_recipients_beside_others(start: Start, mta: Receiver, mixed: str) -> None:
    """Each is told at RCPT, and the message goes to the others."""
    start(f'[policy]\nmixed_recipients = "{mixed}"\n' + stage(f'recipients = ["*@{OTHER}"]', name="tenant"))
    client = cast.NO_PTR
    message = mta.site.message(client)
    with mta.greet(client) as connection:
        connection.mail(client.mail_from)
        assert connection.rcpt(BOB).codes == SHUT
        assert connection.rcpt(cast.RECIPIENT).code == 250
        assert connection.rcpt(BOB).codes == SHUT
        assert connection.rcpt(f"carol@{cast.HOST}").code == 250
        assert connection.data(message.content).code == 250
        connection.mail(client.mail_from)
        assert connection.rcpt(f"postmaster@{OTHER}").code == 250
        assert connection.rcpt(BOB).codes == SHUT
        assert connection.data(mta.site.message(client).content).code == 250
        connection.quit()
    assert mta.program.mailbox.content(message.message_id)


def test_each_tenant_is_told_its_own_domain(start: Start, mta: Receiver) -> None:
    """As Exchange Online Protection answers for those who have not opted in."""
    start('[policy]\nprofile = "eop"\nmode = "closed"\n' + TENANT)
    with mta.greet(cast.GOOD) as connection:
        connection.mail(cast.GOOD.mail_from)
        assert connection.rcpt(POSTMASTER).code == 250
        reply = connection.rcpt(cast.RECIPIENT)
        assert reply.codes == "550 5.2.1"
        assert f" {cast.HOST} takes no mail over IPv6" in reply.lines[0]
        connection.command("RSET")
        message = mta.site.message(cast.GOOD)
        assert connection.send(cast.GOOD.mail_from, BOB, message.content).code == 250
        connection.quit()
    assert mta.program.mailbox.content(message.message_id)


# -- closed at HELO


def test_closed_at_helo_ends_the_connection(start: Start, mta: Receiver) -> None:
    sixgate = start('[policy]\nmode = "closed"\nclosed_at = "helo"\n')
    for verb in ("EHLO", "HELO"):
        with mta.connect(cast.GOOD) as connection:
            reply = connection.command(f"{verb} {cast.GOOD.helo}")
            assert reply.codes == "421 4.7.1"
            assert cast.GOOD.address in reply.lines[0] and "please use IPv4" in reply.lines[0]
            with pytest.raises((smtp.ConnectionLost, OSError)):
                connection.mail(cast.GOOD.mail_from)
    assert [entry["stage"] for entry in sixgate.entries()] == ["default"] * 2
    assert mta.offer(cast.IPV4).code == 250


def test_closed_at_helo_on_one_listener_with_partners_before_it(site: Site, start: Start) -> None:
    start(
        stage('networks = ["2001:db8:8::/48"]', "enforce", "partners")
        + stage(f'listeners = [":{NAMED_PORT}"]')
        + 'closed_at = "helo"\n'
    )
    assert sent_to(site, cast.PARTNER, cast.ADDRESS6, NAMED_PORT).codes == TAKEN
    assert sent_to(site, cast.GOOD, cast.ADDRESS6, SMTP_PORT).codes == TAKEN
    with site.connect(cast.GOOD, NAMED_PORT) as connection:
        assert connection.ehlo(cast.GOOD.helo).code == 421


# -- what is agreed upon with the MTA


def test_a_connection_from_before_it_was_closed_is_told_at_the_end(site: Site, start: Start) -> None:
    """It was agreed that nothing is answered at HELO and RCPT."""
    sixgate = start('[policy]\nmode = "observe"\n')
    with site.connect(cast.GOOD) as connection:
        sixgate.reload(site.configuration('[policy]\nmode = "closed"\nclosed_at = "helo"\n'))
        assert connection.ehlo(cast.GOOD.helo).code == 250
        connection.mail(cast.GOOD.mail_from)
        assert connection.rcpt(cast.RECIPIENT).code == 250
        message = site.message(cast.GOOD)
        assert connection.data(message.content).codes == SHUT
    assert not site.postfix.has(message.message_id)


# A configuration, and the events at which it answers before the message.
ANSWERS = {
    "observed": ('[policy]\nmode = "observe"\n', ""),
    "enforced": (stage('networks = ["2001:db8:8::/48"]\nauthenticated = ["good.test"]', "enforce"), ""),
    "listeners": (stage('listeners = [":25"]\nreverse_names = [".good.test"]', "soft"), ""),
    "recipients": (TENANT, "R"),
    "closed": (stage('networks = ["2001:db8:8::/48"]'), "R"),
    "closed at HELO": (stage('networks = ["2001:db8:8::/48"]') + 'closed_at = "helo"\n', "HR"),
    "a test address": (f'[probe]\nrecipients = ["ipv6-test@{cast.HOST}"]\n', "R"),
}


@pytest.mark.parametrize(("text", "answered"), ANSWERS.values(), ids=ANSWERS)
def test_events_are_answered_only_where_need_be(site: Site, start: Start, text: str, answered: str) -> None:
    sixgate = start(text)
    with Milter(str(sixgate.socket_path)) as milter:
        silent = [event for event in NO_REPLY if milter.steps & (NO_REPLY[event] | NOT_SENT.get(event, 0))]
    assert "".join(event for event in "CHMRTLNB" if event not in silent) == "C" + answered


# -- requirements of a stage


SENDER_DOMAINS = {
    cast.NULL_MX: "550 5.7.27",
    cast.NO_MAIL: "550 5.1.8",
    "nowhere.test": "550 5.1.8",
    cast.IPV6_ONLY_MX: TAKEN,
    cast.IPV6_ONLY: TAKEN,
    cast.IPV4_ONLY: TAKEN,
}


def test_the_sender_domain_has_to_be_reachable(site: Site, start: Start) -> None:
    """The signature of good.test authenticates what this client sends for all of them."""
    start(stage('networks = ["2001:db8:5::1"]', "enforce") + 'sender_domain = "reachable"\n')
    got = {domain: outcome_of(site, cast.GOOD, mail_from=f"sender@{domain}") for domain in SENDER_DOMAINS}
    assert {domain: outcome.codes for domain, outcome in got.items()} == SENDER_DOMAINS
    for domain in (cast.NULL_MX, cast.NO_MAIL):
        assert domain in got[domain].reply.lines[0]
    assert outcome_of(site, cast.GOOD, mail_from="").codes == TAKEN
    assert outcome_of(site, cast.PARTNER, mail_from=f"sender@{cast.NULL_MX}").codes == TAKEN
    site.dns.fail(Fault.SERVFAIL, "slow.test")
    assert outcome_of(site, cast.GOOD, mail_from="sender@slow.test").codes == "451 4.4.3"


def test_without_the_requirement_nothing_is_asked(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\n')
    assert outcome_of(site, cast.GOOD, mail_from=f"sender@{cast.NULL_MX}").codes == TAKEN
    assert site.dns.count(cast.NULL_MX, "MX") == 0


def from_author(site: Site, client: Client, author: str) -> Message:
    """As the client signs it, with this in From."""
    return site.keys.signed(client, messages.compose(author, cast.RECIPIENT))


ALIGNED = {
    "its SPF": (cast.SPF_ONLY, "spf-only.test", TAKEN),
    "its DKIM": (cast.SIGNER, "example.org", TAKEN),
    "DKIM of its organization": (cast.SIGNER, "news.example.org", TAKEN),
    "SPF of another": (cast.SPF_ONLY, "good.test", "550 5.7.26"),
    "DKIM of another": (cast.SIGNER, "example.com", "550 5.7.26"),
    "neither": (cast.NEITHER, "neither.test", "550 5.7.26"),
}


def test_authentication_has_to_be_the_authors(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\nauthentication = "aligned"\n')
    got = {
        name: outcome_of(site, client, from_author(site, client, f"ceo@{domain}")).codes
        for name, (client, domain, _) in ALIGNED.items()
    }
    assert got == {name: codes for name, (*_, codes) in ALIGNED.items()}
