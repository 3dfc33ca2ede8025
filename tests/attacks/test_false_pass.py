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
from lab.faulty_dns import address, labels, mx, name, records_of, txt
from lab.gate import Gate
from lab.messages import compose
from lab.site import program_from_environment

EVIL = "2001:db8:666::1"
EVIL_HOST = "mail.evil.test"


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

A_TERMS = " ".join(f"a:h{i}.@" for i in range(10))
HOSTS = {(f"h{i}.@", "AAAA"): "2001:db8:9::1" for i in range(11)}

SPF: dict[str, dict] = {  # type: ignore[type-arg]
    "an eleventh term that asks DNS": {("@", "TXT"): f"v=spf1 {A_TERMS} a:h10.@ +all", **HOSTS},
    "limits hidden in includes": {
        ("@", "TXT"): "v=spf1 include:i1.@ include:i2.@ +all",
        ("i1.@", "TXT"): f"v=spf1 {A_TERMS[:60]} ?all".replace("  ", " "),
        ("i2.@", "TXT"): f"v=spf1 {A_TERMS} ?all",
        **HOSTS,
    },
    "an include in a circle": {("@", "TXT"): "v=spf1 include:i.@ +all", ("i.@", "TXT"): "v=spf1 include:@ +all"},
    "a redirect in a circle": {("@", "TXT"): "v=spf1 redirect=i.@", ("i.@", "TXT"): "v=spf1 redirect=@"},
    "an include of a domain without a record": {("@", "TXT"): "v=spf1 include:nothing.@ +all"},
    "an include of what passes only by softfail": {
        ("@", "TXT"): "v=spf1 include:i.@ -all", ("i.@", "TXT"): "v=spf1 ~all",
    },
    "three terms that find nothing": {("@", "TXT"): "v=spf1 a:v1.@ exists:v2.@ mx:v3.@ +all"},
    "two records": {("@", "TXT"): ["v=spf1 +all", "v=spf1 -all"]},
    "a record with another version": {("@", "TXT"): "v=spf10 +all"},
    "an error behind the match": {("@", "TXT"): "v=spf1 +all oops:x"},
    "a NUL that would end the record": {("@", "TXT"): b"\x0bv=spf1 +all\x05\0 -al\x01l"},
    "a CR and an LF in the record": {("@", "TXT"): b"\x0cv=spf1\r\n+all"},
    "8-bit octets in the record": {("@", "TXT"): b"\x0cv=spf1 +all\xa0"},
    "an mx with eleven hosts, ours the last": {
        ("@", "TXT"): "v=spf1 mx -all",
        ("@", "MX"): [mx(f"m{i}.@", i) for i in range(10)] + [mx(EVIL_HOST, 99)],
    },
    "ip4 with all addresses": {("@", "TXT"): "v=spf1 ip4:0.0.0.0/0 -all"},
    "ip6 with all mapped addresses": {("@", "TXT"): "v=spf1 ip6:::ffff:0:0/96 -all"},
    "an a with only A, and every IPv4 address": {
        ("@", "TXT"): "v=spf1 a/0 -all", ("@", "A"): "192.0.2.1",
    },
    "a ptr that the forward name does not confirm": {
        ("@", "TXT"): "v=spf1 ptr:bank.test -all",
    },
    "a macro for a name with an empty label": {("@", "TXT"): "v=spf1 exists:%{h2}..@ -all"},
    "a macro that makes a name of 400 octets": {("@", "TXT"): "v=spf1 exists:" + "%{i}." * 6 + "nowhere.@ -all"},
    "a letter that only explanations have": {("@", "TXT"): "v=spf1 exists:%{c}.@ +all"},
    "a record of 5,000 octets of macros (CVE-2023-42118)": {
        ("@", "TXT"): "v=spf1 exists:" + "%{d}." * 127 + "x" * 4_000 + " -all",
    },
    "300 macros in a name": {("@", "TXT"): "v=spf1 exists:" + "%{l}" * 300 + ".@ -all"},
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
    zone = f"evil{list(SPF).index(trick)}.test"
    merge(gate, of_zone(SPF[trick], zone))
    outcome = gate.send(client=EVIL, helo=EVIL_HOST, mail_from=f"<a@{zone}>")
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    assert "pass" not in outcome.all_results("spf")


@pytest.mark.parametrize(
    "record",
    ["v=spf1 +all", f"v=spf1 ip6:{EVIL} -all", "v=spf1 a:mail.evil.test -all", "v=spf1 include:ok.@ -all",
     "v=spf1 ptr:evil.test -all", "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all"],
)  # fmt: skip
def test_spf_passes_for_whom_it_names(gate: Gate, record: str) -> None:
    zone = f"honest{abs(hash(record))}.test"
    nibbles = ".".join(reversed("20010db8066600000000000000000001"))
    table = {
        ("@", "TXT"): record,
        ("ok.@", "TXT"): "v=spf1 +all",
        (f"{nibbles}.ip6._spf.@", "A"): "127.0.0.2",
    }
    merge(gate, of_zone(table, zone))
    assert gate.send(client=EVIL, helo=EVIL_HOST, mail_from=f"<a@{zone}>").code == 250


@dataclass(frozen=True)
class Envelope:
    helo: str
    mail_from: str
    checked: str  # the domain that SPF has to look at


ENVELOPES = {
    "a HELO that passes beside a MAIL FROM that does not": Envelope("wide.test", "<a@bank.test>", "bank.test"),
    "a quoted local part with a domain": Envelope(EVIL_HOST, '<"a@wide.test"@bank.test>', "bank.test"),
    "a source route": Envelope(EVIL_HOST, "<@wide.test:a@bank.test>", "bank.test"),
    "a subdomain that only a wildcard has": Envelope(EVIL_HOST, "<a@anything.bank.test>", "anything.bank.test"),
    "a null path and a HELO name of somebody else": Envelope("mail.good.test", "<>", "mail.good.test"),
    "a null path and a HELO that is an address": Envelope(f"[IPv6:{EVIL}]", "<>", ""),
}


@pytest.mark.parametrize("trick", ENVELOPES)
def test_envelopes(gate: Gate, trick: str) -> None:
    merge(gate, {("wide.test", "TXT"): "v=spf1 +all", ("bank.test", "TXT"): "v=spf1 -all"})
    merge(gate, {("anything.bank.test", "TXT"): "v=spf1 -all"})
    envelope = ENVELOPES[trick]
    outcome = gate.send(client=EVIL, helo=envelope.helo, mail_from=envelope.mail_from)
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    assert "pass" not in outcome.all_results("spf", "smtp.mailfrom")


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

DKIM: dict[str, Callable[[], bytes]] = {
    "text appended under l=": lambda: good(l="5") + b"Send money.\r\n",
    "l=0": lambda: good(l="0"),
    "l= of the whole body, and one octet more": lambda: good(l="24") + b"x",
    "a From above the signed one": lambda: FROM_EVIL + good(),
    "a From below the signed one": lambda: good().replace(b"From:", b"X: y\r\nFrom:", 1).replace(
        b"\r\n\r\n", b"\r\n" + FROM_EVIL + b"\r\n", 1
    ),
    "a From with white space before its colon": lambda: FROM_EVIL.replace(b"From:", b"From \t:") + good(),
    "a From in another case": lambda: FROM_EVIL.replace(b"From", b"fROM") + good(),
    "a From that is not signed": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "ed", UNSIGNED_FROM),
    "From put into h= afterwards": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "ed", UNSIGNED_FROM).replace(
        b"h=to", b"h=from:to"
    ),
    "another From": lambda: good().replace(b"From: <ceo@good.test>", FROM_EVIL[:-2]),
    "another Subject": lambda: good().replace(b"Minutes", b"Invoice"),
    "another body": lambda: good().replace(b"short", b"long!"),
    "text appended": lambda: good() + b"More.\r\n",
    "another body, and its bh=": lambda: good(bh="frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="),
    "rsa-sha1": lambda: signer.sign(PLAIN, KEYS.sha1, "good.test", "sha1"),
    "a key of 512 bits": lambda: signer.sign(PLAIN, KEYS.small, "good.test", "small"),
    "a key of 1,016 bits": lambda: signer.sign(PLAIN, KEYS.smallish, "good.test", "smallish"),
    "expired": lambda: good(t=str(NOW - 7200), x=str(NOW - 3600)),
    "expired before it was made": lambda: good(t=str(NOW - 10), x=str(NOW - 20)),
    "from the future": lambda: good(t=str(NOW + 864_000)),
    "i= of another domain": lambda: good(i="ceo@bank.test"),
    "i= of a domain that ends alike": lambda: good(i="ceo@notgood.test"),
    "i= of the parent": lambda: good(i="ceo@test"),
    "i= of a subdomain, the key not for these": lambda: signer.sign(
        PLAIN, KEYS.good, "good.test", "strict", i="ceo@sub.good.test"
    ),
    "a key of another domain": lambda: signer.sign(PLAIN, KEYS.good, "bank.test", "ed"),
    "a revoked key": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "revoked"),
    "two keys at one name": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "two"),
    "a key that is not for mail": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "tlsrpt"),
    "a key for another hash": lambda: signer.sign(PLAIN, KEYS.rsa, "good.test", "onlysha1"),
    "a TXT record of a wildcard that is no key": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "wild"),
    "a selector that reaches out of _domainkey": lambda: signer.sign(PLAIN, KEYS.good, "good.test", "x.evil.test."),
    "d= twice": lambda: good().replace(b" d=good.test;", b" d=evil.test; d=good.test;"),
    "D= beside d=": lambda: good().replace(b" d=good.test;", b" D=bank.test; d=good.test;"),
    "an unknown version": lambda: good(v="2"),
    "an unknown algorithm": lambda: good(a="none"),
    "b= empty": lambda: b"DKIM-Signature: v=1; a=ed25519-sha256; d=good.test; s=ed; h=from; bh=; b=\r\n" + PLAIN,
    "no From at all": lambda: without(b"From", good()),
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


@pytest.mark.parametrize("trick", DKIM)
def test_dkim(gate: Gate, trick: str) -> None:
    publish_keys(gate)
    outcome = gate.send(DKIM[trick](), client=EVIL, helo=EVIL_HOST, mail_from="<a@no-spf.test>")
    assert outcome.codes == "550 5.7.26", outcome.answer.reply or outcome.results
    assert outcome.all_results("dkim") not in ([], ["none"]), "the signature was not seen at all"
    assert "pass" not in outcome.all_results("dkim")


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
    ],
    ids=["plain", "l= of the whole body", "i= below d=", "not expired", "1,024 bits", "oversigned"],
)
def test_dkim_passes_what_is_signed(gate: Gate, message: bytes) -> None:
    publish_keys(gate)
    outcome = gate.send(message, client=EVIL, helo=EVIL_HOST, mail_from="<a@no-spf.test>")
    assert outcome.code == 250, outcome.answer.reply


# -- iprev. SPF of wide.test passes for everybody, so that only the reverse name is missing.

BANK = "2001:db8:7::1"
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
    from lab.nsd import ptr_name

    gate.dns.zone.add(ptr_name(client), "CNAME", name(ptr_name(BANK)))


@trick("the address itself for a name")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, labels(client.encode()))


@trick("the root for a name")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, b"\0")


@trick("a name that a NUL cuts to the bank's")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, labels(b"mail.bank.test\0", b"evil", b"test"))


@trick("a label with a dot in it")
def _(gate: Gate, client: str) -> None:
    gate.dns.zone.add_ptr(client, labels(b"mail.evil", b"test"))


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
