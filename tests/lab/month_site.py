"""A site that receives a month of mail in minutes: the DNS of its senders, sixgate with a clock that can be set, and
many MTA sessions at a time that speak the milter protocol."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from . import signer
from .clock import Clock
from .milter import Milter
from .month import LISTENER, POSTMASTER, Host, Month, Sent
from .sixgate import Sixgate
from .zone_server import Zone, ZoneServer

AUTHSERV_ID = "mx.example.test"

_WORKERS = 6
_fork = multiprocessing.get_context("fork")

_contents: dict[Host, bytes] = {}  # what the workers know from their beginning


@dataclass(frozen=True)
class Answered:
    sent: Sent
    action: str  # "accept", "tempfail", "reject"
    is_checked: bool = True


class MonthSite:
    """sixgate with the journal in `folder`; `policy` is the [policy] of its configuration."""

    def __init__(self, program: Path, folder: Path, month: Month, key: signer.Key | None = None) -> None:
        self.program = program
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.month = month
        self.clock = Clock(folder)
        self.sixgate = Sixgate(self.clock, program, folder)  # type: ignore[arg-type]
        self._key = key or signer.rsa_key(2048)
        self._contents = {host: host.content(self._key) for host in month.hosts}

    def beside(self, name: str) -> MonthSite:
        """Another host that gets the same mail."""
        return MonthSite(self.program, self.folder.with_name(name), self.month, self._key)

    @contextmanager
    def running(self, policy: str, store: str = "") -> Iterator[MonthSite]:
        with _dns_in_a_process(self.month.zone(self._key)) as address:
            self.clock.set(self.month.first)
            self.sixgate.start(self.configuration(policy, address, store))
            try:
                yield self
            finally:
                status = self.sixgate.stop_soon()
                assert status == 0, self.sixgate.log()

    def write(self, name: str, policy: str, store: str = "") -> Path:
        """A configuration that differs from today's in its policy."""
        file = self.folder / name
        file.write_text(self.configuration(policy, store=store))
        return file

    def configuration(self, policy: str, dns: str = "127.0.0.1:53", store: str = "") -> str:
        """With patience: on a busy machine a good sender must not turn into one with temporary errors. What is to
        fail answers SERVFAIL, and at once."""
        store = store or f"sqlite:{self.folder}/sixgate.db"
        key = "" if store.startswith("sqlite:") or store == "none" else f'key = "file:{_shared_key(store)}"\n'
        return f"""\
[milter]
socket = "{self.sixgate.milter_address}"
authserv_id = "{AUTHSERV_ID}"
[dns]
servers = ["{dns}"]
timeout_ms = 30000
[policy]
deadline_ms = 240000
{policy}
[store]
url = "{store}"
{key}"""

    def send(self, month: Month) -> list[Answered]:
        """All of it, each message at its time of day."""
        return self._send(month.messages())

    def send_to_closed_gate(self, month: Month, count: int) -> list[Answered]:
        """A few more, while the mode is closed. The exempt recipient's are checked."""
        answered = self._send(month.messages_to_one(count))
        return [replace(one, is_checked=one.sent.recipients == (POSTMASTER,)) for one in answered]

    def _send(self, messages: Iterable[tuple[datetime, list[Sent]]]) -> list[Answered]:
        answered: list[Answered] = []
        with self._workers() as pool:
            for when, sent in messages:
                answered += self._deliver(pool, when, sent)
        return answered

    def send_by_turns(self, month: Month, other: MonthSite) -> int:
        """All of it to this site and to another one, some messages at a time, so that both meet the machine in the same
        state. The number of messages that each has had."""
        messages = 0
        with self._workers() as pool:
            for when, sent in month.messages():
                for site in (self, other):
                    site._deliver(pool, when, sent)
                messages += len(sent)
        return messages

    def send_shared(self, month: Month, *others: MonthSite) -> list[Answered]:
        """All of it, each message to one of the sites, all of which have their share at once."""
        sites = (self, *others)
        answered: list[Answered] = []
        with self._workers() as pool:
            for when, sent in month.messages():
                for site in sites:
                    site.clock.set(when)
                places = [str(sites[number % len(sites)].sixgate.socket_path) for number in range(len(sent))]
                actions = pool.starmap(_deliver_to, zip(places, sent, strict=True), chunksize=4)
                answered += [Answered(one, action) for one, action in zip(sent, actions, strict=True)]
        return answered

    def _workers(self) -> Pool:
        global _contents
        _contents = self._contents
        return _fork.Pool(_WORKERS)

    def _deliver(self, pool: Pool, when: datetime, sent: list[Sent]) -> list[Answered]:
        self.clock.set(when)
        deliver = partial(_deliver_to, str(self.sixgate.socket_path))
        actions = pool.map(deliver, sent, chunksize=max(1, len(sent) // (4 * _WORKERS)))
        return [Answered(one, action) for one, action in zip(sent, actions, strict=True)]

    def command(self, *words: str) -> str:
        """What a subcommand of the program prints, the program being right about its configuration."""
        wide = {**os.environ, "COLUMNS": "200"}
        done = subprocess.run([str(self.program), *words], capture_output=True, text=True, timeout=300, env=wide)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def report(self, journal_of: Path, candidate: Path | None = None) -> dict[str, Any]:
        words = ["--config", str(candidate)] if candidate else []
        return json.loads(self.command("report", "--journal-of", str(journal_of), *words, "--since", "31d", "--json"))

    def report_text(self, journal_of: Path) -> str:
        return self.command("report", "--journal-of", str(journal_of), "--since", "31d", "--limit", "1000000")


def _shared_key(store: str) -> Path:
    """Beside the socket of the server, the same for all sites that share it."""
    file = Path(store.removeprefix("unix://")).with_name("journal.key")
    file.write_bytes(b"of all hosts that share it".ljust(32))
    return file


def _deliver_to(socket_path: str, sent: Sent) -> str:
    host = sent.host
    with Milter(socket_path, timeout=300) as milter:
        milter.connect(host.address, **{"{daemon_addr}": f"IPv6:{LISTENER}", "{daemon_name}": "mx"})
        milter.helo(host.helo)
        recipients = [f"<{recipient}>" for recipient in sent.recipients]
        answer = milter.transaction(f"<{host.mail_from}>", recipients, _contents[host])
    return "accept" if answer.goes_on else answer.verdict


@contextmanager
def _dns_in_a_process(zone: Zone) -> Iterator[str]:
    """Its address. A process of its own, so that it does not wait for the senders."""
    ours, theirs = _fork.Pipe()
    process = _fork.Process(target=_serve, args=(zone, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(zone: Zone, connection: Connection) -> None:
    with ZoneServer(zone) as server:
        connection.send(server.address)
        connection.recv()

