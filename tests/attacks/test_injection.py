"""Nothing that a stranger supplies gets out of its place: not in a reply, a header field or the log.

The attacker chooses HELO, MAIL FROM, RCPT, all of the message and its DKIM-Signature fields, and every octet of
its own zones: PTR names, SPF records with their explanations, key records. Each place is tried with each text, once in
enforce, where the reply tells what was found, and once in observe, where the header field does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from authres import AuthenticationResultsHeader

from lab.faulty_dns import address, labels, txt
from lab.gate import AUTHSERV_ID, Gate, Outcome
from lab.messages import compose
from lab.nsd import ptr_name
from lab.site import program_from_environment
from lab.sixgate import logfmt_fields

TEXTS: dict[str, bytes] = {
    "CR LF and a field": b"x\r\nBcc: all@victim.test",
    "CR LF and a reply": b"x\r\n250 2.0.0 OK",
    "a bare LF": b"x\nX-Spam: no",
    "a bare CR": b"x\rX-Spam: no",
    "formats": b"%s%n%1$s%x%%100%",
    "8-bit": bytes(range(0x80, 0x100)),
    "controls": bytes(range(1, 0x20)) + b"\x7f",
    "UTF-8 that turns the line round": "\u202e\u2028\ufeff".encode(),
    "the end of a comment and a result": b"x) spf=pass (",
    "the end of a string and a result": b'x" spf=pass; dkim=pass header.d="bank.test',
    "the end of a result, and others": b"x; dkim=pass header.d=bank.test; spf=pass",
    "a quote that never ends": b'"' + b"(" * 60,
    "backslashes": b"\\" * 30 + b'\\"',
    "fields of the log": b'x verdict=accept case=forged "mode=off',
    "signatures of the log": b"x,pass:bank.test",
    "a placeholder": b"{case}{help_url}}{",
    "an encoded word": b"=?utf-8?q?=0D=0ABcc:_x?=",
    "very long": b"A" * 10_000,
    "very long, in words": b"ab " * 3_000,
    "very long, all of it quoted": b'"' * 4_000,
    "nothing": b"",
}


def no_nul(text: bytes) -> bytes:
    """What a C string can carry; names and records carry the whole."""
    return text.replace(b"\0", b"")


@dataclass(frozen=True)
class Attempt:
    client: str
    zone: str
    text: bytes


# Where a text is put: what the place does to the zone, and with what it is sent.
Place = Callable[[Gate, Attempt], Outcome]


def send(gate: Gate, attempt: Attempt, content: bytes | None = None, **envelope: object) -> Outcome:
    message = compose(f"a@{attempt.zone}", "alice@example.test").content if content is None else content
    return gate.send(message, client=attempt.client, **{"mail_from": f"<a@{attempt.zone}>", **envelope})  # type: ignore[arg-type]


def in_helo(gate: Gate, attempt: Attempt) -> Outcome:
    return send(gate, attempt, helo=no_nul(attempt.text))


def in_helo_of_a_bounce(gate: Gate, attempt: Attempt) -> Outcome:
    return send(gate, attempt, helo=no_nul(attempt.text), mail_from="<>")


def in_local_part(gate: Gate, attempt: Attempt) -> Outcome:
    gate.dns.zone.add(attempt.zone, "TXT", txt("v=spf1 exists:%{l}.%{d} exists:%{s}.%{d} -all"))
    return send(gate, attempt, mail_from=b"<" + no_nul(attempt.text) + b"@" + attempt.zone.encode() + b">")


def in_domain(gate: Gate, attempt: Attempt) -> Outcome:
    return send(gate, attempt, mail_from=b"<a@" + no_nul(attempt.text) + b"." + attempt.zone.encode() + b">")


def in_ptr(gate: Gate, attempt: Attempt) -> Outcome:
    parts = [attempt.text[at : at + 60] for at in range(0, min(len(attempt.text), 180), 60)]
    names = [labels(*parts, f"n{i}".encode(), b"test") for i in range(4)]
    gate.dns.zone.records[(ptr_name(attempt.client), "PTR")] = names
    return send(gate, attempt)


def in_spf_record(gate: Gate, attempt: Attempt) -> Outcome:
    gate.dns.zone.add(attempt.zone, "TXT", txt(b"v=spf1 " + attempt.text + b" -all"))
    return send(gate, attempt)


def in_spf_name(gate: Gate, attempt: Attempt) -> Outcome:
    gate.dns.zone.add(attempt.zone, "TXT", txt(b"v=spf1 -exists:" + attempt.text + b"." + attempt.zone.encode()))
    return send(gate, attempt)


def in_spf_explanation(gate: Gate, attempt: Attempt) -> Outcome:
    gate.dns.zone.add(attempt.zone, "TXT", txt(f"v=spf1 exp=why.{attempt.zone} -all"))
    # A single % is an error in the text, and of that nothing would be told.
    gate.dns.zone.add(f"why.{attempt.zone}", "TXT", txt(attempt.text.replace(b"%", b"%%") + b"%{l}%{h}%{c}"))
    return send(gate, attempt)


def in_signature(tag: str) -> Place:
    def place(gate: Gate, attempt: Attempt) -> Outcome:
        tags = {"v": b"1", "a": b"rsa-sha256", "d": attempt.zone.encode(), "s": b"lab", "h": b"from", "bh": b"AAAA"}
        tags |= {tag: no_nul(attempt.text).replace(b"\r\n", b"\n ").replace(b"\n", b"\n ")}
        field = b"DKIM-Signature: " + b"; ".join(name.encode() + b"=" + text for name, text in tags.items())
        field = field.replace(b"\n", b"\r\n") + b"; b=AAAA\r\n"
        return send(gate, attempt, field + compose(f"a@{attempt.zone}", "alice@example.test").content)

    return place


def in_key_record(gate: Gate, attempt: Attempt) -> Outcome:
    gate.dns.zone.add(f"lab._domainkey.{attempt.zone}", "TXT", txt(b"v=DKIM1; k=" + attempt.text + b"; p=AAAA"))
    return in_signature("x")(gate, attempt)


def in_field_name(gate: Gate, attempt: Attempt) -> Outcome:
    name = re.sub(rb"[^!-9;-~]", b"", attempt.text)[:2_000] or b"x"
    return send(gate, attempt, name + b": y\r\n" + compose(f"a@{attempt.zone}", "alice@example.test").content)


def in_recipient(gate: Gate, attempt: Attempt) -> Outcome:
    return send(gate, attempt, recipients=(b"<" + no_nul(attempt.text) + b"@" + no_nul(attempt.text) + b">",))


PLACES: dict[str, Place] = {
    "HELO": in_helo,
    "HELO of a bounce": in_helo_of_a_bounce,
    "the local part of MAIL FROM": in_local_part,
    "the domain of MAIL FROM": in_domain,
    "PTR": in_ptr,
    "an SPF record": in_spf_record,
    "a name in an SPF record": in_spf_name,
    "an SPF explanation": in_spf_explanation,
    "d=": in_signature("d"),
    "s=": in_signature("s"),
    "i=": in_signature("i"),
    "a=": in_signature("a"),
    "b=": in_signature("b"),
    "h=": in_signature("h"),
    "a DKIM key record": in_key_record,
    "a field's name": in_field_name,
    "RCPT": in_recipient,
}


def check_reply(raw: bytes, case: str, client: str) -> None:
    """RFC 5321 section 4.2, DESIGN.md section 6, and no % that an MTA would take for a format."""
    assert re.fullmatch(rb"[ -~\r\n]*", raw), raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), raw
    assert b"%" not in raw.replace(b"%%", b""), raw
    lines = raw.replace(b"%%", b"%").decode("ascii").split("\r\n")
    codes = {re.match(r"([45]\d\d)[- ]([45]\.\d{1,3}\.\d{1,3})( |$)", line) for line in lines}
    assert None not in codes, raw
    assert len({(code[1], code[2]) for code in codes if code}) == 1, raw
    assert {code[1][0] == code[2][0] for code in codes if code} == {True}
    assert [line[3] for line in lines] == ["-"] * (len(lines) - 1) + [" "]
    assert len(lines) <= 32 and sum(len(line) + 2 for line in lines) <= 2_000, raw
    assert max(len(line) for line in lines) <= 512, raw  # RFC 5321 section 4.5.3.1.5
    assert client in lines[0] and case in lines[0], raw


def check_field(value: str, results: int) -> None:
    """One field, folded as a field is, that somebody else's parser takes for what we meant."""
    assert re.fullmatch(r"[ -~\n\t]*", value), value
    assert not re.search(r"\n(?!\t[^\s])", value), value
    assert max(len(line) for line in value.split("\n")) <= 998, value
    parsed = AuthenticationResultsHeader.parse("Authentication-Results:" + re.sub(r"\n\t", " ", value))
    assert parsed.authserv_id == AUTHSERV_ID
    assert len(parsed.results) == results, value
    assert "pass" not in [result.result for result in parsed.results], value


# The fields of a line, in their order; whatever else stood there would be the attacker's.
LOG = (
    r"level=info case=(?P<case>[a-z0-9]{12}) client=\S+( helo={v})?( mail_from(_domain)?={v})?( iprev=\w+( spf=\w+)? "
    r"spf_helo=\w+ dkim={v})? verdict=\w+( reason=\w+)? stage=default mode=\w+( would_enforce=\w+)?"
    r"( reply=\"[0-9. ]+\")?"
).replace("{v}", r'(?:"(?:[^"\\]|\\.)*"|[^\s"=\\]+)')


def check_log(line: str) -> str:
    assert re.fullmatch(r"[ -~]*", line), line
    found = re.fullmatch(LOG, line)
    assert found, line
    assert len(line) < 2_500
    dkim = logfmt_fields(line).get("dkim", "")  # of a message: at RCPT there is none yet
    assert not re.search(r"(^|,)pass:", dkim), line
    return found["case"]


@pytest.fixture(scope="module")
def enforcing() -> Iterator[Gate]:
    with Gate(program_from_environment("dev")) as gate:
        yield gate.start()


@pytest.fixture(scope="module")
def observing() -> Iterator[Gate]:
    with Gate(program_from_environment("dev")) as gate:
        yield gate.start('mode = "observe"')


@pytest.fixture(scope="module")
def closed() -> Iterator[Gate]:
    """The one reply that names the recipient's domain."""
    with Gate(program_from_environment("dev")) as gate:
        yield gate.start('mode = "closed"\nprofile = "eop"')


def attempts(place: str) -> Iterator[tuple[str, Attempt]]:
    """A client and a zone for each: neither leads anywhere."""
    for number, (what, text) in enumerate(TEXTS.items()):
        at = list(PLACES).index(place)
        yield what, Attempt(f"2001:db8:bad:{at + 1:x}::{number + 1:x}", f"z{at}-{number}.test", text)


def told_of_messages(gate: Gate) -> list[str]:
    """All lines but the first, that may come after the socket is open."""
    return [line for line in gate.sixgate.log().splitlines() if not line.startswith("level=info event=started ")]


def try_all(gate: Gate, place: str, has_name: bool = False) -> Iterator[tuple[str, Attempt, Outcome, str]]:
    """With a name, the client is in order but for SPF and DKIM, and the reply tells of these."""
    told = len(told_of_messages(gate))
    for what, attempt in attempts(place):
        if has_name:
            gate.dns.zone.add_ptr(attempt.client, f"mail.{attempt.zone}")
            gate.dns.zone.add(f"mail.{attempt.zone}", "AAAA", address(attempt.client))
        outcome = PLACES[place](gate, attempt)
        lines = told_of_messages(gate)[told:]
        assert len(lines) == 1, f"{what}: {lines}"
        told += 1
        yield what, attempt, outcome, check_log(lines[0])


def words(reply: str) -> str:
    """All of its text on one line."""
    return " ".join(re.sub(r"(?m)^\d{3}[ -]\S+", "", reply).split())


def as_told(text: bytes) -> str:
    """The beginning of what a reply makes of a text."""
    return " ".join(printable(text)[:40].split())


def printable(text: bytes) -> str:
    return "".join(chr(c) if 0x20 <= c < 0x7F and c != 0x5C else f"\\x{c:02x}" for c in text)


@pytest.mark.parametrize("place", PLACES)
def test_replies_and_the_log(enforcing: Gate, place: str) -> None:
    has_name = place != "PTR"
    for what, attempt, outcome, case in try_all(enforcing, place, has_name):
        assert outcome.codes == ("550 5.7.26" if has_name else "550 5.7.25"), f"{what}: {outcome.answer}"
        assert "Authentication-Results" in outcome.answer.reply
        check_reply(outcome.answer.raw_reply, case, attempt.client)


def test_explanations_are_told(enforcing: Gate) -> None:
    """Of what could be printed: anything else in it, and it counts for nothing."""
    for what, attempt, outcome, _ in try_all(enforcing, "an SPF explanation", has_name=True):
        told = f"SPF explanation of {attempt.zone}: "
        if re.fullmatch(rb"[ -~]*", attempt.text):
            assert told + as_told(attempt.text) in words(outcome.answer.reply), what
        else:
            assert told not in words(outcome.answer.reply), what


def test_recipients_in_replies_and_the_log(closed: Gate) -> None:
    for what, attempt, outcome, case in try_all(closed, "RCPT"):
        assert outcome.codes == "550 5.2.1", f"{what}: {outcome.answer}"
        check_reply(outcome.answer.raw_reply, case, attempt.client)
        text = no_nul(attempt.text)
        path = b"<" + text + b"@" + text + b">"  # told whole where it could be read in two ways
        told = [f"[{attempt.client}] {as_told(part)}" for part in (text.rpartition(b"@")[2], path)]
        assert any(part in words(outcome.answer.reply) for part in told), what


@pytest.mark.parametrize("place", PLACES)
def test_header_fields(observing: Gate, place: str) -> None:
    for what, _, outcome, _ in try_all(observing, place):
        assert outcome.code == 250, f"{what}: {outcome.answer}"
        assert [name for _, name, _ in outcome.answer.inserted] == ["Authentication-Results"]
        results = 3 if "bounce" in place else 4  # iprev, spf of MAIL FROM, spf of HELO, dkim
        check_field(outcome.answer.inserted[0][2], results)


def test_the_explanation_of_a_stranger_is_told_as_a_stranger_s(enforcing: Gate) -> None:
    enforcing.dns.zone.add("talks.test", "TXT", txt("v=spf1 exp=why.talks.test -all"))
    enforcing.dns.zone.add("why.talks.test", "TXT", txt("Call +1 555 0100 to get 100%% %%s%%n"))
    outcome = enforcing.send(mail_from="<a@talks.test>")
    assert outcome.code == 550
    told = b"5.7.26 SPF explanation of talks.test: Call +1 555 0100 to get 100%% %%s%%n\r\n"
    assert told in outcome.answer.raw_reply  # an MTA makes single ones of them
