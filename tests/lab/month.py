"""A month of mail at a receiving site, and the truth about it: who sends, what is wrong with each, what follows.

Nothing here knows how sixgate judges. A host is made with a fault, the zone is made to show it, and what a policy
of confirmed reverse names and SPF or DKIM must say of it stands in FAULTS.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from . import messages, signer
from .nsd import ptr_name
from .zone_server import Zone

SELECTOR = "month"
LISTENER = "2001:db8:25::25"
POSTMASTER = "postmaster@example.test"


@dataclass(frozen=True)
class Fault:
    """What must follow: the reason, and what enforcing answers ("accept", "tempfail", "reject")."""

    reason: str = ""
    enforce: str = "accept"
    kind: str = "direct"
    share: float = 1  # of the hosts


_MISSING = ("reverse_name_missing", "reject")
_UNAUTHENTICATED = ("unauthenticated", "reject")

FAULTS = {
    "none": Fault(share=30),
    "spf only": Fault(share=10),
    "dkim only": Fault(share=10),
    "no ptr": Fault(*_MISSING, share=4),
    "own range": Fault(*_MISSING, kind="own_range", share=0.3),
    "ptr elsewhere": Fault("reverse_name_mismatch", "reject", share=3),
    "ptr without address": Fault("reverse_name_mismatch", "reject", share=1),
    "ptr servfail": Fault("reverse_name_temperror", "tempfail", share=0.5),
    "neither": Fault(*_UNAUTHENTICATED, share=3),
    "spf fail": Fault(*_UNAUTHENTICATED, share=2),
    "spf lists ipv4 only": Fault(*_UNAUTHENTICATED, share=3),
    "broken signature": Fault(*_UNAUTHENTICATED, share=1),
    "list": Fault(*_UNAUTHENTICATED, kind="mailing_list", share=1),
    "forwarded": Fault(*_UNAUTHENTICATED, kind="forwarded", share=1),
    "spf servfail": Fault("authentication_temperror", "tempfail", share=0.5),
    "bounces": Fault(kind="null_path", share=1),
    "bounces of another name": Fault(*_UNAUTHENTICATED, kind="null_path", share=0.7),
}

_WITH_SPF = {"none", "spf only", "no ptr", "own range", "ptr elsewhere", "ptr without address", "ptr servfail"}
_SIGNED = {"none", "dkim only", "no ptr", "broken signature"}
_BOUNCES = {"bounces", "bounces of another name"}


@dataclass(frozen=True)
class Host:
    """One client of a sender, and the messages it sends: the same ones again and again."""

    domain: str
    address: str
    fault: str

    @property
    def name(self) -> str:
        return f"{ipaddress.ip_address(self.address).packed[-1]:x}.mail.{self.domain}"

    @property
    def truth(self) -> Fault:
        return FAULTS[self.fault]

    @property
    def helo(self) -> str:
        return "localhost.localdomain" if self.fault == "bounces of another name" else self.name

    @property
    def mail_from_domain(self) -> str:
        return "" if self.fault in _BOUNCES else self.domain

    @property
    def mail_from(self) -> str:
        if self.fault in _BOUNCES:
            return ""
        if self.fault == "forwarded":
            return f"SRS0=abcd=xy=author.test=someone@{self.domain}"
        return f"sender@{self.domain}"

    def content(self, key: signer.Key) -> bytes:
        fields = [("List-Id", f"<list.{self.domain}>")] if self.fault == "list" else []
        author = self.mail_from or f"postmaster@{self.domain}"
        content = messages.compose(author, "someone@example.test", fields=fields).content
        if self.fault not in _SIGNED:
            return content
        # Without t=: it is signed before the month begins, and after by the clock on the wall.
        signed = signer.sign(content, key, self.domain, SELECTOR)
        return signed + b"-- \r\nA footer\r\n" if self.fault == "broken signature" else signed


@dataclass(frozen=True)
class Sent:
    """One message of the month."""

    when: datetime
    host: Host
    recipients: tuple[str, ...]

    @property
    def is_spared(self) -> bool:
        """It falls short, and goes to nobody but an exempt recipient."""
        return bool(self.host.truth.reason) and set(self.recipients) == {POSTMASTER}

    @property
    def enforce(self) -> str:
        return "accept" if self.is_spared else self.host.truth.enforce


@dataclass
class Month:
    """`domains` sender domains that send `count` messages in the days from `first`, spread as a real month is."""

    domains: int
    count: int
    first: datetime
    days: int = 30
    seed: int = 6
    hosts: list[Host] = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        faults, shares = list(FAULTS), [fault.share for fault in FAULTS.values()]
        self.hosts = []
        for number in range(self.domains):
            # Every fault occurs, however few senders there are.
            chosen = faults[number] if number < len(faults) else self._random.choices(faults, shares)[0]
            self._add_sender(f"d{number}.example", number, chosen)

    def _add_sender(self, domain: str, number: int, fault: str) -> None:
        faults = [fault]
        # A second host that its owner has forgotten.
        if fault == "none" and self._random.random() < 0.15:
            faults.append("no ptr")
        # A second host that is our own, with the same fault: it may send more than theirs, or less.
        if fault == "no ptr" and self._random.random() < 0.5:
            faults.append("own range")
        for index, each in enumerate(faults):
            address = ipaddress.ip_address(self._address(number, index, each))
            self.hosts.append(Host(domain, str(address), each))

    @staticmethod
    def _address(number: int, index: int, fault: str) -> str:
        """Most hosts have a /64 of their own; every fifth domain is with a hoster, who has one for many."""
        if fault == "own range":
            return f"fd00:6:{0x1000 + number:x}:{index}::{index + 0x25:x}"
        if number % 5 == 0:
            return f"2001:db8:f000:{number // 25:x}::{number:x}:{index + 0x25:x}"
        return f"2001:db8:{0x1000 + number:x}:{index}::{index + 0x25:x}"

    @property
    def times(self) -> list[datetime]:
        """Four moments of each day."""
        return [self.first + timedelta(days=day, hours=hour) for day in range(self.days) for hour in (2, 8, 14, 20)]

    def messages(self) -> Iterator[tuple[datetime, list[Sent]]]:
        """The messages of each moment; nobody sends at night as by day, and a few send most of all."""
        chance = random.Random(self.seed + 1)
        weights = [1 / (1 + rank) ** 0.5 for rank in range(len(self.hosts))]
        chance.shuffle(weights)
        hours = {2: 0.5, 8: 1.5, 14: 1.4, 20: 0.6}
        for when in self.times:
            share = round(self.count / self.days / 4 * hours[when.hour])
            chosen = chance.choices(self.hosts, weights, k=share)
            if when == self.times[0]:
                chosen += self.hosts  # each sends something
            yield when, [Sent(when, host, self._recipients(chance)) for host in chosen]

    def messages_to_one(self, count: int) -> Iterator[tuple[datetime, list[Sent]]]:
        """A few more at the last of the moments, none of them a bounce."""
        chance = random.Random(self.seed + 2)
        hosts = [host for host in self.hosts if host.mail_from_domain]
        when = self.times[-1]
        yield when, [Sent(when, chance.choice(hosts), self._recipients(chance)[:1]) for _ in range(count)]

    @staticmethod
    def _recipients(chance: random.Random) -> tuple[str, ...]:
        count = chance.choices((0, 1, 2, 5), (3, 87, 8, 2))[0]
        if count == 0:
            return (POSTMASTER,)
        return tuple(f"user{chance.randrange(500)}@example.test" for _ in range(count))

    def zone(self, key: signer.Key) -> Zone:
        zone: dict[str, list[tuple[str, object]]] = {}
        for host in self.hosts:
            _add_reverse(zone, host)
            _add_sender_records(zone, host, key, [other.address for other in self.hosts if other.domain == host.domain])
        return zone


def _add_reverse(zone: dict[str, list[tuple[str, object]]], host: Host) -> None:
    reverse = ptr_name(host.address)
    if host.fault in ("no ptr", "own range"):
        return
    zone[reverse] = [("SERVFAIL", None)] if host.fault == "ptr servfail" else [("PTR", host.name)]
    if host.fault == "ptr elsewhere":
        zone[host.name] = [("AAAA", "2001:db8:dead::1")]
    elif host.fault != "ptr without address":
        zone[host.name] = [("AAAA", host.address)]


def _add_sender_records(
    zone: dict[str, list[tuple[str, object]]], host: Host, key: signer.Key, addresses: list[str]
) -> None:
    spf = {
        "spf fail": "v=spf1 ip6:2001:db8:dead::1 -all",
        "spf lists ipv4 only": "v=spf1 ip4:192.0.2.0/24 -all",
        "dkim only": "v=spf1 ?all",
        "list": "v=spf1 ~all",
    }
    if host.fault == "spf servfail":
        zone[host.domain] = [("SERVFAIL", None)]
    elif host.fault in _WITH_SPF:
        zone[host.domain] = [("TXT", "v=spf1 " + " ".join(f"ip6:{address}" for address in addresses) + " -all")]
    elif host.fault in spf:
        zone[host.domain] = [("TXT", spf[host.fault])]
    zone[f"{SELECTOR}._domainkey.{host.domain}"] = [("TXT", key.record)]


def month_before(domains: int, count: int) -> Month:
    """The 29 days before today: all of it is kept by default."""
    midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return Month(domains, count, midnight - timedelta(days=29), days=29)
