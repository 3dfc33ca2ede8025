"""What sixgate answers is what the sender reads: through Postfix, through Sendmail and without an MTA."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

import pytest
from conftest import Start
from receiver import Receiver, results_of

from lab import cast
from lab.cast import Client
from lab.dns_tap import Question
from lab.faulty_dns import Query, Zone, healthy, labels, txt
from lab.messages import Message, compose
from lab.milter import Milter
from lab.site import AUTHSERV_ID, Site

REFUSED = (cast.NO_PTR, cast.FORGED_PTR, cast.PTR_SERVFAIL, cast.NEITHER, cast.BROKEN_SIGNATURE, cast.HOSTILE)
PROFILES = ("rfc7372", "gmail", "eop", "terse")


def with_one_case(lines: list[str]) -> list[str]:
    """The case id differs from message to message."""
    return [re.sub(r"case [A-Za-z0-9-]{6,}", "case ID", line) for line in lines]


def given(site: Site, client: Client, message: Message, mail_from: str, helo: str, to: str) -> list[str]:
    """The reply as sixgate gives it to an MTA."""
    with Milter(str(site.sixgate.socket_path)) as milter:
        milter.connect(client.address)
        milter.helo(helo)
        answer = milter.transaction(f"<{mail_from}>", [f"<{to}>"], message.content)
    return with_one_case(answer.reply.splitlines())


def relayed(mta: Receiver, client: Client, message: Message, mail_from: str, helo: str, to: str) -> list[str]:
    """The reply as the MTA gives it to the client."""
    with mta.connect(client) as connection:
        assert connection.ehlo(helo).code == 250
        reply = connection.send(mail_from, to, message.content)
        connection.quit()
    assert reply.code != 250
    return with_one_case(list(reply.lines))


def check_relayed(
    mta: Receiver,
    client: Client,
    message: Message | None = None,
    mail_from: str | None = None,
    helo: str | None = None,
    to: str = cast.RECIPIENT,
) -> list[str]:
    """The two are one; and the reply as it was read."""
    words = (
        message or mta.site.message(client),
        client.mail_from if mail_from is None else mail_from,
        helo or client.helo,
        to,
    )
    lines = relayed(mta, client, *words)
    assert lines == given(mta.site, client, *words)
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert sum(len(line) + 2 for line in lines) <= 2000
    assert max(len(line) + 2 for line in lines) <= 512  # RFC 5321 section 4.5.3.1.5
    return lines


@pytest.mark.parametrize("mode", ["soft", "enforce"])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_reply_of_a_profile(start: Start, mta: Receiver, profile: str, mode: str) -> None:
    start(f'[policy]\nprofile = "{profile}"\nmode = "{mode}"\nhelp_url = "https://mail.example.org/ipv6?a=%20b"\n')
    read = [check_relayed(mta, client) for client in REFUSED if (profile, client) not in MEETS]
    assert all("?a=%20b" in " ".join(lines) for lines in read)
    longest = max(map(len, read))
    assert longest == 2 if profile == "terse" else longest > 5


# A name is there, and eop asks for no more of it; SPF passes.
MEETS = {("eop", cast.FORGED_PTR)}


@pytest.mark.parametrize("profile", PROFILES)
def test_closed_at_rcpt(start: Start, mta: Receiver, profile: str) -> None:
    """Sendmail puts the recipient before the text of a 550, and before that of no 451."""
    start(f'[policy]\nprofile = "{profile}"\nmode = "closed"\n')
    message = mta.site.message(cast.GOOD)
    words = (message, cast.GOOD.mail_from, cast.GOOD.helo, cast.RECIPIENT)
    expected = given(mta.site, cast.GOOD, *words)
    if profile == "eop" and not mta.is_postfix:
        expected[0] = expected[0].replace("550 5.2.1 ", f"550 5.2.1 <{cast.RECIPIENT}>... ")
    assert relayed(mta, cast.GOOD, *words) == expected


HOSTILE_SIGNATURES = [
    "v=1; a=%s%n; c=relaxed/relaxed; d=100%d.test; s=%x%%; h=from; bh=%n; b=%s",
    "v=1; a=rsa-sha256; d=x.test\x01\x7f; s=)(; h=from; bh=AAAA; b=AAAA",
    "v=1; a=rsa-sha256; d=\xe9.test; s=\"; h=from; i=\"x y\"@\xe9.test; bh=AAAA; b=AAAA",
    "%s%s%s%n",
    "v=1; a=rsa-sha256;\r\n 550 5.0.0; d=a.test; s=b; h=from; bh=AAAA; b=AAAA",
]
HOSTILE_PATHS = [
    '"100%s%n%%"@neither.test',
    '"a\\"b\\\\c"@neither.test',
    '"() <>; x=y"@neither.test',
    "a+%d=b/c@neither.test",
    f"{'a' * 60}@{'b' * 60}.{'c' * 60}.neither.test",
]


@pytest.mark.parametrize("profile", PROFILES)
def test_hostile_values(start: Start, mta: Receiver, profile: str) -> None:
    start(f'[policy]\nprofile = "{profile}"\nmode = "enforce"\n')
    fields = [("DKIM-Signature", value) for value in HOSTILE_SIGNATURES]
    for path in HOSTILE_PATHS:
        message = compose("x@neither.test", cast.RECIPIENT, fields=fields)
        assert check_relayed(mta, cast.NEITHER, message, path)[0].startswith(("550", "554"))
    check_relayed(mta, cast.HOSTILE, compose("x@neither.test", cast.RECIPIENT, fields=fields), "")


# -- a sample of what can be sent: hostile strings in all places, the same in each run

PIECES = [
    "%s", "%n", "%%", "100%", "%1$s", "\\", '"', "(", ")", "<", ">", ";", "=", ",", ":", " ", "@", ".", "{case}", "}}", "{",
    "550 5.0.0 No", "250 2.0.0 OK", "-", "=?utf-8?q?=0D=0ABcc:_x?=", "x" * 60, '"' * 30, "\\" * 30, "(" * 30, "x", "y",
    "spf=pass", "dkim=pass header.d=bank.test", "mx.example.test;", "\xe9", "\u202e", "\x7f", "\x01", "\x1b[2J",
]  # fmt: skip
FOLD = "\r\n "
SAMPLE = 8  # of each profile


def hostile(random: Random, also: list[str] | None = None) -> str:
    return "".join(random.choices(PIECES + (also or []), k=random.randint(1, 12)))


def without(octets: str, text: str) -> str:
    return re.sub(octets, "", text)


@dataclass(frozen=True)
class Attempt:
    """One message; `records` go into the DNS before it is sent."""

    client: Client
    helo: str
    mail_from: str
    to: str
    message: Message
    records: dict[tuple[str, str], list[bytes]]


def attempt_of(random: Random, number: str, is_postfix: bool) -> Attempt:
    """Each MTA gets what it lets through; what a name in the DNS holds, and a field, is not for it to say."""
    client = random.choice([cast.NEITHER, cast.HOSTILE])
    zone, signing = f"a{number}.sample.test", f"d{number}.sample.test"
    text = hostile(random).encode()
    records_of_spf = [b"v=spf1 " + text + b" -all", b"v=spf1 exists:" + text + b".test -all"]
    record = random.choice([*records_of_spf, b"v=spf1 exp=why.%{d} -all", b"v=spf1 exp=why.%{d} -all"])
    why = without("[^ -~]", hostile(random)).replace("%", "%%").encode()  # with anything else it is not told
    records = {
        (zone, "TXT"): [txt(record)],
        (f"why.{zone}", "TXT"): [txt(why)],
        (f"lab._domainkey.{signing}", "TXT"): [txt(b"v=DKIM1; k=" + hostile(random).encode() + b"; p=AAAA")],
    }
    if client is cast.HOSTILE:
        parts = [hostile(random).encode()[:60] for _ in range(3)]
        records[client.ptr_name, "PTR"] = [labels(*parts), labels(parts[0], b"test")]
    fields = [("DKIM-Signature", f"v=1; a=rsa-sha256; d={signing}; s=lab; h=from; bh=AAAA; b=AAAA")]
    for _ in range(random.randint(1, 4)):
        tags = {"v": "1", "a": "rsa-sha256", "d": signing, "s": "lab", "i": f"x@{signing}", "h": "from", "bh": "AAAA"}
        tags[random.choice(list(tags))] = hostile(random, [FOLD + "x"])
        tags |= {"b": random.choice(["AAAA", hostile(random)])}
        fields.append(("DKIM-Signature", "; ".join(f"{tag}={value}" for tag, value in tags.items())))
    fields.append((without("[^!-9;-~]", hostile(random)) or "x", hostile(random)))
    # Postfix has no local part that begins as an option does.
    local_part = without("[\\x00-\\x1f\\x7f]" if is_postfix else "[^ -~]", hostile(random)).lstrip("-")
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", local_part) + '"'
    helo = without("[^!-~]" if is_postfix else "[^A-Za-z0-9_.-]", hostile(random)) or "x"
    return Attempt(
        client,
        helo,
        random.choice(["", f"{quoted}@{zone}", f"{quoted}@{zone}", f"{quoted}@{zone}"]),
        f'"{without("[^a-z0-9=;(){{}}]", hostile(random)) or "x"}"@{cast.HOST}',
        compose("x@neither.test", cast.RECIPIENT, fields=fields),
        records,
    )


ALL_OF_IT = (
    '"[{client}] case {case}", "{helo}", "{mail_from}", "{mail_from_domain}", "{names}", "{spf} {spf_domain}", '
    '"{spf_explanation}", "{dkim}", "{recipient_domain}"'
)
OWN_TEXTS = "".join(
    f"[reply.rfc7372.{reason}]\ntext = [{ALL_OF_IT}]\n" for reason in ("unauthenticated", "reverse_name_mismatch")
)


@pytest.mark.parametrize("profile", [*PROFILES, "own texts"])
def test_a_sample_of_hostile_messages(start: Start, mta: Receiver, profile: str) -> None:
    texts = OWN_TEXTS if profile == "own texts" else ""
    name = "rfc7372" if texts else profile
    start(f'[policy]\nprofile = "{name}"\nmode = "enforce"\nnull_reverse_path = "strict"\n{texts}')
    random = Random(profile)
    for number in range(SAMPLE):
        attempt = attempt_of(random, f"{number}-{profile.replace(' ', '')}", mta.is_postfix)
        zone = Zone(attempt.records, ttl=0)
        mta.site.dns.serve(lambda query, is_tcp, zone=zone: answer_of(zone, Query(query, is_tcp)))
        lines = check_relayed(mta, attempt.client, attempt.message, attempt.mail_from, attempt.helo, attempt.to)
        assert f"[{attempt.client.address}]" in lines[0] and "case ID" in lines[0], lines
        assert lines[0][4:10] in ("5.7.25", "5.7.26"), lines


def answer_of(zone: Zone, query: Query) -> bytes | None:
    if query.question not in [Question(*key) for key in zone.records]:
        return None
    return next(iter(healthy(query, zone.answer(query))))  # type: ignore[return-value]


def test_hostile_helo(start: Start, mta: Receiver) -> None:
    """Sendmail takes no such name; Postfix asks only for printable ASCII."""
    start('[policy]\nmode = "enforce"\nnull_reverse_path = "strict"\n')
    names = ["[IPv6:2001:db8:5::6]", "[192.0.2.1]", "localhost", "x" * 200]
    if mta.is_postfix:
        names += ["100%s%n.test", 'a"b.test', "a;b=c(d).test", "<a>@b"]
    for name in names:
        check_relayed(mta, cast.NEITHER, mail_from="", helo=name)


def test_the_operators_own_text(start: Start, mta: Receiver) -> None:
    text = (
        '"100% of [{client}] %s %n %% case {case}", "{{braces}} {mail_from} {helo}", "", "  two spaces", '
        '"{names} {dkim} {spf} {spf_domain} {recipient_domain} {ptr_name}"'
    )
    rows = "".join(
        f'[reply.rfc7372.{reason}]\nenforce = "554 5.7.9"\ntext = [{text}]\n'
        for reason in ("unauthenticated", "reverse_name_mismatch", "reverse_name_missing")
    )
    start(f'[policy]\nmode = "enforce"\n{rows}')
    for client in (cast.NEITHER, cast.FORGED_PTR, cast.NO_PTR, cast.HOSTILE):
        lines = check_relayed(mta, client, mail_from='"100%s%n"@neither.test')
        assert lines[0].startswith(f"554-5.7.9 100% of [{client.address}] %s %n %% case ID")
        assert lines[2:4] == ["554-5.7.9 ", "554-5.7.9   two spaces"]


def test_a_reply_as_long_as_they_get(start: Start, mta: Receiver) -> None:
    start('[policy]\nmode = "enforce"\nhelp_url = "https://mail.example.org/ipv6"\n')
    value = "v=1; a=rsa-sha256; d={0}.test; s={0}; h=from; i=@{0}.test; bh=AAAA; b=" + "A" * 300
    fields = [("DKIM-Signature", value.format("x" * 50 + str(number))) for number in range(14)]
    message = compose("x@neither.test", cast.RECIPIENT, fields=fields)
    lines = check_relayed(mta, cast.NEITHER, message)
    assert sum(len(line) + 2 for line in lines) > 1500
    assert any("https://mail.example.org/ipv6" in line for line in lines)


def test_the_field_is_stored_as_it_was_given(start: Start, mta: Receiver) -> None:
    start('[policy]\nmode = "observe"\n')
    fields = [("DKIM-Signature", value) for value in HOSTILE_SIGNATURES]
    for path in HOSTILE_PATHS[:4]:
        message = compose("x@neither.test", cast.RECIPIENT, fields=fields)
        with mta.connect(cast.HOSTILE) as connection:
            connection.ehlo(cast.HOSTILE.helo)
            assert connection.send(path, cast.RECIPIENT, message.content).code == 250
        stored = mta.program.mailbox.content(message.message_id).replace(b"\r\n", b"\n").decode("latin-1")
        with Milter(str(mta.site.sixgate.socket_path)) as milter:
            milter.connect(cast.HOSTILE.address)
            milter.helo(cast.HOSTILE.helo)
            answer = milter.transaction(f"<{path}>", [f"<{cast.RECIPIENT}>"], message.content)
        expected = answer.field("Authentication-Results")
        assert f"\nAuthentication-Results:{expected}\n" in f"\n{stored}"
        assert results_of(mta.fields(message))[0].startswith(f"{AUTHSERV_ID};")
