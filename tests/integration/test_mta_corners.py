"""What an SMTP dialogue can hold besides the ordinary: each on Postfix and on Sendmail."""

from __future__ import annotations

import re

import pytest
from conftest import Start
from receiver import Receiver, results_of

from lab import cast, messages, smtp
from lab.cast import Client
from lab.messages import Message
from lab.sendmail import Sendmail
from lab.sixgate import Sixgate
from lab.site import (
    AUTHSERV_ID,
    LOCAL_SMTP,
    SASL_USER,
    SENDMAIL_DUAL_STACK_PORT,
    SMTP_PORT,
    Site,
)

ENFORCE = '[policy]\nmode = "enforce"\n'
POSTMASTER = f"postmaster@{cast.HOST}"
FORGED = ("Authentication-Results", f"{AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test")


def by_name(client: Client) -> str:
    return client.name


# -- HELO


@pytest.mark.parametrize(("client", "codes"), [(cast.GOOD, "250 2.0.0"), (cast.NO_PTR, "550 5.7.25")])
def test_without_helo(start: Start, mta: Receiver, client: Client, codes: str) -> None:
    start(ENFORCE)
    message = mta.site.message(client)
    with mta.connect(client) as connection:
        reply = connection.send(client.mail_from, cast.RECIPIENT, message.content)
        connection.quit()
    assert reply.codes == codes
    assert mta.keeps_its_word(reply, message)


def test_a_bounce_without_helo_has_nothing_to_show(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    message = mta.site.message(cast.NEITHER)
    with mta.connect(cast.NEITHER) as connection:
        assert connection.send("", cast.RECIPIENT, message.content).codes == "550 5.7.26"


@pytest.mark.parametrize(
    ("names", "code"), [(("wrong.test", cast.NEITHER.helo), 250), ((cast.NEITHER.helo, "wrong.test"), 550)]
)
def test_the_last_helo_counts(start: Start, mta: Receiver, names: tuple[str, str], code: int) -> None:
    """A bounce is authenticated by its HELO name, so the name shows."""
    start(ENFORCE)
    message = mta.site.message(cast.NEITHER)
    with mta.connect(cast.NEITHER) as connection:
        for name in names:
            assert connection.ehlo(name).code == 250
        assert connection.send("", cast.RECIPIENT, message.content).code == code


def test_helo_in_a_transaction_clears_it(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    message = mta.site.message(cast.NO_PTR)
    with mta.greet(cast.NO_PTR) as connection:
        assert connection.mail(cast.NO_PTR.mail_from).code == 250
        assert connection.rcpt(POSTMASTER).code == 250
        assert connection.ehlo(cast.NO_PTR.helo).code == 250
        assert connection.send(cast.NO_PTR.mail_from, cast.RECIPIENT, message.content).codes == "550 5.7.25"


# -- STARTTLS, which Sendmail's lab has no certificate for. RFC 3207 section 4.2 has the server forget what came before.


@pytest.fixture
def postfix(site: Site) -> Receiver:
    return Receiver(site, site.postfix, SMTP_PORT)


@pytest.mark.parametrize(
    ("names", "code"), [(("wrong.test", cast.NEITHER.helo), 250), ((cast.NEITHER.helo, "wrong.test"), 550)]
)
def test_the_helo_after_starttls_counts(start: Start, postfix: Receiver, names: tuple[str, str], code: int) -> None:
    start(ENFORCE)
    message = postfix.site.message(cast.NEITHER)
    with postfix.connect(cast.NEITHER) as connection:
        assert connection.ehlo(names[0]).code == 250
        connection.starttls()
        assert connection.ehlo(names[1]).code == 250
        reply = connection.send("", cast.RECIPIENT, message.content)
        connection.quit()
    assert reply.code == code
    assert postfix.keeps_its_word(reply, message)


def test_starttls_in_a_transaction_clears_it(start: Start, postfix: Receiver) -> None:
    sixgate = start(ENFORCE)
    client = cast.NO_PTR
    messages_ = [postfix.site.message(client) for _ in range(2)]
    with postfix.greet(client) as connection:
        assert connection.mail(cast.GOOD.mail_from).code == 250
        assert connection.rcpt(POSTMASTER).code == 250
        connection.starttls()
        assert connection.ehlo(client.helo).code == 250
        assert connection.rcpt(cast.RECIPIENT).code == 503
        assert connection.send(client.mail_from, cast.RECIPIENT, messages_[0].content).codes == "550 5.7.25"
        assert connection.send(client.mail_from, POSTMASTER, messages_[1].content).code == 250
        connection.quit()
    assert not postfix.program.has(messages_[0].message_id)
    assert [entry["mail_from_domain"] for entry in entries_of(sixgate, 2)] == [client.domain] * 2


def test_iprev_is_known_after_starttls(start: Start, postfix: Receiver) -> None:
    """The connection is the same, and so is the client."""
    start(ENFORCE)
    postfix.site.dns.forget()
    message = postfix.site.message(cast.GOOD)
    with postfix.greet(cast.GOOD) as connection:
        connection.starttls()
        assert connection.ehlo(cast.GOOD.helo).code == 250
        assert connection.send(cast.GOOD.mail_from, cast.RECIPIENT, message.content).code == 250
        connection.quit()
    assert "iprev=pass" in results_of(postfix.fields(message))[0]
    assert postfix.site.dns.count(cast.GOOD.ptr_name, "PTR") == 1


def test_authentication_after_starttls(start: Start, postfix: Receiver) -> None:
    start(ENFORCE)
    client = cast.NO_PTR
    message = postfix.site.message(client)
    with postfix.greet(client) as connection:
        connection.starttls()
        assert connection.ehlo(client.helo).code == 250
        assert connection.send(client.mail_from, cast.RECIPIENT, message.content).codes == "550 5.7.25"
        assert connection.auth_plain(*SASL_USER).code == 235
        assert connection.send(client.mail_from, cast.RECIPIENT, message.content).code == 250
        connection.quit()


def test_authentication_before_starttls_counts_no_more(start: Start, postfix: Receiver) -> None:
    start(ENFORCE)
    client = cast.NO_PTR
    with postfix.greet(client) as connection:
        assert connection.auth_plain(*SASL_USER).code == 235
        connection.starttls()
        assert connection.ehlo(client.helo).code == 250
        message = postfix.site.message(client)
        assert connection.send(client.mail_from, cast.RECIPIENT, message.content).codes == "550 5.7.25"


# -- transactions


def test_rset_clears_the_recipients(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    client = cast.NO_PTR
    refused, taken = mta.site.message(client), mta.site.message(client)
    with mta.greet(client) as connection:
        connection.mail(client.mail_from)
        assert connection.rcpt(POSTMASTER).code == 250
        assert connection.command("RSET").code == 250
        assert connection.send(client.mail_from, cast.RECIPIENT, refused.content).codes == "550 5.7.25"
        connection.mail(client.mail_from)
        assert connection.rcpt(cast.RECIPIENT).code == 250
        assert connection.command("RSET").code == 250
        assert connection.send(client.mail_from, POSTMASTER, taken.content).code == 250
    assert mta.fields(taken)
    assert not mta.program.has(refused.message_id)


def test_a_second_mail_changes_nothing(start: Start, mta: Receiver) -> None:
    """The MTA refuses it, and sixgate never hears of it."""
    sixgate = start(ENFORCE)
    message = mta.site.message(cast.NEITHER)
    with mta.greet(cast.NEITHER) as connection:
        assert connection.mail(cast.NEITHER.mail_from).code == 250
        assert connection.mail(cast.GOOD.mail_from).code == 503
        assert connection.rcpt(cast.RECIPIENT).code == 250
        assert connection.data(message.content).codes == "550 5.7.26"
        # No abort comes between a refused message and the next MAIL.
        assert connection.mail("").code == 250
        assert connection.rcpt(cast.RECIPIENT).code == 250
        assert connection.data(message.content).code == 250
        connection.quit()
    assert [entry["mail_from_domain"] for entry in entries_of(sixgate, 2)] == [cast.NEITHER.domain, "<>"]


def entries_of(sixgate: Sixgate, count: int) -> list[dict[str, str]]:
    sixgate.stop_soon()
    entries = sixgate.entries()
    assert len(entries) == count
    return entries


def test_a_mail_that_the_mta_refuses_leaves_no_trace(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    message = mta.site.message(cast.GOOD)
    with mta.greet(cast.GOOD) as connection:
        assert connection.command("MAIL FROM:").code >= 500
        assert connection.command("MAIL FROM:<x@neither.test> NONSENSE=1").code >= 500
        assert connection.command("RCPT TO:<>").code >= 500
        assert connection.send(cast.GOOD.mail_from, ["x@elsewhere.test", cast.RECIPIENT], message.content).code == 250
        connection.quit()
    assert len(results_of(mta.fields(message))) == 1


def test_each_of_many_messages_is_judged_by_itself(start: Start, mta: Receiver) -> None:
    sixgate = start(ENFORCE)
    client = cast.NEITHER
    signed, unsigned = mta.site.message(cast.DKIM_ONLY), mta.site.message(client)
    order = [unsigned, signed, signed, unsigned, signed, unsigned]
    with mta.greet(client) as connection:
        codes = [connection.send(client.mail_from, cast.RECIPIENT, message.content).code for message in order]
        connection.quit()
    assert codes == [550, 250, 250, 550, 250, 550]
    assert not mta.program.has(unsigned.message_id)
    assert len({entry["case"] for entry in entries_of(sixgate, 6)}) == 6


# -- extensions


def test_pipelining(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    client = cast.NEITHER
    signed, unsigned = mta.site.message(cast.DKIM_ONLY), mta.site.message(client)
    envelope = (f"MAIL FROM:<{client.mail_from}>", f"RCPT TO:<{cast.RECIPIENT}>", "DATA")
    with mta.greet(client) as connection:
        assert [reply.code for reply in connection.pipelined(*envelope)] == [250, 250, 354]
        connection.write(smtp.dot_stuffed(unsigned.content) + b".\r\n")
        again = connection.pipelined(*envelope)  # before the reply to the end of the message is read
        assert again[0].codes == "550 5.7.26"
        assert [again[1].code, again[2].code, connection.reply().code] == [250, 250, 354]
        assert connection.content(signed.content).code == 250
        connection.quit()
    assert mta.fields(signed)
    assert not mta.program.has(unsigned.message_id)


def test_pipelining_where_each_recipient_is_refused(start: Start, mta: Receiver) -> None:
    start('[policy]\nmode = "closed"\n')
    with mta.greet(cast.GOOD) as connection:
        replies = connection.pipelined(
            f"MAIL FROM:<{cast.GOOD.mail_from}>", f"RCPT TO:<{cast.RECIPIENT}>", f"RCPT TO:<bob@{cast.HOST}>", "DATA"
        )
        assert [reply.codes for reply in replies[1:3]] == ["451 4.7.1", "451 4.7.1"]
        assert replies[3].code in (503, 554)
        assert connection.command("RSET").code == 250


def test_bdat(start: Start, mta: Receiver) -> None:
    """RFC 3030. Postfix offers it, Sendmail 8.17 does not."""
    start(ENFORCE)
    for client, codes in ((cast.GOOD, "250 2.0.0"), (cast.NO_PTR, "550 5.7.25"), (cast.GOOD, "250 2.0.0")):
        message = mta.site.message(client)
        half = len(message.content) // 2
        with mta.connect(client) as connection:
            offers = "CHUNKING" in str(connection.ehlo(client.helo))
            assert offers == mta.is_postfix
            connection.mail(client.mail_from)
            connection.rcpt(cast.RECIPIENT)
            if not offers:
                assert connection.command("BDAT 0 LAST").code == 500
                assert connection.data(message.content).codes == codes
                continue
            assert connection.bdat(message.content[:half]).code == 250
            assert connection.bdat(message.content[half:]).code == 250
            reply = connection.bdat(b"", is_last=True)
            connection.quit()
        assert reply.codes == codes
        assert mta.keeps_its_word(reply, message)


def test_authenticated_mail_is_not_judged(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    client = cast.NO_PTR
    with mta.greet(client) as connection:
        refused = mta.site.message(client)
        assert connection.send(client.mail_from, cast.RECIPIENT, refused.content).codes == "550 5.7.25"
        assert connection.auth_plain(SASL_USER[0], "wrong").code == 535
        assert connection.send(client.mail_from, cast.RECIPIENT, refused.content).codes == "550 5.7.25"
        assert connection.auth_plain(*SASL_USER).code == 235
        taken = [mta.site.message(client, fields=[FORGED]) for _ in range(2)]
        for message in taken:
            assert connection.send(client.mail_from, cast.RECIPIENT, message.content).code == 250
        connection.quit()
    for message in taken:
        assert not results_of(mta.fields(message)), "a submitter's forged field stayed"


# -- clients without an IPv6 address of their own


def unjudged(start: Start, mta: Receiver) -> Message:
    """A message that no IPv6 client could send, and nothing asked before it goes."""
    start(ENFORCE)
    mta.site.dns.forget()
    return messages.compose("sender@neither.test", cast.RECIPIENT, fields=[FORGED])


def test_loopback(start: Start, mta: Receiver) -> None:
    message = unjudged(start, mta)
    with smtp.Client(("::1", mta.port), "::1") as connection:
        connection.ehlo("localhost")
        assert connection.send("sender@neither.test", cast.RECIPIENT, message.content).code == 250
    assert results_of(mta.fields(message)) == [FORGED[1]], "the fields of this host's own are not forged"
    assert mta.site.dns.questions() == []


def test_ipv4(start: Start, mta: Receiver) -> None:
    message = unjudged(start, mta)
    assert mta.offer(cast.IPV4, message).code == 250
    assert not results_of(mta.fields(message))
    assert mta.site.dns.questions() == []


def test_ipv4_on_a_listener_for_both(start: Start, site: Site, the_sendmail: Sendmail) -> None:
    """Sendmail's listener on [::], where the kernel shows IPv4 clients as mapped addresses."""
    both = Receiver(site, the_sendmail, SENDMAIL_DUAL_STACK_PORT)
    message = unjudged(start, both)
    assert both.offer(cast.IPV4, message).code == 250
    assert not results_of(both.fields(message))
    assert site.dns.questions() == []
    assert both.offer(cast.NO_PTR).codes == "550 5.7.25"


def test_local_submission(start: Start, mta: Receiver) -> None:
    message = unjudged(start, mta)
    mta.program.submit_locally(message.content, "root@rx.example.test", cast.RECIPIENT)
    assert results_of(mta.fields(message)) == [FORGED[1]]
    assert mta.site.dns.questions() == []


def test_smtp_over_a_unix_socket(start: Start, site: Site) -> None:
    """libmilter is told of a connection without an address."""
    postfix = Receiver(site, site.postfix, SMTP_PORT)
    message = unjudged(start, postfix)
    with smtp.Client(site.postfix.folder / "queue/public" / LOCAL_SMTP) as connection:
        connection.ehlo("localhost")
        assert connection.send("sender@neither.test", cast.RECIPIENT, message.content).code == 250
    assert results_of(postfix.fields(message)) == [FORGED[1]]
    assert site.dns.questions() == []


def test_smtp_on_standard_input(start: Start, site: Site, the_sendmail: Sendmail) -> None:
    """The same from Sendmail."""
    sendmail = Receiver(site, the_sendmail, 0)
    message = unjudged(start, sendmail)
    with smtp.Client(the_sendmail.standard_input()) as connection:
        connection.ehlo("localhost")
        assert connection.send("sender@neither.test", cast.RECIPIENT, message.content).code == 250
    assert results_of(sendmail.fields(message)) == [FORGED[1]]
    assert site.dns.questions() == []


# -- XCLIENT, which Postfix alone has


def through_proxy(site: Site, *clients: dict[str, str]) -> smtp.Client:
    connection = smtp.Client(("::1", SMTP_PORT), "::1")
    connection.ehlo("proxy.test")
    for attributes in clients:
        assert connection.xclient(attributes).code == 220
        assert connection.ehlo("mail.told.test").code == 250
    return connection


def told(client: Client, **more: str) -> dict[str, str]:
    family = "IPV6:" if ":" in client.address else ""
    return {"ADDR": family + client.address, "NAME": "[UNAVAILABLE]", "REVERSE_NAME": "[UNAVAILABLE]", **more}


@pytest.mark.parametrize(
    ("client", "codes"), [(cast.GOOD, "250 2.0.0"), (cast.NO_PTR, "550 5.7.25"), (cast.NEITHER, "550 5.7.26")]
)
def test_xclient_is_judged_by_the_address_it_tells(start: Start, site: Site, client: Client, codes: str) -> None:
    start(ENFORCE)
    message = site.message(client)
    with through_proxy(site, told(client)) as connection:
        assert connection.send(client.mail_from, cast.RECIPIENT, message.content).codes == codes
        connection.quit()
    assert site.dns.count(client.ptr_name, "PTR") == 1


def test_a_name_that_xclient_tells_proves_nothing(start: Start, site: Site) -> None:
    start(ENFORCE)
    client = cast.NO_PTR
    attributes = told(client, NAME=client.helo, REVERSE_NAME=client.helo)
    with through_proxy(site, attributes) as connection:
        assert connection.send(client.mail_from, cast.RECIPIENT, site.message(client).content).codes == "550 5.7.25"


def test_a_login_that_xclient_tells_counts(start: Start, site: Site) -> None:
    start(ENFORCE)
    with through_proxy(site, told(cast.NO_PTR, LOGIN="alice")) as connection:
        message = site.message(cast.NO_PTR)
        assert connection.send(cast.NO_PTR.mail_from, cast.RECIPIENT, message.content).code == 250


@pytest.mark.parametrize("address", ["192.0.2.77", "IPV6:::ffff:192.0.2.77", "IPV6:::FFFF:c000:24d"])
def test_a_mapped_address_is_ipv4(start: Start, site: Site, address: str) -> None:
    message = unjudged(start, Receiver(site, site.postfix, SMTP_PORT))
    attributes = {"ADDR": address, "NAME": "[UNAVAILABLE]", "REVERSE_NAME": "[UNAVAILABLE]"}
    with through_proxy(site, attributes) as connection:
        assert connection.send("sender@neither.test", cast.RECIPIENT, message.content).code == 250
    assert not results_of(Receiver(site, site.postfix, 0).fields(message))
    assert site.dns.questions() == []


# -- header fields

SENT = [
    ("X-First", "1"),
    FORGED,
    ("X-Second", "2"),
    ("authentication-results", f"{AUTHSERV_ID.upper()} 1; dkim=pass header.d=bank.test"),
    ("Authentication-Results", "mx.elsewhere.test; spf=fail smtp.mailfrom=bank.test"),
    ("Sixgate-Policy", "pass; stage=default"),
    ("X-Third", "3"),
    ("Authentication-Results", f'(a comment) "{AUTHSERV_ID}"; dmarc=pass header.from=bank.test'),
    ("sixgate-policy", "fail"),
    ("X-Fourth", "4"),
]
STAYS = [field for field in SENT if field[0].startswith("X-") or field[1].startswith("mx.elsewhere")]


@pytest.mark.parametrize("mode", ["observe", "tag", "enforce"])
@pytest.mark.parametrize("client", [cast.GOOD, cast.IPV4], ids=by_name)
def test_forged_fields_go_and_all_others_keep_their_order(
    start: Start, mta: Receiver, client: Client, mode: str
) -> None:
    start(f'[policy]\nmode = "{mode}"\n')
    message = mta.site.message(client, fields=SENT)
    assert mta.offer(client, message).code == 250
    fields = mta.fields(message)
    names = [name for name, _ in fields]
    own = {"observe": 1, "tag": 2, "enforce": 1}[mode] if client is cast.GOOD else 0
    written = ["Authentication-Results", "Sixgate-Policy"][:own]
    assert names[: own + 1] == [*written, "Received"]
    sent = message.content.decode().partition("\r\n\r\n")[0].replace("\r\n\t", "\t").replace("\r\n ", " ")
    kept = [line.partition(":") for line in sent.split("\r\n")]
    expected = [(name, value.strip()) for name, _, value in kept if (name, value.strip()) not in set(SENT) - set(STAYS)]
    assert fields[own + 1 :] == expected


# Fields that some reader may take for ours, as the client sends them.
ODD = [
    f"Authentication-Results : {AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results \t : {AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results\t:{AUTHSERV_ID};\r\n\tspf=pass smtp.mailfrom=bank.test",
    "Sixgate-Policy : pass; bank.test",
    "Sixgate-Policy\t: pass; bank.test",
    f"Authentication-Results: \0{AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results:\0 {AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results: {AUTHSERV_ID}\0; spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results: {AUTHSERV_ID}; \0 spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results: {AUTHSERV_ID[:5]}\0{AUTHSERV_ID[5:]}; spf=pass smtp.mailfrom=bank.test",
    f"Authentication-Results\0: {AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test",
    f"Authentication\0-Results: {AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test",
    "Sixgate-Policy: \0pass; bank.test",
]


@pytest.mark.parametrize("client", [cast.GOOD, cast.IPV4], ids=by_name)
def test_forged_fields_in_odd_spellings_go(start: Start, mta: Receiver, client: Client) -> None:
    start('[policy]\nmode = "tag"\n')
    own = 2 if client is cast.GOOD else 0
    for odd in ODD:
        message = mta.site.message(client)
        assert mta.offer(client, Message(f"{odd}\r\n".encode() + message.content, message.message_id)).code == 250
        # Postfix ends a value at its NUL, and a header at a NUL in a name; Sendmail leaves a NUL out.
        fields = [(plain(name).lower(), plain(value)) for name, value in mta.fields(message)]
        results = [value for name, value in fields if name == "authentication-results"]
        claims = [value for value in results if value.startswith(AUTHSERV_ID)]
        policies = [value for name, value in fields if name == "sixgate-policy"]
        assert len(claims) + len(policies) == own, (odd, fields)
        assert not [value for _, value in fields if "bank.test" in value], (odd, fields)


def plain(text: str) -> str:
    """As a reader sees it that shows no control characters."""
    return re.sub("[^ -~]", "", text).strip()


def test_sixty_forged_fields(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    stays = [("Authentication-Results", f"mx{number}.elsewhere.test; none") for number in range(20)]
    fields = [field for foreign in stays for field in (FORGED, FORGED, foreign, FORGED)]
    message = mta.site.message(cast.GOOD, fields=fields)
    assert mta.offer(cast.GOOD, message).code == 250
    ours, *others = results_of(mta.fields(message))
    assert ours.startswith(f"{AUTHSERV_ID};") and "bank.test" not in ours
    assert others == [value for _, value in stays]


def test_a_refused_message_is_not_stored(start: Start, mta: Receiver) -> None:
    start(ENFORCE)
    message = mta.site.message(cast.NO_PTR, fields=SENT)
    assert mta.offer(cast.NO_PTR, message).codes == "550 5.7.25"
    assert not mta.program.has(message.message_id)
