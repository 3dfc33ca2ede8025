"""An SMTP client that speaks as a test wants it to, and keeps the dialogue.

Replies come back whole: what a sender is told is what the tests are about.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


class ConnectionLost(Exception):
    """The server closed the connection, or sent what is no SMTP reply."""


@dataclass(frozen=True)
class Reply:
    """RFC 5321 section 4.2. The lines are as they came, codes and all, without CR LF."""

    lines: tuple[str, ...]

    @property
    def code(self) -> int:
        return int(self.lines[-1][:3])

    @property
    def enhanced_status(self) -> str:
        """RFC 3463, of the first line; empty when there is none."""
        found = re.match(r"\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b", self.lines[0])
        return found[1] if found else ""

    @property
    def codes(self) -> str:
        """ "550 5.7.25" """
        return f"{self.code} {self.enhanced_status}".rstrip()

    @property
    def texts(self) -> list[str]:
        """The lines without their codes."""
        return [re.sub(r"^\d{3}(?:[ -]|$)(?:[245]\.\d{1,3}\.\d{1,3} ?)?", "", line) for line in self.lines]

    @property
    def is_positive(self) -> bool:
        return self.code < 400

    def __str__(self) -> str:
        return "\n".join(self.lines)


class Client:
    """One SMTP connection as a context manager: from `source` to `server`, which is (address, port), the path of a
    unix socket or a socket that is connected already."""

    def __init__(self, server: tuple[str, int] | Path | socket.socket, source: str | None = None, timeout: float = 30) -> None:
        self.dialogue: list[str] = []
        self._socket = _connected_to(server, source, timeout)
        self._stream = self._socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    # -- commands

    def command(self, line: str) -> Reply:
        self._send(line)
        return self.reply()

    def ehlo(self, name: str) -> Reply:
        return self.command(f"EHLO {name}")

    def starttls(self) -> None:
        """RFC 3207. Whoever the server says it is; EHLO is not yet out again."""
        reply = self.command("STARTTLS")
        if reply.code != 220:
            raise ConnectionLost(f"STARTTLS: {reply}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._stream.close()
        self._socket = context.wrap_socket(self._socket)
        self._stream = self._socket.makefile("rb")

    def auth_plain(self, user: str, password: str) -> Reply:
        """RFC 4954 and RFC 4616."""
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {token}")

    def xclient(self, attributes: Mapping[str, str]) -> Reply:
        """Postfix' XCLIENT: from here on the server takes us for another client."""
        return self.command(" ".join(["XCLIENT", *(f"{name}={value}" for name, value in attributes.items())]))

    def mail(self, mail_from: str) -> Reply:
        return self.command(f"MAIL FROM:<{mail_from}>")

    def rcpt(self, recipient: str) -> Reply:
        return self.command(f"RCPT TO:<{recipient}>")

    def data(self, message: bytes) -> Reply:
        """DATA and the message; the reply to DATA where that is not 354, else the last one."""
        reply = self.command("DATA")
        return self.content(message) if reply.code == 354 else reply

    def content(self, message: bytes) -> Reply:
        """The message after a 354, dot-stuffed (RFC 5321 section 4.5.2), and its end."""
        self.write(dot_stuffed(message) + b".\r\n")
        self.dialogue += [f"C: ({len(message)} octets of message)", "C: ."]
        return self.reply()

    def bdat(self, chunk: bytes, is_last: bool = False) -> Reply:
        """RFC 3030."""
        last = " LAST" if is_last else ""
        self.dialogue.append(f"C: BDAT {len(chunk)}{last}")
        self.write(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
        return self.reply()

    def pipelined(self, *lines: str) -> list[Reply]:
        """RFC 2920: all commands at once, then a reply to each."""
        self.dialogue += [f"C: {line}" for line in lines]
        self.write("".join(f"{line}\r\n" for line in lines).encode())
        return [self.reply() for _ in lines]

    def send(self, mail_from: str, recipients: str | Iterable[str], message: bytes) -> Reply:
        """One transaction; the first reply that refuses all of it, or that to the end of the message."""
        reply = self.mail(mail_from)
        if not reply.is_positive:
            return reply
        wanted = [recipients] if isinstance(recipients, str) else list(recipients)
        replies = [self.rcpt(recipient) for recipient in wanted]
        if not any(reply.is_positive for reply in replies):
            self.command("RSET")
            return replies[0]
        return self.data(message)

    def quit(self) -> None:
        try:
            self.command("QUIT")
        except (ConnectionLost, OSError):
            pass  # a server that refused may have gone
        self.close()

    # -- lines

    def _send(self, line: str) -> None:
        self.dialogue.append(f"C: {line}")
        self.write(f"{line}\r\n".encode())

    def write(self, octets: bytes) -> None:
        """As they are, without waiting for a reply."""
        self._socket.sendall(octets)

    def reply(self) -> Reply:
        lines: list[str] = []
        while not lines or re.match(r"\d{3}-", lines[-1]):
            raw = self._stream.readline()
            if not raw.endswith(b"\n"):
                raise ConnectionLost(f"after {lines + [raw.decode('latin-1')]}; before that {self.dialogue[-3:]}")
            lines.append(raw.rstrip(b"\r\n").decode("latin-1"))
            self.dialogue.append(f"S: {lines[-1]}")
        if not re.match(r"\d{3}( |$)", lines[-1]):
            raise ConnectionLost(f"not an SMTP reply: {lines}")
        return Reply(tuple(lines))


def dot_stuffed(message: bytes) -> bytes:
    """RFC 5321 section 4.5.2."""
    return re.sub(rb"(?m)^\.", b"..", message)


def _connected_to(
    server: tuple[str, int] | Path | socket.socket, source: str | None, timeout: float
) -> socket.socket:
    if isinstance(server, socket.socket):
        return server
    if isinstance(server, Path):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        connection.connect(str(server))
        return connection
    return socket.create_connection(server, timeout, (source, 0) if source else None)
