"""Envelope addresses that an MTA repairs: whom sixgate judges is whom the MTA takes the mail from, and delivers it to.

Each row was accepted by one of the MTAs or by both, and delivered to somebody else than it names, or from somebody
else. Beside them stands what is unusual and has one reading.
"""

from __future__ import annotations

import re

import pytest
from conftest import Start
from receiver import Receiver, results_of

from lab import cast
from lab.cast import Client
from lab.messages import Message
from lab.smtp import Reply

HOST = cast.HOST
OTHER = "other.example.test"
ENFORCE = '[policy]\nmode = "enforce"\n'
EXEMPT_OTHER = ENFORCE + f'[exempt]\nrecipients = ["postmaster@*", "abuse@*", "*@{OTHER}"]\n'


def offer(mta: Receiver, client: Client, message: Message, mail: str, rcpt: str) -> Reply:
    """One message with these arguments of MAIL and RCPT; the reply that decided."""
    with mta.greet(client) as connection:
        for command in (f"MAIL FROM:{mail}", f"RCPT TO:{rcpt}"):
            reply = connection.command(command)
            if not reply.is_positive:
                return reply
        return connection.data(message.content)


def is_the_mtas(reply: Reply) -> bool:
    """Whether the MTA itself has refused the argument; the tricks differ in which MTA takes them."""
    return reply.code in (501, 550, 553, 554) and "mail over IPv6" not in str(reply)


# -- RCPT, from a client that only an exempt recipient lets through.

NOT_EXEMPT = [
    "postmaster@z<alice>",
    "Abuse@x<alice>",
    f"<alice@{HOST}(@{OTHER}>",
    "<postmaster@z><alice>",
    "postmaster@[z]:alice",
    "<@x(:postmaster@z):alice>",
    f"<@{HOST}(:postmaster@z):alice>",
    f"@{HOST}(:postmaster@z):alice",
    '<@x":postmaster@z":alice>',
    f"<postmaster@{HOST}(>",
    f"<postmaster@(x){HOST}>",
    f"<alice%{HOST}@{OTHER}>",
    f"<{HOST}!alice@{OTHER}>",
    f'<"alice@{HOST}"@{OTHER}>',
    f"<postmaster@{HOST}<alice@{HOST}>>",
    f"<<postmaster@{HOST}>alice@{HOST}>",
]


@pytest.mark.parametrize("argument", NOT_EXEMPT)
def test_recipients_that_are_not_exempt(start: Start, mta: Receiver, argument: str) -> None:
    start(EXEMPT_OTHER)
    message = mta.site.message(cast.NEITHER)
    reply = offer(mta, cast.NEITHER, message, f"<{cast.NEITHER.mail_from}>", argument)
    assert reply.codes == "550 5.7.26" or is_the_mtas(reply), str(reply)
    assert mta.keeps_its_word(reply, message)


@pytest.mark.parametrize(
    "argument",
    [
        "<postmaster>",
        f"<PostMaster@{HOST.upper()}>",
        f"<postmaster@{HOST}.>",
        f"< postmaster@{HOST} >",
        f"postmaster@{HOST}",
        f"<@a.test,@b.test:postmaster@{HOST}>",
        f"<bob@{OTHER}>",
        f'<"b b"@{OTHER}>',
    ],
)
def test_recipients_that_are(start: Start, mta: Receiver, argument: str) -> None:
    start(EXEMPT_OTHER)
    message = mta.site.message(cast.NEITHER)
    reply = offer(mta, cast.NEITHER, message, f"<{cast.NEITHER.mail_from}>", argument)
    assert reply.code == 250, str(reply)
    assert mta.keeps_its_word(reply, message)


# -- MAIL, from a client that SPF lets through for one domain, and whose HELO name leads back to it.

SPF = cast.SPF_ONLY.domain
NOT_OF_THE_DOMAIN = [
    f"<ceo@neither.test(@{SPF}>",
    f"ceo@neither.test(@{SPF}",
    f"<ceo@neither.test(x@{SPF}>",
    f"ceo@neither.test(x:y@{SPF}",
    f"x:a@neither.test;(@{SPF}",
    f"<ceo@neither.test>x@{SPF}",
    f"<ceo@neither.test><x@{SPF}>",
    f"<>x@{SPF}",
    f"<>(@{SPF}",
    f"<@{SPF}:>",
    f"<ceo@neither.test\\@{SPF}>",
    f"<ceo@neither.test!@{SPF}>",
    f"ceo@{SPF}<ceo@neither.test>",
    f"<@a(:b@{SPF}):ceo@neither.test>",
    f"<@{SPF}:ceo@neither.test>",
]


@pytest.mark.parametrize("argument", NOT_OF_THE_DOMAIN)
def test_senders_of_no_domain(start: Start, mta: Receiver, argument: str) -> None:
    start(ENFORCE)
    message = mta.site.message(cast.SPF_ONLY)
    reply = offer(mta, cast.SPF_ONLY, message, argument, f"<{cast.RECIPIENT}>")
    assert reply.codes == "550 5.7.26" or is_the_mtas(reply), str(reply)
    assert mta.keeps_its_word(reply, message)


@pytest.mark.parametrize(
    "argument",
    [
        f"<a@{SPF.upper()}>",
        f"<a@{SPF}.>",
        f"a@{SPF}",
        f"< a@{SPF} >",
        f" <a@{SPF}> ",
        f"<.a..b.@{SPF}>",
        f"<\u00e9@{SPF}>",
        f'<"a b"@{SPF}>',
        f'<"ceo@neither.test"@{SPF}>',
        f"<neither.test!ceo@{SPF}>",
        f"<ceo%neither.test@{SPF}>",
        f"<prvs=1+a/b'c#d@{SPF}>",
        f"<@neither.test:a@{SPF}>",
    ],
)
def test_unusual_senders_keep_their_domain(start: Start, mta: Receiver, argument: str) -> None:
    start(ENFORCE)
    message = mta.site.message(cast.SPF_ONLY)
    reply = offer(mta, cast.SPF_ONLY, message, argument, f"<{cast.RECIPIENT}>")
    assert reply.code == 250, str(reply)
    assert f"spf=pass (ip6:{cast.SPF_ONLY.address}) smtp.mailfrom={SPF}" in results_of(mta.fields(message))[0]
    returned_to = re.search(rb"(?mi)^Return-Path: *<(.*)>", mta.program.mailbox.content(message.message_id))
    assert returned_to and returned_to[1].lower().endswith(b"@" + SPF.encode())


def test_an_odd_sender_is_told_and_logged_as_it_came(start: Start, mta: Receiver) -> None:
    sixgate = start('[policy]\nmode = "observe"\n')
    odd = f"ceo@{SPF}<ceo@neither.test>"
    message = mta.site.message(cast.SPF_ONLY)
    assert offer(mta, cast.SPF_ONLY, message, odd, f"<{cast.RECIPIENT}>").code == 250
    results = " ".join(results_of(mta.fields(message))[0].split())
    assert f'spf=none reason="MAIL FROM can be read in more than one way" smtp.mailfrom="{odd}"' in results
    assert f" mail_from={odd} " in sixgate.log()
