"""Domains whose mail the site's Postfix takes, each with a DNS that leads there in a way of its own."""

from __future__ import annotations

from dataclasses import dataclass

from .cast import ADDRESS4, ADDRESS6, MX6_ADDRESS6, SECOND_ADDRESS6
from .nsd import Record


@dataclass(frozen=True)
class MxLayout:
    domain: str
    hosts: tuple[tuple[str, ...], ...]  # the addresses of each MX host, the most preferred first
    mx6_address: str = ""  # of the listener that _mx6._tcp leads to; empty: the receiver knows no MX6

    @property
    def recipient(self) -> str:
        return f"alice@{self.domain}"

    def records(self) -> list[Record]:
        records = []
        for number, addresses in enumerate(self.hosts, 1):
            host = f"mx{number}.{self.domain}"
            records.append(Record(self.domain, "MX", f"{10 * number} {host}."))
            records += [_address(host, address) for address in addresses]
        if self.mx6_address:
            host = f"mx6.{self.domain}"
            records.append(Record(f"_mx6._tcp.{self.domain}", "SRV", f"0 0 25 {host}."))
            records.append(_address(host, self.mx6_address))
        return records


def _address(host: str, address: str) -> Record:
    return Record(host, "AAAA" if ":" in address else "A", address)


SINGLE = MxLayout("single.test", ((ADDRESS6, ADDRESS4),))
MANY = MxLayout("many.test", ((ADDRESS6, SECOND_ADDRESS6, ADDRESS4),))
# As sixgate.toml(5) recommends it.
RECOMMENDED = MxLayout("recommended.test", ((ADDRESS6, ADDRESS4), (SECOND_ADDRESS6, ADDRESS4), (ADDRESS4,)))
MX6 = MxLayout("mx6.test", ((ADDRESS6, ADDRESS4),), MX6_ADDRESS6)

LAYOUTS = (SINGLE, MANY, RECOMMENDED, MX6)
