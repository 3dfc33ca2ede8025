"""The SPF test suites that Debian's golang-blitiri-go-spf-dev installs, as an IPv6 client meets them.

sixgate judges IPv6 only, so a case with an IPv4 client is rewritten. Addresses go to 2001:db8::/96, which keeps
their last 32 bits, and with them what is inside of which network:

    client, HELO literal, domain literal    1.2.3.4            2001:db8::102:304
    mechanism                               ip4:1.2.3.4/24     ip6:2001:db8::102:304/120
    prefix length of a and mx               a/24  mx/24//64    a//120  mx//120          (/0 becomes //0)
    address record                          A                  A and AAAA: `exists` asks for A whoever the client is
    reverse name                            4.3.2.1.in-addr    4.0.3.0.2.0. ... 8.b.d.0.1.0.0.2.ip6
    name made by %{i}                       1.2.3.4.x.test     2.0.0.1.0.d.b.8. ... .0.1.0.2.0.3.0.4.x.test

AAAA records that stand beside are left out: an IPv4 client never sees them. A case with an IPv6 client runs on
the zone as it is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path("/usr/share/gocode/src/blitiri.com.ar/go/spf/testdata")
SUITES = ("rfc7208", "rfc4408", "pyspf", "blitirispf")

_ADDRESS = r"\d{1,3}(?:\.\d{1,3}){3}"


@dataclass(frozen=True)
class Case:
    suite: str
    scenario: int
    name: str
    client: str
    helo: str
    mail_from: str
    results: tuple[str, ...]
    is_rewritten: bool

    @property
    def id(self) -> str:
        return f"{self.suite}:{self.name}"


@dataclass(frozen=True)
class Scenario:
    """Cases that share a zone, all of them with the zone as it is, or all of them rewritten."""

    zone: dict[str, list[tuple[str, Any]]]
    cases: tuple[Case, ...]


def is_mapped(host: str) -> bool:
    """::ffff:1.2.3.4 is an IPv4 client, which sixgate does not judge."""
    address = ipaddress.ip_address(host)
    return address.version == 6 and address.ipv4_mapped is not None


def scenarios(suite: str) -> Iterator[Scenario]:
    for number, document in enumerate(_documents(suite)):
        native = [(name, test) for name, test in document["tests"].items() if ":" in test["host"]]
        ipv4 = [(name, test) for name, test in document["tests"].items() if ":" not in test["host"]]
        zone = _zone(document["zonedata"])
        if native:
            cases = [_case(suite, number, name, test, False) for name, test in native]
            yield Scenario(zone, tuple(cases))
        if ipv4:
            cases = [_case(suite, number, name, test, True) for name, test in ipv4]
            yield Scenario(rewritten_zone(zone), tuple(cases))


@cache
def _documents(suite: str) -> list[dict[str, Any]]:
    text = (FOLDER / f"{suite}-tests.yml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


def _case(suite: str, scenario: int, name: str, test: dict[str, Any], is_rewritten: bool) -> Case:
    rewrite = rewritten_literal if is_rewritten else str
    # Some names stand in several scenarios of a suite.
    twins = [document for document in _documents(suite) if name in document["tests"]]
    results = test["result"] if isinstance(test["result"], list) else [test["result"]]
    return Case(
        suite,
        scenario,
        f"{scenario}.{name}" if len(twins) > 1 else name,
        ipv6_of(test["host"]) if is_rewritten else test["host"],
        rewrite(test.get("helo", "mail.example.com")),
        rewrite(test["mailfrom"]),
        tuple(results),
        is_rewritten,
    )


# --- The zone as it is --------------------------------------------------------------------------


def _zone(zonedata: dict[str, list[Any]]) -> dict[str, list[tuple[str, Any]]]:
    return {name: _records(entries) for name, entries in zonedata.items()}


def _records(entries: list[Any]) -> list[tuple[str, Any]]:
    """Type SPF is history (RFC 7208 section 3.1): it stands for TXT where no TXT is given."""
    # A bare `TIMEOUT` is how some write {TIMEOUT: true}.
    pairs = [next(iter(entry.items())) if isinstance(entry, dict) else (entry, True) for entry in entries]
    has_txt = any(type_ == "TXT" for type_, _ in pairs)
    records: list[tuple[str, Any]] = []
    for type_, value in pairs:
        if type_ == "SPF":
            type_ = "ignored" if has_txt else "TXT"
        if type_ == "CNAMELOOP":
            type_, value = "CNAME", "loop-back.test"
        if type_ != "ignored" and value != "NONE":
            records.append((type_, tuple(value) if type_ == "MX" else value))
    return records


# The other end of every CNAMELOOP.
LOOP = {"loop-back.test": [("CNAME", "loop-forth.test")], "loop-forth.test": [("CNAME", "loop-back.test")]}


# --- Rewriting ----------------------------------------------------------------------------------


def ipv6_of(ipv4: str) -> str:
    return str(ipaddress.IPv6Address((0x20010DB8 << 96) | int(ipaddress.IPv4Address(ipv4))))


def nibbles_of(ipv4: str) -> str:
    return ".".join(ipaddress.IPv6Address(ipv6_of(ipv4)).exploded.replace(":", ""))


def rewritten_literal(text: str) -> str:
    return re.sub(rf"\[({_ADDRESS})\]", lambda found: f"[IPv6:{ipv6_of(found[1])}]", text)


def _length(digits: str) -> str:
    """A length of 0 stays, and so does a leading zero."""
    if digits == "0":
        return "0"
    return ("0" if digits.startswith("0") else "") + str(96 + int(digits))


def rewritten_term(term: str) -> str:
    network = re.fullmatch(rf"([-+~?]?)ip4:({_ADDRESS})(?:(//?)(\d+))?(.*)", term, re.DOTALL)
    if network and not network[5].startswith(":"):
        length = f"{network[3]}{_length(network[4])}" if network[4] else ""
        return f"{network[1]}ip6:{ipv6_of(network[2])}{length}{network[5]}"
    hosts = re.fullmatch(r"([-+~?]?(?:a|mx)(?::[^/]*(?:/[^/\d][^/]*)*)?)/(\d+)(//\d+)?", term)
    if hosts:
        return f"{hosts[1]}//{_length(hosts[2])}"
    return re.sub(r"^([-+~?]?)ip4\b", r"\1ip6", term)


def rewritten_record(value: Any) -> Any:
    """The strings of a TXT record are read as the one that they make."""
    text = "".join(value) if isinstance(value, list) else value
    if not text.lower().startswith("v=spf1"):
        return value
    changed = " ".join(rewritten_term(term) for term in text.split(" "))
    return value if changed == text else changed


def rewritten_name(name: str) -> str:
    reverse = re.fullmatch(rf"({_ADDRESS})\.in-addr\.arpa", name)
    if reverse:
        ipv4 = ".".join(reversed(reverse[1].split(".")))
        return ipaddress.IPv6Address(ipv6_of(ipv4)).reverse_pointer
    if name.endswith(".ip6.arpa"):
        return name
    return re.sub(rf"(?<![^.])({_ADDRESS})(?=\.[a-z])", lambda found: nibbles_of(found[1]), name)


def rewritten_zone(zone: dict[str, list[tuple[str, Any]]]) -> dict[str, list[tuple[str, Any]]]:
    rewritten: dict[str, list[tuple[str, Any]]] = {}
    for name, records in zone.items():
        ours = rewritten.setdefault(rewritten_name(name), [])
        for type_, value in records:
            if type_ == "A":
                ours += [("A", value), ("AAAA", ipv6_of(value))]
            elif type_ == "TXT":
                ours.append((type_, rewritten_record(value)))
            elif type_ != "AAAA":
                ours.append((type_, value))
    return rewritten


# --- Names of one label -------------------------------------------------------------------------

# What blitirispf asks for and has no record of.
_ABSENT = "doesnotexist"


def _single_labels(scenario: Scenario) -> set[str]:
    return {name for name in scenario.zone if "." not in name}


def has_one_label(scenario: Scenario) -> bool:
    return bool(_single_labels(scenario))


def with_two_labels(scenario: Scenario) -> Scenario:
    """`d00` becomes d00.test, wherever it stands."""
    labels = "|".join(sorted(_single_labels(scenario) | {_ABSENT}, key=len, reverse=True))
    whole = re.compile(rf"(?<![\w.])({labels})(?![\w.])")

    def extended(value: Any) -> Any:
        if isinstance(value, tuple):
            return (value[0], extended(value[1]))
        # `mx` and the like are no names: a name stands behind a colon, an equals sign or an at sign, or alone.
        if whole.fullmatch(value):
            return f"{value}.test"
        return re.sub(rf"([:=@])({labels})(?=\s|$)", r"\1\2.test", value)

    zone = {
        extended(name): [
            (type_, extended(value)) if type_ in ("TXT", "MX", "PTR", "CNAME") else (type_, value)
            for type_, value in records
        ]
        for name, records in scenario.zone.items()
    }
    cases = [
        replace(case, name=f"{case.name}-with-two-labels", mail_from=extended(case.mail_from))
        for case in scenario.cases
    ]
    return Scenario(zone, tuple(cases))
