"""The domain name system of the lab: zones as values, served by a real nsd."""

from __future__ import annotations

import ipaddress
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .namespace import PrivateNetwork


@dataclass(frozen=True)
class Record:
    """One resource record. `rdata` is as in a zone file, but for TXT: there it is the text itself."""

    name: str
    type: str
    rdata: str


def ptr_name(address: str) -> str:
    """The name whose PTR record tells the reverse name of `address`."""
    return ipaddress.ip_address(address).reverse_pointer


def ptr(address: str, name: str) -> Record:
    return Record(ptr_name(address), "PTR", f"{name}.")


def _character_strings(text: str) -> str:
    """RFC 1035 section 3.3: strings of at most 255 octets, here of a length that eyes can follow."""
    parts = [text[i : i + 200] for i in range(0, len(text), 200)] or [""]
    escaped = (part.replace("\\", "\\\\").replace('"', '\\"') for part in parts)
    return " ".join(f'"{part}"' for part in escaped)


def zone_file(records: Iterable[Record]) -> str:
    """The whole DNS in one zone, the root. Negative answers may be kept for 5 seconds."""
    lines = [
        "$TTL 60",
        "$ORIGIN .",
        ". SOA ns.lab. hostmaster.lab. 1 3600 600 86400 5",
        ". NS ns.lab.",
        "ns.lab. A 127.0.0.1",
    ]
    for record in records:
        rdata = _character_strings(record.rdata) if record.type == "TXT" else record.rdata
        lines.append(f"{record.name}. {record.type} {rdata}")
    return "\n".join(lines) + "\n"


_SETTINGS = """\
server:
    ip-address: 127.0.0.1
    port: 53
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{folder}"
    xfrdir: "{folder}"
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    logfile: "{folder}/nsd.log"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: "."
    zonefile: root.zone
"""

_BROKEN_ZONE = """\
zone:
    name: "{name}"
    zonefile: not-there.zone
"""


class NameServer:
    """nsd on 127.0.0.1 port 53. The zones named in `servfail` cannot be loaded, and answer so."""

    def __init__(
        self, network: PrivateNetwork, folder: Path, records: Iterable[Record], servfail: Iterable[str] = ()
    ) -> None:
        self.network = network
        self.folder = folder
        self.records = list(records)
        self.servfail = list(servfail)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = _SETTINGS.format(folder=self.folder)
        settings += "".join(_BROKEN_ZONE.format(name=name) for name in self.servfail)
        (self.folder / "nsd.conf").write_text(settings)
        (self.folder / "root.zone").write_text(zone_file(self.records))
        with (self.folder / "nsd.out").open("wb") as output:
            command = ["/usr/sbin/nsd", "-d", "-c", str(self.folder / "nsd.conf")]
            self.process = self.network.start(command, output)
        self._wait_until_it_answers()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            if rcode_of(ask("127.0.0.1", 53, "ns.lab", "A", 0.2)) == 0:
                return
            time.sleep(0.02)
        log = self.folder / "nsd.log"
        raise RuntimeError(f"nsd does not answer: {log.read_text() if log.exists() else 'no log'}")


# RFC 1035 section 3.2.2, and RFC 3596 for AAAA.
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}


def ask(server: str, port: int, name: str, type_: str, timeout: float) -> bytes | None:
    """One question over UDP; the whole answer, or nothing within `timeout` seconds."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    question = labels + b"\0" + struct.pack(">HH", TYPES[type_], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        try:
            client.connect((server, port))
            client.send(struct.pack(">HHHHHH", 0x6767, 0x0100, 1, 0, 0, 0) + question)
            return client.recv(65535)
        except OSError:
            return None


def rcode_of(answer: bytes | None) -> int | None:
    """RFC 1035 section 4.1.1: 0 is no error, 2 a server failure, 3 a name that is not there."""
    return None if answer is None else answer[3] & 0x0F
