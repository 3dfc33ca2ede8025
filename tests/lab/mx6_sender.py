"""A sender that knows MX6, the proposal: it looks for the SRV record _mx6._tcp of a domain before the MX records.

A host of that record that answers 550 5.5.x after DATA is not willing to take the message over IPv6: it goes to the
MX, over IPv4. From an MX the same reply is a bounce, as it is for every sender that does not know MX6.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from . import smtp
from .cast import Client
from .messages import Message
from .smtp import Reply


@dataclass(frozen=True)
class Attempt:
    """One connection, and the reply that decided."""

    address: str
    reply: Reply
    is_after_data: bool

    @property
    def asks_for_ipv4(self) -> bool:
        return self.is_after_data and self.reply.code == 550 and self.reply.enhanced_status.startswith("5.5.")


class Mx6Sender:
    """Sends from the addresses of the two clients, by the name of the first."""

    def __init__(self, client6: Client, client4: Client) -> None:
        self.client = client6
        self._sources = {6: client6.address, 4: client4.address}

    def send(self, message: Message, recipient: str) -> list[Attempt]:
        """Each attempt in its order, until one is taken or refused for good; nobody here comes back later."""
        hosts = mx6_hosts(recipient.rpartition("@")[2])
        if not hosts:
            return self._try_mx((6, 4), message, recipient)
        host, port = hosts[0]
        first = self._try(look_up(host, "AAAA")[0], port, message, recipient)
        return [first, *self._try_mx((4,), message, recipient)] if first.asks_for_ipv4 else [first]

    def _try_mx(self, versions: tuple[int, ...], message: Message, recipient: str) -> list[Attempt]:
        attempts = []
        for address in mx_addresses(recipient.rpartition("@")[2], versions):
            attempts.append(self._try(address, 25, message, recipient))
            if attempts[-1].reply.code // 100 != 4:
                break
        return attempts

    def _try(self, address: str, port: int, message: Message, recipient: str) -> Attempt:
        source = self._sources[6 if ":" in address else 4]
        with smtp.Client((address, port), source) as connection:
            connection.ehlo(self.client.helo)
            reply = connection.send(self.client.mail_from, recipient, message.content)
            is_after_data = "C: ." in connection.dialogue
            connection.quit()
        return Attempt(address, reply, is_after_data)


def mx6_hosts(domain: str) -> list[tuple[str, int]]:
    """RFC 2782: hosts and ports by their priority; none where the receiver knows no MX6."""
    records = sorted((int(words[0]), words) for words in map(str.split, look_up(f"_mx6._tcp.{domain}", "SRV")))
    return [(words[3], int(words[2])) for _, words in records]


def mx_addresses(domain: str, versions: tuple[int, ...]) -> Iterator[str]:
    """RFC 5321 section 5.1, the addresses of a host in the order of `versions`."""
    records = sorted((int(words[0]), words[1]) for words in map(str.split, look_up(domain, "MX")))
    for _, host in records:
        for version in versions:
            yield from look_up(host, {6: "AAAA", 4: "A"}[version])


def look_up(name: str, type_: str) -> list[str]:
    """The data of the records as in a zone file."""
    asked = subprocess.run(["dig", "+short", name, type_], capture_output=True, text=True, check=True)
    return asked.stdout.splitlines()
