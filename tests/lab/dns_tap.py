"""A name server between sixgate and nsd that counts the questions and can fail as asked.

sixgate has it to itself, so its questions are told apart from Postfix', and a fault in it is a fault
for sixgate alone.
"""

from __future__ import annotations

import enum
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from .nsd import TYPES

_TYPE_NAMES = {number: name for name, number in TYPES.items()}


class Fault(enum.Enum):
    SERVFAIL = "answers with RCODE 2"
    SILENCE = "does not answer"


@dataclass(frozen=True)
class Question:
    name: str  # in lower case, without the final dot; a dot within a label has a backslash before it
    type: str


def question_of(query: bytes) -> Question:
    """The question of a DNS message (RFC 1035 section 4.1.2)."""
    labels = []
    at = 12
    while (length := query[at]) != 0:
        label = query[at + 1 : at + 1 + length].decode("latin-1").lower()
        labels.append(label.replace("\\", "\\\\").replace(".", "\\."))
        at += 1 + length
    (type_,) = struct.unpack_from(">H", query, at + 1)
    return Question(".".join(labels), _TYPE_NAMES.get(type_, str(type_)))


def servfail_for(query: bytes) -> bytes:
    """The question back, without the OPT record, as an answer with RCODE 2."""
    at = 12
    while query[at] != 0:
        at += 1 + query[at]
    head = struct.pack(">HHHHHH", struct.unpack_from(">H", query)[0], 0x8182, 1, 0, 0, 0)
    return head + query[12 : at + 5]


class DnsTap:
    """Listens on 127.0.0.1 `port`, UDP and TCP, and passes what it hears to `upstream`."""

    def __init__(self, port: int, upstream: tuple[str, int]) -> None:
        self.port = port
        self.upstream = upstream
        self._lock = threading.Lock()  # guards the three below
        self._questions: list[Question] = []
        self._fault_for: Callable[[Question], Fault | None] = lambda question: None
        self._own_answer: Callable[[bytes, bool], bytes | None] = lambda query, is_tcp: None
        self._servers: list[socketserver.BaseServer] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    # -- counting

    def questions(self) -> list[Question]:
        """All that was asked since the start or the last `forget()`, in order."""
        with self._lock:
            return list(self._questions)

    def count(self, name: str, type_: str) -> int:
        return self.questions().count(Question(name.lower().rstrip("."), type_))

    def forget(self) -> None:
        with self._lock:
            self._questions.clear()

    # -- faults

    def fail(self, fault: Fault, *names: str) -> None:
        """From now on `fault` is the answer for these names; without a name, for all."""
        wanted = {name.lower().rstrip(".") for name in names}
        with self._lock:
            self._fault_for = lambda question: fault if not wanted or question.name in wanted else None

    def serve(self, answer: Callable[[bytes, bool], bytes | None]) -> None:
        """From now on `answer`, of a query and of whether it came over TCP, goes before upstream's; None: that counts."""
        with self._lock:
            self._own_answer = answer

    def recover(self) -> None:
        with self._lock:
            self._fault_for = lambda question: None
            self._own_answer = lambda query, is_tcp: None

    # -- life

    @property
    def is_running(self) -> bool:
        return bool(self._servers)

    def start(self) -> None:
        for kind, handler in ((_UdpServer, _UdpHandler), (_TcpServer, _TcpHandler)):
            server = kind(("127.0.0.1", self.port), handler)
            server.tap = self
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self._servers.append(server)

    def stop(self) -> None:
        """After this the port is closed, and whoever asks is told so: a dead name server."""
        while self._servers:
            server = self._servers.pop()
            server.shutdown()
            server.server_close()

    def answer(self, query: bytes, is_tcp: bool) -> bytes | None:
        question = question_of(query)
        with self._lock:
            self._questions.append(question)
            fault = self._fault_for(question)
            own_answer = self._own_answer
        if fault is Fault.SERVFAIL:
            return servfail_for(query)
        if fault is Fault.SILENCE:
            return None
        if (own := own_answer(query, is_tcp)) is not None:
            return own
        return _over_tcp(self.upstream, query) if is_tcp else _over_udp(self.upstream, query)


def _over_udp(server: tuple[str, int], query: bytes) -> bytes | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.connect(server)
        try:
            client.send(query)
            return client.recv(65535)
        except OSError:
            return None


def _over_tcp(server: tuple[str, int], query: bytes) -> bytes | None:
    try:
        with socket.create_connection(server, 2) as client, client.makefile("rb") as stream:
            client.sendall(struct.pack(">H", len(query)) + query)
            return _read_framed(stream)
    except OSError:
        return None


def _read_framed(stream: BinaryIO) -> bytes | None:
    """RFC 1035 section 4.2.2: two octets of length, then the message."""
    length = stream.read(2)
    if len(length) < 2:
        return None
    return stream.read(struct.unpack(">H", length)[0])


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False
    max_packet_size = 65535
    tap: DnsTap


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    tap: DnsTap


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        query, listener = self.request
        answer = self.server.tap.answer(query, is_tcp=False)
        if answer is not None:
            try:
                listener.sendto(answer, self.client_address)
            except OSError:
                pass  # stopped meanwhile


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        while query := _read_framed(self.rfile):
            answer = self.server.tap.answer(query, is_tcp=True)
            if answer is not None:
                self.wfile.write(struct.pack(">H", len(answer)) + answer)
