"""Nobody passes by a trick.

The attacker controls its own address and the zones of it (PTR, AAAA), the zones of domains of its own
(evil.test), HELO, MAIL FROM, and every octet of the message; it has copies of messages that others signed. It
controls nothing in good.test or bank.test, whose mail it wants to be taken for. Every row is refused for good
or for now, and the trick does not read `pass`; beside each table stands the honest case that passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from lab import signer
from lab.dns_tap import Question
from lab.faulty_dns import address, labels, mx, name, records_of, txt
from lab.gate import Gate
from lab.messages import compose
from lab.nsd import ptr_name
from lab.site import program_from_environment

EVIL = "2001:db8:666::1"
EVIL_HOST = "mail.evil.test"
BANK = "2001:db8:7::1"


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    """One program for all rows: each uses names of its own. The attacker's host is in order."""
    with Gate(program_from_environment("dev")) as gate_:
        gate_.dns.zone.add_ptr(EVIL, EVIL_HOST)
        gate_.dns.zone.add(EVIL_HOST, "AAAA", address(EVIL))
        yield gate_.start()


def merge(gate: Gate, table: dict) -> None:  # type: ignore[type-arg]
    gate.dns.zone.records.update(records_of(table).records)


# -- SPF. The zone of each row is evilN.test, "@" in its names and texts; MAIL FROM is one of its addresses.

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


# -- DKIM. MAIL FROM is of a domain without SPF, so that a signature of good.test is all there is.


@dataclass(frozen=True)
class Keys:
    good: signer.Key = field(default_factory=signer.ed25519_key)
    rsa: signer.Key = field(default_factory=signer.rsa_key)
    sha1: signer.Key = field(default_factory=lambda: signer.rsa_key(2048, "rsa-sha1"))
    small: signer.Key = field(default_factory=lambda: signer.rsa_key(512))
    smallish: signer.Key = field(default_factory=lambda: signer.rsa_key(1016))
    bank: signer.Key = field(default_factory=signer.ed25519_key)
    evil: signer.Key = field(default_factory=signer.ed25519_key)


KEYS = Keys()
PLAIN = compose("ceo@good.test", "alice@example.test").content
NOW = int(time.time())


def good(**tags: str | None) -> bytes:
    return signer.sign(PLAIN, KEYS.good, "good.test", "ed", **tags)


def first_field(name_: bytes, message: bytes) -> bytes:
    return name_ + b": " + message


def without(field_name: bytes, message: bytes) -> bytes:
    head, _, body = message.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(field_name + b":")]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


FROM_EVIL = b"From: <evil@bank.test>\r\n"
UNSIGNED_FROM = tuple(one for one in signer.SIGNED if one != "from")

LONG_SELECTOR = ".".join(["x" * 60] * 4) + ".evil.test"  # 253 octets, and all that a name can have


def of_evil(sdid: str, selector: str = "ed", **tags: str) -> bytes:
    """Signed by the attacker's own key. What follows a semicolon is another tag."""
    return signer.sign(PLAIN, KEYS.evil, sdid, selector, **tags)


OTHER_HEADER = "the header is not the one that was signed, or the key is another"
MORE_FROM = "more From fields than were signed"

# Of each: why it does not count, as Authentication-Results tells it, and the message.
DKIM: dict[str, tuple[str, Callable[[], bytes]]] = {
    "text appended under l=": ("only the first 5 octets", lambda: good(l="5") + b"Send money.\r\n"),
    "l=0": ("only the first 0 octets", lambda: good(l="0")),
    "l= of the whole body, and one octet more": ("only the first 24 octets", lambda: good(l="24") + b"x"),
    "a From above the signed one": (MORE_FROM, lambda: FROM_EVIL + good()),
    "a From below the signed one": (
        OTHER_HEADER,
        lambda: good().replace(b"From:", b"X: y\r\nFrom:", 1).replace(
            b"\r\n\r\n", b"\r\n" + FROM_EVIL + b"\r\n", 1
        ),
    ),
    "a From with white space before its colon": (
        MORE_FROM, lambda: FROM_EVIL.replace(b"From:", b"From \t:") + good(),
    ),
    "a From in another case": (MORE_FROM, lambda: FROM_EVIL.replace(b"From", b"fROM") + good()),
    "a From that is not signed": (
        "From is not signed", lambda: signer.sign(PLAIN, KEYS.good, "good.test", "ed", UNSIGNED_FROM),
    ),
    "From put into h= afterwards": (
        OTHER_HEADER,
        lambda: signer.sign(PLAIN, KEYS.good, "good.test", "ed", UNSIGNED_FROM).replace(b"h=to", b"h=from:to"),
    ),
    "another From": (OTHER_HEADER, lambda: good().replace(b"From: <ceo@good.test>", FROM_EVIL[:-2])),
    "another Subject": (OTHER_HEADER, lambda: good().replace(b"Minutes", b"Invoice")),
    "another body": ("the body is not the one", lambda: good().replace(b"short", b"long!")),
    "text appended": ("the body is not the one", lambda: good() + b"More.\r\n"),
    "a bh= of another body": (
        "the body is not the one", lambda: good(bh="frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="),
    ),
    "rsa-sha1": ("rsa-sha1 is too weak", lambda: signer.sign(PLAIN, KEYS.sha1, "good.test", "sha1")),
    "a key of 512 bits": ("less than 1024 bits", lambda: signer.sign(PLAIN, KEYS.small, "good.test", "small")),
    "a key of 1,016 bits": ("less than 1024 bits", lambda: signer.sign(PLAIN, KEYS.smallish, "good.test", "smallish")),
    "expired": ("has expired", lambda: good(t=str(NOW - 7200), x=str(NOW - 3600))),
    "expired before it was made": ("expires before it was made", lambda: good(t=str(NOW - 10), x=str(NOW - 20))),
    "from the future": ("from the future", lambda: good(t=str(NOW + 864_000))),
    "i= of another domain": ("i= is outside of d=", lambda: good(i="ceo@bank.test")),
    "i= of a domain that ends alike": ("i= is outside of d=", lambda: good(i="ceo@notgood.test")),
    "i= of the parent": ("i= is outside of d=", lambda: good(i="ceo@test")),
    "i= of a subdomain, the key not for these": (
        "not for subdomains", lambda: signer.sign(PLAIN, KEYS.good, "good.test", "strict", i="ceo@sub.good.test"),
    ),
    "a key of another domain": (OTHER_HEADER, lambda: signer.sign(PLAIN, KEYS.good, "bank.test", "ed")),
    "a revoked key": ("has been revoked", lambda: signer.sign(PLAIN, KEYS.good, "good.test", "revoked")),
    "two keys at one name": ("several TXT records", lambda: signer.sign(PLAIN, KEYS.good, "good.test", "two")),
    "a key that is not for mail": ("not for mail", lambda: signer.sign(PLAIN, KEYS.good, "good.test", "tlsrpt")),
    "a key for another hash": ("not for this hash", lambda: signer.sign(PLAIN, KEYS.rsa, "good.test", "onlysha1")),
    "a TXT record of a wildcard that is no key": (
        "the TXT record is no key", lambda: signer.sign(PLAIN, KEYS.good, "good.test", "wild"),
    ),
    "a selector that reaches out of _domainkey": (
        "s= is not a selector", lambda: of_evil("good.test", "x.evil.test."),
    ),
    "a selector that leaves no room for _domainkey": (
        "too long for a name in DNS", lambda: of_evil("good.test", LONG_SELECTOR),
    ),
    "d= twice, ours first": ("the tag d= twice", lambda: of_evil("evil.test; d=good.test")),
    "d= twice, ours last": ("the tag d= twice", lambda: of_evil("good.test; d=evil.test")),
    "D= behind d=": ("the tag D= twice", lambda: of_evil("evil.test; D=good.test")),
    "D= before d=": ("the tag d= twice", lambda: of_evil("evil.test", c="relaxed/relaxed; D=good.test")),
    "D= of ours behind d=": ("the tag D= twice", lambda: of_evil("good.test; D=evil.test")),
    "an unknown version": ("v= is not 1", lambda: good(v="2")),
    "an unknown algorithm": ("a= is unknown", lambda: good(a="none")),
    "b= empty": (
        "b= is missing",
        lambda: b"DKIM-Signature: v=1; a=ed25519-sha256; d=good.test; s=ed; h=from; bh=; b=\r\n" + PLAIN,
    ),
    "no From at all": (
        "the message has no From field",
        lambda: signer.sign(without(b"From", PLAIN), KEYS.good, "good.test", "ed"),
    ),
    "the signed From taken away": (OTHER_HEADER, lambda: without(b"From", good())),
}  # fmt: skip


def publish_keys(gate: Gate) -> None:
    texts = {
        "ed": KEYS.good.record,
        "sha1": KEYS.sha1.record,
        "small": KEYS.small.record,
        "smallish": KEYS.smallish.record,
        "strict": KEYS.good.record + "; t=s",
        "revoked": "v=DKIM1; k=ed25519; p=",
        "two": [KEYS.good.record, KEYS.good.record + " "],
        "tlsrpt": KEYS.good.record + "; s=tlsrpt",
        "onlysha1": KEYS.rsa.record + "; h=sha1",
        "rsa": KEYS.rsa.record,
        "wild": "v=spf1 -all",
    }
    merge(gate, {(f"{selector}._domainkey.good.test", "TXT"): text for selector, text in texts.items()})
    merge(gate, {("ed._domainkey.bank.test", "TXT"): KEYS.bank.record})
    # The attacker's, and where a wrong question would find them.
    evil = ("ed._domainkey.evil.test", "x.evil.test", LONG_SELECTOR)
    merge(gate, {(owner, "TXT"): KEYS.evil.record for owner in evil})


@pytest.mark.parametrize("trick", DKIM)
def test_dkim(gate: Gate, trick: str) -> None:
    publish_keys(gate)
    told, make = DKIM[trick]
    outcome = gate.send(make(), client=EVIL, helo=EVIL_HOST, mail_from="<a@no-spf.test>")
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    assert outcome.all_results("dkim") not in ([], ["none"]), "the signature was not seen at all"
    assert "pass" not in outcome.all_results("dkim")
    assert told in outcome.results


@pytest.mark.parametrize(
    "message",
    [
        good(),
        good(l="24"),
        good(i="ceo@sub.good.test"),
        good(t=str(NOW - 10), x=str(NOW + 3600)),
        signer.sign(PLAIN, KEYS.rsa, "good.test", "rsa"),
        # Oversigned: there is one From, and no other may come.
        signer.sign(PLAIN, KEYS.good, "good.test", "ed", ("from", "from", "subject")),
        of_evil("evil.test"),
        signer.sign(PLAIN, KEYS.bank, "bank.test", "ed"),
    ],
    ids=["plain", "l= of the whole body", "i= below d=", "not expired", "1,024 bits", "oversigned", "evil's", "bank's"],
)
def test_dkim_passes_what_is_signed(gate: Gate, message: bytes) -> None:
    publish_keys(gate)
    outcome = gate.send(message, client=EVIL, helo=EVIL_HOST, mail_from="<a@no-spf.test>")
    assert outcome.code == 250, outcome.answer.reply


# -- iprev. SPF of wide.test passes for everybody, so that only the reverse name is missing.

IPREV: dict[str, Callable[[Gate, str], None]] = {}


def trick(story: str) -> Callable[[Callable[[Gate, str], None]], Callable[[Gate, str], None]]:
    def keep(function: Callable[[Gate, str], None]) -> Callable[[Gate, str], None]:
        IPREV[story] = function
        return function

    return keep


@trick("a name of somebody else")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, "mail.bank.test")


@trick("the right name behind ten others")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, *(f"n{i}.evil.test" for i in range(10)), EVIL_HOST + "-11")
    gate.dns.zone.add(EVIL_HOST + "-11", "AAAA", address(client))


@trick("the right name behind 1,000 others")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, *(f"n{i}.evil.test" for i in range(1_000)), "last.evil.test")
    gate.dns.zone.add("last.evil.test", "AAAA", address(client))


@trick("an address of the same /64")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, "near.evil.test")
    gate.dns.zone.add("near.evil.test", "AAAA", address("2001:db8:666::ffff"))


@trick("A in answer to AAAA")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, "a-only.evil.test")
    gate.dns.fail(
        lambda query, right: [
            query.reply([b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x10" + address(client)])
        ],
        "a-only.evil.test",
    )  # fmt: skip


@trick("an AAAA of four octets")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, "short.evil.test")
    gate.dns.zone.add("short.evil.test", "AAAA", address(client)[-4:])


@trick("an alias to the bank")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, "alias.evil.test")
    gate.dns.zone.add("alias.evil.test", "CNAME", name("mail.bank.test"))


@trick("an alias of the reverse name to the bank's")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add(ptr_name(client), "CNAME", name(ptr_name(BANK)))


@trick("the address itself for a name")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, labels(client.encode()))


@trick("the root for a name")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, b"\0")


# The names that these two become without their escapes are the attacker's, and lead to the client.


@trick("a name that a NUL cuts")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, labels(b"cut.evil.test\0", b"more", b"test"))
    for unescaped in ("cut.evil.test", "cut.evil.test.more.test", "cut.evil.test\0.more.test"):
        gate.dns.zone.add(unescaped, "AAAA", address(client))


@trick("a label with a dot in it")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, labels(b"dotted.evil", b"test"))
    for unescaped in ("dotted.evil.test", "evil.test"):
        gate.dns.zone.add(unescaped, "AAAA", address(client))


@pytest.mark.parametrize("story", IPREV)
def test_iprev(gate: Gate, story: str) -> None:
    merge(gate, {("wide.test", "TXT"): "v=spf1 +all", ("mail.bank.test", "AAAA"): BANK})
    if (("1.0", "PTR")) not in gate.dns.zone.records:
        gate.dns.zone.records.setdefault(("1.0", "PTR"), [])
        gate.dns.zone.add_ptr(BANK, "mail.bank.test")
    client = f"2001:db8:666::1:{list(IPREV).index(story) + 1:x}"
    IPREV[story](gate, client)
    outcome = gate.send(client=client, helo=EVIL_HOST, mail_from="<a@wide.test>")
    assert outcome.code in (451, 550) and outcome.result("iprev") != "pass", outcome.answer.reply or outcome.results


def test_iprev_passes_whatever_the_case_and_behind_an_alias(gate: Gate) -> None:
    merge(gate, {("wide.test", "TXT"): "v=spf1 +all"})
    client = "2001:db8:666::2:1"
    spellings = [f"{'M' if i & 1 else 'm'}{'A' if i & 2 else 'a'}{'I' if i & 4 else 'i'}l.odd.test" for i in range(8)]
    gate.dns.zone.add_ptr(client, *spellings, *spellings, "right.odd.test")
    gate.dns.zone.add("right.odd.test", "CNAME", name("really.odd.test"))
    gate.dns.zone.add("really.odd.test", "AAAA", address(client))
    outcome = gate.send(client=client, mail_from="<a@wide.test>")
    assert outcome.result("iprev") == "pass", outcome.results or outcome.answer.reply


def test_iprev_passes_with_a_dot_in_a_label(gate: Gate) -> None:
    """An odd name, and the client's all the same."""
    merge(gate, {("wide.test", "TXT"): "v=spf1 +all"})
    client = "2001:db8:666::2:2"
    gate.dns.zone.add_ptr(client, labels(b"own.odd", b"test"))
    gate.dns.zone.add("own\\.odd.test", "AAAA", address(client))
    outcome = gate.send(client=client, mail_from="<a@wide.test>")
    assert outcome.result("iprev") == "pass", outcome.results or outcome.answer.reply
