"""A receiver's rollout from its beginning to its end: one line of the configuration is changed at a time."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Start

from lab import cast, rollout, smtp
from lab.cast import Client
from lab.messages import Message
from lab.site import Site

# The probe address has sixgate hear of each RCPT as it comes; else Postfix would keep MAIL back until the message.
CONFIGURATION = """
[policy]
mode = "observe" # of partners

[probe]
recipients = ["ipv6-test@rx.example.test"]

[rollout]
key = "file:{key}"

[[stage]]
name = "partner-networks"
networks = ["2001:db8:8::/48"]
{other_partners}
[[stage]]
name = "first"
percent = 0
mode = "soft" # of the first

[[stage]]
name = "world"
mode = "observe" # of the world
"""

OTHER_PARTNERS = """
[[stage]]
name = "partner-names"
reverse_names = [".named.test"]

[[stage]]
name = "partner-domains"
authenticated = ["example.org", "signer-no-ptr.test"]
"""

# Each step, and the line that leads to it.
STEPS = {
    "observe": None,
    "partners": ('mode = "observe" # of partners', 'mode = "enforce" # of partners'),
    "closed": ('mode = "observe" # of the world', 'mode = "closed" # of the world'),
    "tenth": ("percent = 0", "percent = 10"),
    "soft": ("percent = 10", "percent = 100"),
    "enforced": ('mode = "soft" # of the first', 'mode = "enforce" # of the first'),
}


@dataclass(frozen=True)
class Mail:
    client: Client
    is_bounce: bool = False
    recipient: str = cast.RECIPIENT

    def __str__(self) -> str:
        return f"{self.client.name}{' bounce' * self.is_bounce} to {self.recipient.partition('@')[0]}"

    @property
    def mail_from(self) -> str:
        return "" if self.is_bounce else self.client.mail_from


# A reply and where it came. No partner is known by anything but its network before the message is in.
OK = ("end of data", "250 2.0.0")
NAME_SOFT, NAME = ("end of data", "450 4.7.25"), ("end of data", "550 5.7.25")
AUTH_SOFT, AUTH = ("end of data", "450 4.7.26"), ("end of data", "550 5.7.26")
SHUT, SHUT_EARLY = ("end of data", "451 4.7.1"), ("RCPT", "451 4.7.1")

GOOD_PARTNER = [OK] * 6
NAMELESS_PARTNER = [OK, NAME, NAME, NAME, NAME, NAME]
UNSIGNED_PARTNER = [OK, AUTH, AUTH, AUTH, AUTH, AUTH]
GOOD_STRANGER = [OK, OK, SHUT, SHUT, OK, OK]
NAMELESS_STRANGER = [OK, OK, SHUT, SHUT, NAME_SOFT, NAME]
UNSIGNED_STRANGER = [OK, OK, SHUT, SHUT, AUTH_SOFT, AUTH]

# What each mail gets at each step, and the stage that it is under at the step "tenth".
Table = dict[Mail, tuple[str, list[tuple[str, str]]]]
TABLE: Table = {
    Mail(cast.PARTNER): ("partner-networks", GOOD_PARTNER),
    Mail(cast.PARTNER_NO_PTR): ("partner-networks", NAMELESS_PARTNER),
    Mail(cast.NAMED): ("partner-names", GOOD_PARTNER),
    Mail(cast.NAMED_UNSIGNED): ("partner-names", UNSIGNED_PARTNER),
    Mail(cast.SIGNER): ("partner-domains", GOOD_PARTNER),
    Mail(cast.SIGNER_NO_PTR): ("partner-domains", NAMELESS_PARTNER),
    Mail(cast.GOOD): ("world", GOOD_STRANGER),
    Mail(cast.NO_PTR): ("world", NAMELESS_STRANGER),
    Mail(cast.FORGED_PTR): ("world", NAMELESS_STRANGER),
    Mail(cast.NEITHER): ("world", UNSIGNED_STRANGER),
    Mail(cast.NEITHER, is_bounce=True): ("world", GOOD_STRANGER),
    Mail(cast.EARLY): ("first", [OK, OK, SHUT, AUTH_SOFT, AUTH_SOFT, AUTH]),
    Mail(cast.EARLY, is_bounce=True): ("first", [OK, OK, SHUT, OK, OK, OK]),
    Mail(cast.NO_PTR, recipient=f"postmaster@{cast.HOST}"): ("world", [OK] * 6),
    Mail(cast.IPV4): ("", [OK] * 6),
}


def by_network_alone() -> Table:
    """The other partners are strangers, and who is shut out is told so at RCPT."""
    strangers = {
        Mail(cast.NAMED): ("world", GOOD_STRANGER),
        Mail(cast.NAMED_UNSIGNED): ("world", UNSIGNED_STRANGER),
        Mail(cast.SIGNER): ("world", GOOD_STRANGER),
        Mail(cast.SIGNER_NO_PTR): ("world", NAMELESS_STRANGER),
    }
    return {
        mail: (stage, [SHUT_EARLY if answer == SHUT else answer for answer in answers])
        for mail, (stage, answers) in (TABLE | strangers).items()
    }


class Sender:
    """A connection of the mail's client, and one message at a time on it."""

    def __init__(self, site: Site, mail: Mail) -> None:
        self.mail = mail
        self._site = site
        self.smtp: smtp.Client = site.connect(mail.client)
        assert self.smtp.ehlo(mail.client.helo).code == 250

    def begin(self) -> tuple[str, str] | None:
        """MAIL and RCPT; the answer where RCPT was refused."""
        assert self.smtp.mail(self.mail.mail_from).code == 250
        reply = self.smtp.rcpt(self.mail.recipient)
        return None if reply.is_positive else ("RCPT", reply.codes)

    def end(self) -> tuple[str, str]:
        message: Message = self._site.message(self.mail.client)
        reply = self.smtp.data(message.content)
        assert reply.code == 250 or not self._site.postfix.has(message.message_id)
        return "end of data", reply.codes

    def send(self) -> tuple[str, str]:
        refused = self.begin()
        if refused:
            assert self.smtp.command("RSET").code == 250
        return refused or self.end()


def answers(site: Site, mails: Table) -> dict[str, tuple[str, str]]:
    """Of each mail, on a connection of its own."""
    found = {}
    for mail in mails:
        sender = Sender(site, mail)
        found[str(mail)] = sender.send()
        sender.smtp.quit()
    return found


def expected(table: Table, step: int) -> dict[str, tuple[str, str]]:
    return {str(mail): answers[step] for mail, (_, answers) in table.items()}


def with_line(text: str, before: str, after: str) -> str:
    assert text.splitlines().count(before) == 1
    return re.sub(f"(?m)^{re.escape(before)}$", after, text)


@pytest.mark.parametrize(
    ("other_partners", "table"),
    [(OTHER_PARTNERS, TABLE), ("", by_network_alone())],
    ids=["partners of all kinds", "partners by network"],
)
def test_a_rollout_is_one_line_at_a_time(
    site: Site, start: Start, tmp_path: Path, other_partners: str, table: Table
) -> None:
    assert {mail.client for mail in table if rollout.percentile(mail.client.domain) < 10} == {cast.EARLY}
    key = tmp_path / "rollout.key"
    key.write_text(rollout.KEY)
    text = CONFIGURATION.format(key=key, other_partners=other_partners)
    sixgate = start(text)
    for number, (step, line) in enumerate(STEPS.items()):
        if line:
            text = with_line(text, *line)
            check_reload(site, text, table, number)
        told = len(sixgate.entries())
        assert answers(site, table) == expected(table, number), step
        if step == "tenth":
            check_stages(site, table, told)


def check_reload(site: Site, text: str, table: Table, step: int) -> None:
    """Mail in flight ends as its MAIL found things, and the next on the same connection as they are now."""
    changed = {mail: answers for mail, (_, answers) in table.items() if answers[step] != answers[step - 1]}
    assert changed
    with ExitStack() as connections:
        senders = [Sender(site, mail) for mail in changed]
        for sender in senders:
            connections.enter_context(sender.smtp)
        in_flight = [sender for sender in senders if changed[sender.mail][step - 1][0] == "end of data"]
        assert [sender.begin() for sender in in_flight] == [None] * len(in_flight)
        told = len(site.sixgate.log())
        site.sixgate.reload(site.configuration(text))
        assert "event=reloaded" in site.sixgate.log()[told:]
        for sender in in_flight:
            assert sender.end() == changed[sender.mail][step - 1], f"{sender.mail} in flight"
        for sender in senders:
            assert sender.send() == changed[sender.mail][step], f"{sender.mail} after it"
            sender.smtp.quit()


def check_stages(site: Site, table: Table, told: int) -> None:
    """The log has a line of each mail but IPv4's, with the stage that judged it."""
    entries = site.sixgate.entries()[told:]
    assert [entry["stage"] for entry in entries] == [stage for stage, _ in table.values() if stage]
