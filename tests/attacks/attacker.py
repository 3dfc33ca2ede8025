"""The attacker of the tests on false passes.

It controls its own address and the zones of it (PTR, AAAA), the zones of domains of its own (evil.test), HELO, MAIL
FROM, and every octet of the message; it has copies of messages that others signed. It controls nothing in good.test
or bank.test, whose mail it wants to be taken for. Every row is refused for good or for now, and the trick does not
read `pass`; beside each table stands the honest case that passes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.faulty_dns import address, records_of
from lab.gate import Gate
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
