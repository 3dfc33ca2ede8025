"""Nobody passes SPF by a trick.

The zone of each row is evilN.test, "@" in its names and texts; MAIL FROM is one of its addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from attacker import BANK, EVIL, EVIL_HOST, gate, merge  # noqa: F401
from lab.dns_tap import Question
from lab.faulty_dns import mx, txt
from lab.gate import Gate
from lab.site import program_from_environment

HOSTS = {(f"h{i}.@", "AAAA"): "2001:db8:9::1" for i in range(11)}
I = ".".join("20010db8066600000000000000000001")  # %{i} of EVIL


def a_terms(count: int) -> str:
    return " ".join(f"a:h{i}.@" for i in range(count))


# Of each: why it is refused, as Authentication-Results tells it, and the zone. Records that no check asks for stand
# where a wrong one would end up.
SPF: dict[str, tuple[str, dict]] = {  # type: ignore[type-arg]
    "an eleventh term that asks DNS": (
        "more than 10 terms ask DNS", {("@", "TXT"): f"v=spf1 {a_terms(11)} +all", **HOSTS},
    ),
    "an eleventh term, in the second of two includes": (
        "more than 10 terms ask DNS",
        {
            ("@", "TXT"): "v=spf1 include:i1.@ include:i2.@ +all",
            ("i1.@", "TXT"): f"v=spf1 {a_terms(4)} ?all",
            ("i2.@", "TXT"): f"v=spf1 {a_terms(5)} ?all",
            **HOSTS,
        },
    ),
    "an include in a circle": (
        "more than 10 terms ask DNS",
        {("@", "TXT"): "v=spf1 include:i.@ +all", ("i.@", "TXT"): "v=spf1 include:@ +all"},
    ),
    "a redirect in a circle": (
        "more than 10 terms ask DNS", {("@", "TXT"): "v=spf1 redirect=i.@", ("i.@", "TXT"): "v=spf1 redirect=@"},
    ),
    "an include of a domain without a record": (
        "does not exist", {("@", "TXT"): "v=spf1 include:nothing.@ +all"},
    ),
    "an include of what passes only by softfail": (
        "spf=fail (-all)", {("@", "TXT"): "v=spf1 include:i.@ -all", ("i.@", "TXT"): "v=spf1 ~all"},
    ),
    "three terms that find nothing": (
        "more than 2 terms found nothing", {("@", "TXT"): "v=spf1 a:v1.@ exists:v2.@ mx:v3.@ +all"},
    ),
    "two records": ("has several SPF records", {("@", "TXT"): ["v=spf1 +all", "v=spf1 -all"]}),
    "a record with another version": ("has no SPF record", {("@", "TXT"): "v=spf10 +all"}),
    "an error behind the match": ("there is no such mechanism", {("@", "TXT"): "v=spf1 +all oops:x"}),
    "a NUL that would end the record": (
        "there is no such mechanism", {("@", "TXT"): b"\x0bv=spf1 +all\x05\0 -al\x01l"},
    ),
    "a CR and an LF in the record": ("has no SPF record", {("@", "TXT"): b"\x0cv=spf1\r\n+all"}),
    "8-bit octets in the record": ("there is no such mechanism", {("@", "TXT"): b"\x0cv=spf1 +all\xa0"}),
    "an mx with eleven hosts, ours the last": (
        "has more than 10 MX",
        {("@", "TXT"): "v=spf1 mx -all", ("@", "MX"): [mx(f"m{i}.@", i) for i in range(10)] + [mx(EVIL_HOST, 99)]},
    ),
    "ip4 with all addresses": ("spf=fail (-all)", {("@", "TXT"): "v=spf1 ip4:0.0.0.0/0 -all"}),
    "ip6 with all mapped addresses": ("spf=fail (-all)", {("@", "TXT"): "v=spf1 ip6:::ffff:0:0/96 -all"}),
    "an a with only A, and every IPv4 address": (
        "spf=fail (-all)", {("@", "TXT"): "v=spf1 a/0 -all", ("@", "A"): "192.0.2.1"},
    ),
    "a macro for a name with an empty label": (
        "spf=fail (-all)",
        {
            ("@", "TXT"): "v=spf1 exists:%{h2}..@ -all",
            **{(owner, "A"): "127.0.0.2" for owner in ("evil.test.@", "evil.test", "@")},
        },
    ),
    # RFC 7208 section 7.3: of what is longer than 253 octets, whole labels go from the left.
    "a macro that makes a name of 400 octets": (
        "spf=fail (-all)",
        {
            ("@", "TXT"): "v=spf1 exists:%{i}.%{i}." + "y" * 60 + ".%{i}.%{i}.%{i}.nowhere.@ -all",
            (f"{I}.{I}.{'y' * 60}.{I}", "A"): "127.0.0.2",  # cut from the right
            (f"{'y' * 41}.{I}.{I}.{I}.nowhere.@", "A"): "127.0.0.2",  # within a label
            ("nowhere.@", "A"): "127.0.0.2",  # more than needs be
        },
    ),
    "a letter that only explanations have": ("not a domain-spec", {("@", "TXT"): "v=spf1 exists:%{c}.@ +all"}),
    "a record of 5,000 octets of macros (CVE-2023-42118)": (
        "spf=fail (-all)",
        {
            ("@", "TXT"): "v=spf1 exists:" + "%{d}." * 127 + "x" * 4_000 + " -all",
            ("x" * 63, "A"): "127.0.0.2",
        },
    ),
    "300 macros in a name": (
        "spf=fail (-all)",
        {
            ("@", "TXT"): "v=spf1 exists:" + "%{l}" * 300 + ".@ -all",
            **{("a" * length + ".@", "A"): "127.0.0.2" for length in (1, 63)},
        },
    ),
}  # fmt: skip


def of_zone(table: dict, zone: str) -> dict:  # type: ignore[type-arg]
    def put(text: object) -> object:
        return text.replace("@", zone) if isinstance(text, str) else text

    return {
        (put(owner), type_): [put(row) for row in rows] if isinstance(rows, list) else put(rows)
        for (owner, type_), rows in table.items()
    }


@pytest.mark.parametrize("trick", SPF)
def test_spf(gate: Gate, trick: str) -> None:
    told, table = SPF[trick]
    zone = f"evil{list(SPF).index(trick):02}.test"
    merge(gate, of_zone(table, zone))
    outcome = gate.send(client=EVIL, helo=EVIL_HOST, mail_from=f"<a@{zone}>")
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    assert "pass" not in outcome.all_results("spf")
    assert told in outcome.results


HONEST: dict[str, dict] = {  # type: ignore[type-arg]
    "all": {("@", "TXT"): "v=spf1 +all"},
    "ip6": {("@", "TXT"): f"v=spf1 ip6:{EVIL} -all"},
    "a": {("@", "TXT"): "v=spf1 a:mail.evil.test -all"},
    "include": {("@", "TXT"): "v=spf1 include:ok.@ -all", ("ok.@", "TXT"): "v=spf1 +all"},
    "ptr": {("@", "TXT"): "v=spf1 ptr:evil.test -all"},
    "macros": {
        ("@", "TXT"): "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all",
        (f"{I[::-1]}.ip6._spf.@", "A"): "127.0.0.2",
    },
    "ten terms that ask DNS, in two includes": {
        ("@", "TXT"): "v=spf1 include:i1.@ include:i2.@ +all",
        ("i1.@", "TXT"): f"v=spf1 {a_terms(4)} ?all",
        ("i2.@", "TXT"): f"v=spf1 {a_terms(4)} ?all",
        **HOSTS,
    },
    "two terms that find nothing": {("@", "TXT"): "v=spf1 a:v1.@ exists:v2.@ +all"},
    "an mx with ten hosts, ours the last": {
        ("@", "TXT"): "v=spf1 mx -all", ("@", "MX"): [mx(f"m{i}.@", i) for i in range(9)] + [mx(EVIL_HOST, 99)],
    },
    "a macro that makes a name of 400 octets": {
        ("@", "TXT"): "v=spf1 exists:%{i}.%{i}." + "y" * 60 + ".%{i}.%{i}.%{i}.nowhere.@ -all",
        (f"{I}.{I}.{I}.nowhere.@", "A"): "127.0.0.2",
    },
    "%{p}": {("@", "TXT"): "v=spf1 exists:%{p}.ok.@ -all", ("mail.evil.test.ok.@", "A"): "127.0.0.2"},
}  # fmt: skip


@pytest.mark.parametrize("zone_of", HONEST)
def test_spf_passes_for_whom_it_names(gate: Gate, zone_of: str) -> None:
    zone = f"good{list(HONEST).index(zone_of):02}.test"
    merge(gate, of_zone(HONEST[zone_of], zone))
    outcome = gate.send(client=EVIL, helo=EVIL_HOST, mail_from=f"<a@{zone}>")
    assert outcome.code == 250, outcome.answer.reply


# The term that trusts the bank's hosts by their names, and the host that the attacker's PTR tells.
UNCONFIRMED = [
    ("ptr:@", "mail.@"),
    ("ptr:@", "nowhere.@"),
    ("ptr:mail.@", "mail.@"),
    ("exists:%{p}.ok.@", "mail.@"),
    ("exists:%{p}.ok.@", "nowhere.@"),
]


@pytest.mark.parametrize(("term", "told"), UNCONFIRMED)
def test_a_reverse_name_that_is_not_confirmed(gate: Gate, term: str, told: str) -> None:
    """RFC 7208 section 5.5. Once the client has a name of its own besides, so that SPF alone is missing."""
    number = UNCONFIRMED.index((term, told))
    zone, own = f"bank{number}.test", f"mail{number}.evil.test"
    table = {
        ("@", "TXT"): f"v=spf1 {term} -all",
        ("mail.@", "AAAA"): BANK,
        ("mail.@.ok.@", "A"): "127.0.0.2",
        ("nowhere.@.ok.@", "A"): "127.0.0.2",
    }
    merge(gate, of_zone(table, zone))
    for client, names, codes in (
        (f"2001:db8:666::3:{number}", [told.replace("@", zone)], "550 5.7.25"),
        (f"2001:db8:666::4:{number}", [told.replace("@", zone), own], "550 5.7.26"),
    ):
        gate.dns.zone.add_ptr(client, *names)
        merge(gate, {(own, "AAAA"): client})
        outcome = gate.send(client=client, helo=EVIL_HOST, mail_from=f"<a@{zone}>")
        assert outcome.codes == codes, outcome.answer.reply or outcome.results
        assert outcome.result("spf", f"smtp.mailfrom={zone}") == "fail"


@dataclass(frozen=True)
class Envelope:
    helo: str
    mail_from: str
    checked: str  # the identity that SPF has to look at, as Authentication-Results names it
    result: str


ENVELOPES = {
    "a HELO that passes beside a MAIL FROM that does not": Envelope(
        "wide.test", "<a@bank.test>", "smtp.mailfrom=bank.test", "fail"
    ),
    "a quoted local part with a domain": Envelope(
        EVIL_HOST, '<"a@wide.test"@bank.test>', "smtp.mailfrom=bank.test", "fail"
    ),
    "a source route": Envelope(EVIL_HOST, "<@wide.test:a@bank.test>", "smtp.mailfrom=bank.test", "fail"),
    # RFC 7208 section 3.5: a record is looked for at the name alone, and a wildcard's is one.
    "a subdomain that only a wildcard has": Envelope(
        EVIL_HOST, "<a@anything.star.test>", "smtp.mailfrom=anything.star.test", "fail"
    ),
    "a host below a domain that passes": Envelope(
        EVIL_HOST, "<a@host.wide.test>", "smtp.mailfrom=host.wide.test", "none"
    ),
    "a null path and a HELO name of somebody else": Envelope("mail.good.test", "<>", "smtp.helo=mail.good.test", "none"),
    "a null path and a HELO that is an address": Envelope(
        f"[IPv6:{EVIL}]", "<>", f'smtp.helo="[ipv6:{EVIL}]"', "none"
    ),
}
WILDCARDS = {".star.test": "v=spf1 -all", ".open.test": f"v=spf1 a:{EVIL_HOST} -all"}


def wildcard(question: Question) -> list[bytes] | None:
    """RFC 4592: the names that are not there have a TXT record, and no other."""
    text = next((text for end, text in WILDCARDS.items() if question.name.endswith(end)), None)
    if text is None:
        return None
    return [txt(text)] if question.type == "TXT" else []


@pytest.fixture
def envelopes(gate: Gate) -> Gate:
    merge(gate, {("wide.test", "TXT"): "v=spf1 +all", ("host.wide.test", "AAAA"): EVIL})
    merge(gate, {("bank.test", "TXT"): "v=spf1 -all", ("mail.good.test", "AAAA"): BANK})
    merge(gate, {("star.test", "TXT"): "v=spf1 +all", ("open.test", "TXT"): "v=spf1 -all"})
    gate.dns.zone.wildcard = wildcard
    return gate


@pytest.mark.parametrize("trick", ENVELOPES)
def test_envelopes(envelopes: Gate, trick: str) -> None:
    envelope = ENVELOPES[trick]
    outcome = envelopes.send(client=EVIL, helo=envelope.helo, mail_from=envelope.mail_from)
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    identity = envelope.checked.partition("=")[0]
    assert outcome.all_results("spf", identity) == outcome.all_results("spf", envelope.checked) == [envelope.result]


def test_a_record_of_a_wildcard_counts(envelopes: Gate) -> None:
    outcome = envelopes.send(client=EVIL, helo=EVIL_HOST, mail_from="<a@anything.open.test>")
    assert outcome.code == 250, outcome.answer.reply
    assert outcome.result("spf", "smtp.mailfrom=anything.open.test") == "pass"


# What an MTA reads as an address of bank.test, or as the null path.
UNREADABLE = {
    "a comment that is not closed": "<a@bank.test(@wide.test>",
    "the same without brackets": "a@bank.test(@wide.test",
    "a group": "x:a@bank.test;(@wide.test",
    "an address behind the brackets": "<a@bank.test>x@wide.test",
    "a second path": "<a@bank.test><x@wide.test>",
    "an address before the brackets": "x@wide.test<a@bank.test>",
    "a null path, and a domain behind it": "<>x@wide.test",
    "a null path, and a comment behind it": "<>(@wide.test",
    "a source route to nobody": "<@wide.test:>",
    "two domains": "<a@bank.test@wide.test>",
    "an @ behind a backslash": "<a@bank.test\\@wide.test>",
    "an @ of full width": "<a@bank.test\uff20wide.test>",
}


@pytest.mark.parametrize("trick", UNREADABLE)
def test_envelopes_with_more_than_one_reading(envelopes: Gate, trick: str) -> None:
    outcome = envelopes.send(client=EVIL, helo=EVIL_HOST, mail_from=UNREADABLE[trick])
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    assert "pass" not in outcome.all_results("spf", "smtp.mailfrom")


@pytest.mark.parametrize(
    "mail_from",
    ["<a@wide.test>", "a@wide.test", "<@bank.test:a@wide.test>", '<"a@bank.test"@wide.test>', "<.a..b.@wide.test>",
     "<a%bank.test@wide.test>", "< a@wide.test. >", "<\u00e9@wide.test>"],
)  # fmt: skip
def test_unusual_envelopes_with_one_reading(gate: Gate, mail_from: str) -> None:
    merge(gate, {("wide.test", "TXT"): "v=spf1 +all", ("bank.test", "TXT"): "v=spf1 -all"})
    outcome = gate.send(client=EVIL, helo=EVIL_HOST, mail_from=mail_from.encode())
    assert outcome.code == 250, outcome.answer.reply
    assert "smtp.mailfrom=wide.test" in outcome.results


# Each for alice, as one MTA or the other reads it.
RECIPIENTS = [
    "postmaster@z<alice>",
    "<postmaster@z><alice>",
    "<postmaster@z>alice",
    "postmaster@[z]:alice",
    "postmaster@z,alice",
    "<@x(:postmaster@z):alice>",
    '<@x":postmaster@z":alice>',
    "<alice@example.test(@exempt.test>",
    "<alice%example.test@exempt.test>",
    "<example.test!alice@exempt.test>",
    '<"alice@example.test"@exempt.test>',
]


@pytest.mark.parametrize("mode", ["enforce", "closed"])
def test_recipients_that_only_look_exempt(mode: str) -> None:
    with Gate(program_from_environment("dev")) as gate:
        exempt = '[exempt]\nrecipients = ["postmaster@*", "*@exempt.test"]'
        gate.start(f'mode = "{mode}"\n{exempt}')
        for recipient in RECIPIENTS:
            refused = gate.send(client=EVIL, helo=EVIL_HOST, mail_from="<a@bank.test>", recipients=[recipient])
            assert refused.code in (451, 550), recipient
        for recipient in ("<postmaster>", "<Postmaster@z>", "<@x,@y:postmaster@z>", '<"b b"@exempt.test>'):
            passed = gate.send(client=EVIL, helo=EVIL_HOST, mail_from="<a@bank.test>", recipients=[recipient])
            assert passed.code == 250, recipient


WIDE = ["+all", "ip6:::/0", "ip6:2000::/3", "a:mail.evil.test//0", "include:wide-all.test"]


@pytest.mark.parametrize("term", WIDE)
def test_wide_spf_counts_for_nothing_where_that_is_asked(gate: Gate, term: str) -> None:
    zone = f"wide{WIDE.index(term)}.test"
    merge(gate, {(zone, "TXT"): f"v=spf1 {term} -all", ("wide-all.test", "TXT"): "v=spf1 +all"})
    with Gate(program_from_environment("dev")) as strict:
        strict.dns.zone.records.update(gate.dns.zone.records)
        strict.start('mode = "enforce"\ncount_wide_spf = false')
        assert strict.send(client=EVIL, helo=EVIL_HOST, mail_from=f"<a@{zone}>").codes == "550 5.7.26"
