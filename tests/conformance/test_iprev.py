"""iprev (RFC 8601 section 3) with answers as the DNS gives them, odd ones included.

Each case has a client address of its own: 2001:db8:c::NUMBER.
"""

from __future__ import annotations

import ipaddress
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from lab.bench import Bench, Delivery, Findings
from lab.zone_server import ZoneServer

CLIENT = "the address of the client"  # stands for it in AAAA records
REVERSE = "the client's name in ip6.arpa"  # stands for it among the names

Records = list[tuple[str, Any]]


@dataclass(frozen=True)
class Case:
    name: str
    result: str
    pointers: Records  # at the client's name in ip6.arpa
    names: dict[str, Records] = field(default_factory=dict)
    comment: str = ""  # what the field tells beside the result


def ptr(*names: str) -> Records:
    return [("PTR", name) for name in names]


OURS: Records = [("AAAA", CLIENT)]
OTHER: Records = [("AAAA", "2001:db8:ffff::1")]
IPV4: Records = [("A", "192.0.2.1")]
BROKEN: Records = [("SERVFAIL", None)]
SILENT: Records = [("TIMEOUT", None)]
LABEL = "a" * 63
LONG = f"{LABEL}.{LABEL}.{LABEL}.{'b' * 48}.long.test"

CASES = [
    Case("one-name", "pass", ptr("one.test"), {"one.test": OURS}, "one.test"),
    Case("several-names-last-one-right", "pass", ptr("s1.test", "s2.test", "s3.test"),
         {"s1.test": OTHER, "s2.test": IPV4, "s3.test": OURS}, "s3.test"),
    Case("several-names-none-right", "fail", ptr("t1.test", "t2.test"), {"t1.test": OTHER, "t2.test": OTHER}),
    Case("several-addresses", "pass", ptr("sa.test"), {"sa.test": OTHER + OURS + [("AAAA", "2001:db8:ffff::2")]}),
    Case("many-addresses", "pass", ptr("ma.test"),
         {"ma.test": [("AAAA", f"2001:db8:ffff::{n:x}") for n in range(900)] + OURS}),
    Case("no-such-name", "permerror", []),
    Case("no-ptr-at-the-name", "permerror", [("TXT", "not a pointer")]),
    Case("name-is-not-there", "fail", ptr("absent.test"), {}, "absent.test"),
    Case("name-without-address", "fail", ptr("nodata.test"), {"nodata.test": [("TXT", "x")]}),
    Case("ipv4-only", "fail", ptr("v4.test"), {"v4.test": IPV4}, "no address of this kind"),
    Case("mapped-address", "fail", ptr("mapped.test"), {"mapped.test": [("AAAA", "::ffff:192.0.2.1")]}),
    Case("same-network-only", "fail", ptr("near.test"), {"near.test": [("AAAA", "2001:db8:c::fffe")]}),
    Case("ptr-servfail", "temperror", BROKEN),
    Case("ptr-refused", "temperror", [("REFUSED", None)]),
    Case("ptr-timeout", "temperror", SILENT),
    Case("name-servfail", "temperror", ptr("broken1.test"), {"broken1.test": BROKEN}, "could not be looked up"),
    Case("name-timeout", "temperror", ptr("silent1.test"), {"silent1.test": SILENT}),
    Case("name-servfail-beside-one-right", "pass", ptr("broken2.test", "right2.test"),
         {"broken2.test": BROKEN, "right2.test": OURS}, "right2.test"),
    Case("name-timeout-beside-one-right", "pass", ptr("silent3.test", "right3.test"),
         {"silent3.test": SILENT, "right3.test": OURS}),
    Case("name-servfail-beside-one-wrong", "temperror", ptr("broken4.test", "wrong4.test"),
         {"broken4.test": BROKEN, "wrong4.test": OTHER}),
    Case("name-servfail-beside-one-absent", "temperror", ptr("absent5.test", "broken5.test"), {"broken5.test": BROKEN}),
    Case("ten-names-last-one-right", "pass", ptr(*(f"x{n}.ten.test" for n in range(10))),
         {f"x{n}.ten.test": OTHER for n in range(9)} | {"x9.ten.test": OURS}),
    Case("eleventh-name-right", "fail", ptr(*(f"x{n}.eleven.test" for n in range(11))),
         {f"x{n}.eleven.test": OTHER for n in range(10)} | {"x10.eleven.test": OURS}),
    Case("a-thousand-names", "fail", ptr(*(f"x{n}.thousand.test" for n in range(1000)))),
    Case("a-thousand-names-first-right", "pass", ptr(*(f"x{n}.flood.test" for n in range(1000))),
         {"x0.flood.test": OURS}),
    Case("one-name-twenty-times", "pass", ptr(*(["same.test"] * 19), "other20.test"),
         {"same.test": OTHER, "other20.test": OURS}),
    Case("names-that-differ-in-case", "pass",
         ptr("case.test", "Case.test", "cAse.test", "caSe.test", "casE.test", "CASE.test", "case.Test", "case.tEst",
             "case.teSt", "case.tesT", "right21.test"), {"case.test": OTHER, "right21.test": OURS}),
    Case("case-of-the-name", "pass", ptr("MAIL.Upper.TEST"), {"mail.upper.test": OURS}),
    Case("cname-of-the-reverse-name", "pass", [("CNAME", "12.0-15.delegated.test")],
         {"12.0-15.delegated.test": ptr("right22.test"), "right22.test": OURS}, "right22.test"),
    Case("cname-of-the-reverse-name-to-several", "pass", [("CNAME", "13.0-15.delegated.test")],
         {"13.0-15.delegated.test": ptr("wrong23.test", "right23.test"), "wrong23.test": OTHER, "right23.test": OURS}),
    Case("cname-of-the-reverse-name-to-nothing", "permerror", [("CNAME", "14.0-15.delegated.test")]),
    Case("cname-of-the-reverse-name-to-servfail", "temperror", [("CNAME", "15.0-15.delegated.test")],
         {"15.0-15.delegated.test": BROKEN}),
    Case("cname-chain-of-the-reverse-name", "pass", [("CNAME", "c1.chain.test")],
         {"c1.chain.test": [("CNAME", "c2.chain.test")], "c2.chain.test": [("CNAME", "c3.chain.test")],
          "c3.chain.test": ptr("right24.test"), "right24.test": OURS}),
    Case("cname-of-the-name", "pass", ptr("alias25.test"),
         {"alias25.test": [("CNAME", "right25.test")], "right25.test": OURS}),
    Case("cname-of-the-name-to-nothing", "fail", ptr("alias26.test"), {"alias26.test": [("CNAME", "absent26.test")]}),
    Case("label-underscore", "pass", ptr("my_host.test"), {"my_host.test": OURS}, "my_host.test"),
    Case("label-one", "pass", ptr("localhost"), {"localhost": OURS}),
    Case("label-digits", "pass", ptr("192-0-2-1.dyn.123.test"), {"192-0-2-1.dyn.123.test": OURS}),
    Case("label-hyphens", "pass", ptr("-a-.test"), {"-a-.test": OURS}),
    Case("label-idn", "pass", ptr("xn--bcher-kva.test"), {"xn--bcher-kva.test": OURS}),
    Case("label-eight-bit", "pass", ptr("b\xfccher.test"), {"b\xfccher.test": OURS}),
    Case("label-space-and-quotes", "pass", ptr('a "b" (c);d.test'), {'a "b" (c);d.test': OURS}),
    Case("label-crlf", "fail", ptr("a\r\nX-Evil: yes.test"), {"a\r\nx-evil: yes.test": OTHER}),
    Case("label-nul", "fail", ptr("good.test\0.evil.test"), {"good.test": OURS, "good.test\0.evil.test": OTHER}),
    Case("label-63", "pass", ptr(f"{LABEL}.test"), {f"{LABEL}.test": OURS}),
    Case("name-of-253", "pass", ptr(LONG), {LONG: OURS}),
    Case("name-is-the-root", "fail", ptr(".")),
    Case("name-is-an-address", "fail", ptr("192.0.2.1"), {}),
    Case("name-is-the-reverse-name", "fail", ptr(REVERSE)),
    Case("name-in-ip6-arpa-with-address", "pass", ptr("mail.in.ip6.arpa"), {"mail.in.ip6.arpa": OURS}),
    Case("answer-over-tcp", "pass", ptr(*(f"{LABEL}.{n}.{LABEL}.tcp.test" for n in range(40))),
         {f"{LABEL}.9.{LABEL}.tcp.test": OURS}),
]


def client_of(number: int) -> str:
    return f"2001:db8:c::{number + 1:x}"


def zone() -> dict[str, Records]:
    names: dict[str, Records] = {}
    for number, case in enumerate(CASES):
        client = client_of(number)
        reverse = ipaddress.ip_address(client).reverse_pointer

        def filled(records: Records) -> Records:
            texts = {CLIENT: client, REVERSE: reverse}
            return [(type_, texts.get(value, value) if isinstance(value, str) else value) for type_, value in records]

        if case.pointers:
            names[reverse] = filled(case.pointers)
        for name, records in case.names.items():
            assert name not in names, name
            names[name] = filled(records)
    return names


@dataclass(frozen=True)
class Run:
    server: ZoneServer
    findings: list[Future[Findings]]


@pytest.fixture(scope="module")
def run(bench: Bench) -> Run:
    server = bench.serve(zone())
    return Run(server, [bench.deliver(Delivery(client=client_of(number))) for number in range(len(CASES))])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_case(run: Run, number: int) -> None:
    case = CASES[number]
    told = run.findings[number].result(timeout=60)
    assert told.result("iprev") == case.result, told.text
    assert told.of("iprev")[0].properties == {"policy.iprev": client_of(number)}
    assert case.comment in told.text, told.text
    assert told.text.isascii() and told.text.replace("\n\t", "").isprintable(), told.text


@pytest.mark.parametrize("domain", ["thousand.test", "flood.test", "ten.test", "eleven.test", "tcp.test"])
def test_at_most_ten_names_are_asked_for(run: Run, domain: str) -> None:
    for finding in run.findings:
        finding.result(timeout=60)
    asked = run.server.questions_below(domain)
    assert len(asked) == 10, [question.name for question in asked]


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 20
    assert len({case.name for case in CASES}) == len(CASES)
