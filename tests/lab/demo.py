"""The demonstration: what each client meets under each policy, shown as it goes over the wire.

    python3 -m lab.demo --sixgate build/release/sixgate

Exit status 0 when every outcome is the expected one.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from . import cast
from .cast import Client
from .namespace import NamespaceRefused
from .site import Site, program_from_environment

DELIVERED = "250 delivered"


@dataclass(frozen=True)
class Policy:
    profile: str
    mode: str
    expected: dict[Client, str]

    @property
    def name(self) -> str:
        return f"{self.profile} {self.mode}"

    @property
    def configuration(self) -> str:
        return (
            f'[policy]\nprofile = "{self.profile}"\nmode = "{self.mode}"\n'
            'help_url = "https://mail.example.org/ipv6"\n'
        )


POLICIES = (
    Policy("rfc7372", "observe", {cast.NO_PTR: DELIVERED, cast.NEITHER: DELIVERED}),
    Policy("rfc7372", "tag", {cast.NO_PTR: DELIVERED, cast.NEITHER: DELIVERED}),
    Policy("rfc7372", "soft", {
        cast.GOOD: DELIVERED,
        cast.NO_PTR: "450 4.7.25",
        cast.FORGED_PTR: "450 4.7.25",
        cast.NEITHER: "450 4.7.26",
    }),
    Policy("rfc7372", "enforce", {
        cast.GOOD: DELIVERED,
        cast.NO_PTR: "550 5.7.25",
        cast.FORGED_PTR: "550 5.7.25",
        cast.PTR_SERVFAIL: "451 4.4.3",
        cast.SPF_ONLY: DELIVERED,
        cast.DKIM_ONLY: DELIVERED,
        cast.NEITHER: "550 5.7.26",
        cast.BROKEN_SIGNATURE: "550 5.7.26",
        cast.IPV4: DELIVERED,
    }),
    Policy("gmail", "enforce", {
        cast.GOOD: DELIVERED,
        cast.FORGED_PTR: "550 5.7.25",
        cast.NEITHER: "550 5.7.26",
    }),
    Policy("eop", "enforce", {
        cast.NO_PTR: "550 5.7.25",
        cast.FORGED_PTR: DELIVERED,
        cast.NEITHER: "554 5.7.26",
    }),
    Policy("eop", "soft", {cast.NEITHER: "450 4.7.26"}),
    Policy("rfc7372", "closed", {cast.GOOD: "451 4.7.1", cast.IPV4: DELIVERED}),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    client: Client
    policy: Policy
    expected: str
    got: str

    @property
    def is_as_expected(self) -> bool:
        return self.expected == self.got


def run(site: Site) -> list[Row]:
    """Every client under every policy that has an expectation for it; sixgate is reloaded in between."""
    rows = []
    for policy in POLICIES:
        configuration = site.configuration(policy.configuration)
        if site.sixgate.is_running:
            site.sixgate.reload(configuration)
        else:
            site.sixgate.start(configuration)
        for client, expected in policy.expected.items():
            print(f"\n=== {policy.name}: {client.name} [{client.address}], {client.story}\n")
            rows.append(Row(client, policy, expected, _outcome(site, client)))
    return rows


def _outcome(site: Site, client: Client) -> str:
    """One message from this client, shown while it goes; the reply's codes, or that it was delivered."""
    message = site.message(client)
    with site.connect(client) as smtp:
        smtp.ehlo(client.helo)
        reply = smtp.send(client.mail_from, cast.RECIPIENT, message.content)
        smtp.quit()
    print("\n".join(_without_extensions(smtp.dialogue)))
    if reply.code != 250:
        return reply.codes
    delivered = site.postfix.delivered(message.message_id)
    names = ("Authentication-Results", "Sixgate-Policy")
    fields = [f"{name}: {value}" for name in names for value in delivered.get_all(name, [])]
    print("\nDelivered with" if fields else "\nDelivered, with no field of ours")
    print("\n".join(_folded(field) for field in fields))
    return DELIVERED


def _without_extensions(dialogue: list[str]) -> list[str]:
    """The list of extensions in the reply to EHLO is long and says nothing here."""
    return [line for line in dialogue if not line.startswith("S: 250-") and line != "S: 250 CHUNKING"]


def _folded(field: str) -> str:
    return "  " + re.sub(r";\s+", ";\n      ", re.sub(r"\t", " ", field))


def table(rows: list[Row]) -> str:
    cells = [("client", "policy", "expected", "got", "")]
    cells += [
        (row.client.name, row.policy.name, row.expected, row.got, "" if row.is_as_expected else "<-- not as expected")
        for row in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Show what sixgate answers to nine kinds of clients.")
    parser.add_argument("--sixgate", type=Path, default=program_from_environment("release"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that Site cleans up
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        with Site(options.sixgate.resolve()) as site:
            rows = run(site)
    except NamespaceRefused as refusal:
        print(f"demo: {refusal}", file=sys.stderr)
        return 1
    wrong = [row for row in rows if not row.is_as_expected]
    print(f"\n=== Outcomes\n\n{table(rows)}\n")
    print(f"{len(rows) - len(wrong)} of {len(rows)} as expected.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
