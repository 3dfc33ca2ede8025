"""Nobody gets a reverse name by a trick.

SPF of wide.test passes for everybody, so that only the reverse name is missing.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from attacker import BANK, EVIL_HOST, gate, merge  # noqa: F401
from lab.faulty_dns import address, labels, name
from lab.gate import Gate
from lab.nsd import ptr_name

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
