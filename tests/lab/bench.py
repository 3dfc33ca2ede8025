"""sixgate on a bench: no MTA, no namespace, a name server of Python data, and many messages at a time."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import authres

from .milter import LEADING_SPACE, Milter
from .sixgate import Sixgate
from .zone_server import Zone, ZoneServer

AUTHSERV_ID = "bench.test"
CLIENT = "2001:db8:1::25"
PLAIN_MESSAGE = b"From: <a@example.test>\r\nSubject: bench\r\n\r\nbench\r\n"

_WORKERS = 24


@dataclass(frozen=True)
class Delivery:
    """One message as its MTA tells of it; `mail_from` without its brackets."""

    mail_from: str = "a@example.test"
    helo: str = "mail.example.test"
    client: str = CLIENT
    content: bytes = PLAIN_MESSAGE


@dataclass(frozen=True)
class Finding:
    """One result of Authentication-Results with its properties, by type and name: "smtp.mailfrom"."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Findings:
    """All that one Authentication-Results field tells."""

    text: str
    all: list[Finding] = field(repr=False)

    def of(self, method: str) -> list[Finding]:
        return [found for found in self.all if found.method == method]

    def result(self, method: str, property_: str = "") -> str:
        """Of the one result of this method, and with this property where one is named."""
        found = [one.result for one in self.of(method) if not property_ or property_ in one.properties]
        assert len(found) == 1, self.text
        return found[0]


def read_field(value: str) -> Findings:
    """python3-authres reads what sixgate has written; what it cannot read is a failure."""
    parsed = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value.strip()}")
    assert parsed.authserv_id == AUTHSERV_ID, value
    found = [
        Finding(
            one.method,
            one.result,
            {f"{property_.type}.{property_.name}": property_.value or "" for property_ in one.properties},
            one.reason or "",
        )
        for one in parsed.results
    ]
    return Findings(value, found)


class _ThisHost:
    """Starts a program as any other; what Sixgate wants of a network."""

    def start(self, command: Sequence[str], output: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


class Bench:
    """sixgate with mode = "observe"."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.sixgate = Sixgate(_ThisHost(), program, folder)
        self._servers: list[ZoneServer] = []
        self._pool = ThreadPoolExecutor(_WORKERS)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()
        status = self.sixgate.stop_soon() if self.sixgate.has_been_started else 0
        for server in self._servers:
            server.stop()
        assert status == 0, self.sixgate.log()

    def serve(self, zone: Zone, timeout_ms: int = 3000) -> ZoneServer:
        """From now on this is the DNS, for messages that have not begun."""
        server = ZoneServer(zone)
        server.start()
        self._servers.append(server)
        configuration = f"""\
[milter]
socket = "{self.sixgate.milter_address}"
socket_mode = "0666"
authserv_id = "{AUTHSERV_ID}"

[dns]
servers = ["{server.address}"]
timeout_ms = {timeout_ms}

[policy]
mode = "observe"
deadline_ms = 20000

{self.sixgate.store_settings}
"""
        if self.sixgate.is_running:
            self.sixgate.reload(configuration)
        else:
            self.sixgate.start(configuration)
        return server

    def deliver(self, delivery: Delivery) -> Future[Findings]:
        """Its envelope is told to sixgate before this returns, so that the next `serve()` does not concern it."""
        # No step may be left without an answer: MAIL decides which configuration holds.
        milter = Milter(str(self.sixgate.socket_path), steps=LEADING_SPACE)
        milter.connect(delivery.client)
        milter.helo(delivery.helo.encode())
        milter.mail(b"<" + delivery.mail_from.encode() + b">")
        return self._pool.submit(self._finish, milter, delivery)

    @staticmethod
    def _finish(milter: Milter, delivery: Delivery) -> Findings:
        with milter:
            milter.rcpt("<b@example.test>")
            milter.data()
            answer = milter.message(delivery.content)
            assert answer.goes_on, answer
            return read_field(answer.field("Authentication-Results"))
