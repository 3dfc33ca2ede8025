"""The clients of the lab: who connects, what it says, and what the DNS and its signature say of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from . import messages
from .messages import DkimKey, Message
from .nsd import Record, ptr, ptr_name

HOST = "rx.example.test"
ADDRESS6 = "2001:db8:1::25"
ADDRESS4 = "192.0.2.25"
SECOND_ADDRESS6 = "2001:db8:1::26"
MX6_ADDRESS6 = "2001:db8:1::6"
RECIPIENT = f"alice@{HOST}"


class Signature(enum.Enum):
    NONE = "not signed"
    RSA = "signed"
    ED25519 = "signed with Ed25519"
    BROKEN = "signed, and changed on its way"


@dataclass(frozen=True)
class Client:
    """One sending host with a domain of its own. `story` is what an administrator would say of it."""

    name: str
    story: str
    address: str
    domain: str
    reverse_name: str | None = None  # what its PTR record says; empty: there is none
    forward_address: str | None = None  # of the reverse name, where that is not the client's own
    is_ptr_broken: bool = False  # the name server of its reverse zone answers SERVFAIL
    has_spf: bool = False
    signature: Signature = Signature.NONE

    @property
    def helo(self) -> str:
        return f"mail.{self.domain}"

    @property
    def mail_from(self) -> str:
        return f"sender@{self.domain}"

    @property
    def ptr_name(self) -> str:
        return ptr_name(self.address)

    def records(self) -> list[Record]:
        records = []
        if self.reverse_name:
            records.append(ptr(self.address, self.reverse_name))
            leads_to = self.forward_address or self.address
            records.append(Record(self.reverse_name, "AAAA" if ":" in leads_to else "A", leads_to))
        if self.has_spf:
            method = "ip6" if ":" in self.address else "ip4"
            records.append(Record(self.domain, "TXT", f"v=spf1 {method}:{self.address} -all"))
        return records


def _client(name: str, address: str, story: str, **facts: object) -> Client:
    client = Client(name=name, story=story, address=address, domain=f"{name}.test")
    return replace(client, **{"reverse_name": client.helo, **facts})  # type: ignore[arg-type]


GOOD = _client("good", "2001:db8:5::1", "PTR, SPF and DKIM in order", has_spf=True, signature=Signature.RSA)
NO_PTR = _client(
    "no-ptr", "2001:db8:bad::1", "no PTR, SPF and DKIM in order",
    reverse_name=None, has_spf=True, signature=Signature.RSA,
)  # fmt: skip
FORGED_PTR = _client(
    "forged-ptr", "2001:db8:bad::2", "PTR names a host with another address",
    reverse_name="mail.innocent.test", forward_address="2001:db8:9::1", has_spf=True,
)  # fmt: skip
PTR_SERVFAIL = _client(
    "ptr-servfail", "2001:db8:bad:3::3", "the reverse zone's name server fails",
    reverse_name=None, is_ptr_broken=True, has_spf=True,
)  # fmt: skip
SPF_ONLY = _client("spf-only", "2001:db8:5::4", "PTR and SPF, not signed", has_spf=True)
DKIM_ONLY = _client("dkim-only", "2001:db8:5::5", "PTR and DKIM, no SPF", signature=Signature.ED25519)
NEITHER = _client("neither", "2001:db8:5::6", "PTR, neither SPF nor DKIM")
BROKEN_SIGNATURE = _client(
    "broken-signature", "2001:db8:5::7", "PTR, its only signature broken", signature=Signature.BROKEN
)
HOSTILE = _client(
    "hostile", "2001:db8:5::8", "its reverse name is meant to break replies",
    reverse_name=r"100%s%n\013\010550\0325.0.0\034\040\(x.hostile.test",
)  # fmt: skip
IPV4 = _client("ipv4", "192.0.2.55", "IPv4: no PTR, no SPF, not signed", reverse_name=None)

CAST = (GOOD, NO_PTR, FORGED_PTR, PTR_SERVFAIL, SPF_ONLY, DKIM_ONLY, NEITHER, BROKEN_SIGNATURE, HOSTILE, IPV4)

# Those with whom the rollout begins: known by their network, by their name, by their signature. And one of those
# with whom it goes on, by the luck of lab.rollout.KEY. Two have domains that the Public Suffix List knows.
PARTNER = _client("partner", "2001:db8:8::1", "in a partner's network, PTR and SPF", has_spf=True)
PARTNER_NO_PTR = _client(
    "partner-no-ptr", "2001:db8:8::2", "in a partner's network, no PTR", reverse_name=None, has_spf=True
)
NAMED = _client("named", "2001:db8:a::1", "known by its name, PTR and SPF", has_spf=True)
NAMED_UNSIGNED = _client(
    "named-unsigned", "2001:db8:a::2", "known by its name, neither SPF nor DKIM", reverse_name="out.named.test"
)
SIGNER = _client(
    "signer", "2001:db8:b::1", "known by its signature, PTR in order",
    domain="example.org", reverse_name="mail.example.org", signature=Signature.ED25519,
)  # fmt: skip
SIGNER_NO_PTR = _client(
    "signer-no-ptr", "2001:db8:b::2", "known by its signature, no PTR",
    reverse_name=None, signature=Signature.ED25519,
)  # fmt: skip
EARLY = _client(
    "early", "2001:db8:c::1", "PTR, neither SPF nor DKIM; among the first 10 percent",
    domain="example.net", reverse_name="mail.example.net",
)  # fmt: skip

ROLLOUT = (PARTNER, PARTNER_NO_PTR, NAMED, NAMED_UNSIGNED, SIGNER, SIGNER_NO_PTR, EARLY)
EVERYBODY = (*CAST, *ROLLOUT)

# Domains that nobody sends from but in MAIL FROM.
NO_MAIL = "no-mail.test"  # neither MX nor address
NULL_MX = "null-mx.test"
IPV6_ONLY_MX = "ipv6-only-mx.test"
IPV6_ONLY = "ipv6-only.test"  # the implicit MX of RFC 5321 section 5.1
IPV4_ONLY = "ipv4-only.test"

SENDER_DOMAINS = (
    Record(NO_MAIL, "TXT", "no host here"),
    Record(NULL_MX, "MX", "0 ."),
    Record(IPV6_ONLY_MX, "MX", f"10 mx.{IPV6_ONLY_MX}."),
    Record(f"mx.{IPV6_ONLY_MX}", "AAAA", "2001:db8:d::25"),
    Record(IPV6_ONLY, "AAAA", "2001:db8:d::26"),
    Record(IPV4_ONLY, "A", "192.0.2.126"),
)


class Keys:
    """The key pairs of one run: made once, since RSA keys take their time."""

    SELECTOR = "lab"

    def __init__(self) -> None:
        self._rsa = messages.rsa_key()
        self._ed25519 = messages.ed25519_key()

    def of(self, signature: Signature) -> DkimKey | None:
        if signature is Signature.NONE:
            return None
        return self._ed25519 if signature is Signature.ED25519 else self._rsa

    def records(self, client: Client) -> list[Record]:
        key = self.of(client.signature)
        return [key.record(client.domain, self.SELECTOR)] if key else []

    def signed(self, client: Client, message: Message) -> Message:
        """The message as it leaves the client."""
        key = self.of(client.signature)
        if key is None:
            return message
        signed = messages.sign(message, key, client.domain, self.SELECTOR)
        return messages.with_altered_body(signed) if client.signature is Signature.BROKEN else signed


def zone_of(keys: Keys) -> list[Record]:
    """Everything that the lab's name server knows."""
    records = [
        Record(HOST, "MX", f"10 {HOST}."),
        Record(HOST, "AAAA", ADDRESS6),
        Record(HOST, "A", ADDRESS4),
        Record("localhost", "AAAA", "::1"),
        Record("localhost", "A", "127.0.0.1"),
        ptr("::1", "localhost"),
        ptr("127.0.0.1", "localhost"),
        *SENDER_DOMAINS,
    ]
    for client in EVERYBODY:
        records += client.records() + keys.records(client)
        records.append(Record(f"_dmarc.{client.domain}", "TXT", "v=DMARC1; p=none"))
    return records


def broken_zones() -> list[str]:
    return [client.ptr_name for client in EVERYBODY if client.is_ptr_broken]
