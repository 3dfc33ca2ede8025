"""Nobody passes DKIM by a trick.

MAIL FROM is of a domain without SPF, so that a signature of good.test is all there is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from attacker import EVIL, EVIL_HOST, gate, merge  # noqa: F401
from lab import signer
from lab.gate import Gate
from lab.messages import compose


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
