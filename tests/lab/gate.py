"""sixgate by itself: a name server that does as it is told, and a client that is MTA and sender in one.

No private network, no root and no MTA: what reaches the program is what a test says, octet for octet.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import messages
from .dns_tap import Question
from .faulty_dns import FaultyDns
from .messages import Message
from .milter import Answer, Milter
from .nsd import ptr_name
from .sixgate import Sixgate

AUTHSERV_ID = "mx.example.test"
RECIPIENT = "<alice@example.test>"
SELECTOR = "lab"

CLIENT = "2001:db8:5::1"
HOST = "mail.good.test"
DOMAIN = "good.test"
MAIL_FROM = f"<sender@{DOMAIN}>"
KEY_NAME = f"{SELECTOR}._domainkey.{DOMAIN}"

# The questions of a message from CLIENT, by what they are for.
PTR = Question(ptr_name(CLIENT), "PTR")
AAAA = Question(HOST, "AAAA")
SPF = Question(DOMAIN, "TXT")
SPF_HELO = Question(HOST, "TXT")
KEY = Question(KEY_NAME, "TXT")

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

# The sanitizer keeps what was freed, to find who still uses it; then nothing could be said of memory.
_SANITIZER = "quarantine_size_mb=2:thread_local_quarantine_size_kb=64"


class _ThisNetwork:
    """Starts processes as namespace.PrivateNetwork does, here. They end with this one."""

    def start(self, command: Sequence[str], output: BinaryIO) -> subprocess.Popen[bytes]:
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), _SANITIZER]))
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "ASAN_OPTIONS": options},
            preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )


@dataclass(frozen=True)
class Outcome:
    """What became of one message, and at what cost."""

    answer: Answer
    seconds: float  # from its first event to its last answer
    cpu_seconds: float  # that the program has used meanwhile

    @property
    def code(self) -> int:
        """Of the reply; 250 where there is none."""
        return int(self.answer.reply[:3]) if self.answer.reply else 250

    @property
    def codes(self) -> str:
        """ "550 5.7.25" """
        found = re.match(r"(\d{3})[ -](\S+)", self.answer.reply)
        return f"{found[1]} {found[2]}" if found else "250"

    @property
    def results(self) -> str:
        """The Authentication-Results, of the field or of the reply, unfolded."""
        if self.answer.reply:
            text = re.sub(r"(?m)^\d{3}[ -]\S+ ?", "", self.answer.reply)
            return " ".join(text.partition("Authentication-Results:")[2].split())
        return " ".join(self.answer.field("Authentication-Results").split())

    def result(self, method: str, property_: str = "") -> str:
        """ "pass" of "spf=pass smtp.mailfrom=..."; the first result of the method that has the property."""
        return next(iter(self.all_results(method, property_)), "")

    def all_results(self, method: str, property_: str = "") -> list[str]:
        infos = [info.strip() for info in self.results.split(";")]
        return [
            re.split(r"[ =]", info)[1]
            for info in infos
            if info.startswith(f"{method}=") and property_ in info
        ]


class Gate:
    """The program, the name servers that it asks, and a zone in which CLIENT is in order."""

    def __init__(self, program: Path, servers: int = 1) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sixgate-gate-"))
        self.sixgate = Sixgate(_ThisNetwork(), program, self.folder)  # type: ignore[arg-type]
        self.dns = FaultyDns(servers)
        self.key = messages.ed25519_key()
        self.add_good_client()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self.sixgate.has_been_started:
                status = self.sixgate.stop_soon()
                log = self.sixgate.log()
                assert status == 0, log
                assert "Sanitizer" not in log and "runtime error" not in log, log
        finally:
            self.dns.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def add_good_client(self) -> None:
        from .faulty_dns import address, txt

        zone = self.dns.zone
        zone.add_ptr(CLIENT, HOST)
        zone.add(HOST, "AAAA", address(CLIENT))
        zone.add(DOMAIN, "TXT", txt(f"v=spf1 ip6:{CLIENT} -all"))
        zone.add(KEY_NAME, "TXT", txt(self.key.record_text))

    def start(
        self,
        policy: str = 'mode = "enforce"',
        dns: str = "timeout_ms = 600",
        deadline_ms: int = 1500,
        servers: Sequence[str] | None = None,
    ) -> Gate:
        """`policy` may go on with further sections; a [store] there takes the place of the lab's own."""
        named = self.dns.addresses if servers is None else servers
        self.sixgate.start(
            f"""\
[milter]
socket = "{self.sixgate.milter_address}"
authserv_id = "{AUTHSERV_ID}"
[dns]
servers = [{", ".join(f'"{server}"' for server in named)}]
{dns}
[policy]
deadline_ms = {deadline_ms}
{policy}
{"" if "[store]" in policy else self.sixgate.store_settings}
"""
        )
        return self

    def message(self, fields: Sequence[tuple[str, str]] = (), signed: bool = False, body: str = "Hello\n") -> Message:
        message = messages.compose(MAIL_FROM[1:-1], RECIPIENT[1:-1], fields=fields, body=body)
        return messages.sign(message, self.key, DOMAIN, SELECTOR) if signed else message

    @contextmanager
    def connect(self, client: str = CLIENT, helo: str | bytes = HOST, timeout: float = 60) -> Iterator[Milter]:
        with Milter(str(self.sixgate.socket_path), timeout) as milter:
            milter.connect(client)
            milter.helo(helo)
            yield milter

    def send(
        self,
        octets: bytes | None = None,
        client: str = CLIENT,
        helo: str | bytes = HOST,
        mail_from: str | bytes = MAIL_FROM,
        signed: bool = False,
        recipients: Sequence[str] = (RECIPIENT,),
        timeout: float = 60,
    ) -> Outcome:
        """One message on a connection of its own."""
        content = self.message(signed=signed).content if octets is None else octets
        used = self.sixgate.cpu_seconds
        began = time.monotonic()
        with self.connect(client, helo, timeout) as milter:
            answer = milter.transaction(mail_from, recipients, content)
        seconds = time.monotonic() - began
        assert self.sixgate.is_running, self.sixgate.log()
        return Outcome(answer, seconds, self.sixgate.cpu_seconds - used)


