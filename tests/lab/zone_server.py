"""A name server that serves what no zone file may hold: odd names, loops, silence, records of any octets.

It is authoritative for the whole DNS, which is one Python dictionary, and it counts the questions.
Answers over UDP keep to the size that the question allows, and the rest follows over TCP.
"""

from __future__ import annotations

import ipaddress
import socket
import socketserver
import struct
import threading
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from .dns_tap import Question
from .nsd import TYPES

# A name of the zone and what stands there: ("A", "192.0.2.1"), ("TXT", "text") or ("TXT", ["of", b"strings"]),
# ("MX", (10, "host")), ("PTR", "name"), ("CNAME", "name") - or a fault, which is the answer to every question
# for the name that a record beside it does not answer.
Zone = Mapping[str, Iterable[tuple[str, Any]]]

FAULTS = {"TIMEOUT": None, "FORMERR": 1, "SERVFAIL": 2, "REFUSED": 5}  # RCODE; None is silence

_TYPE_NAMES = {number: name for name, number in TYPES.items()}
_OPT = 41
_NXDOMAIN = 3
_MOST_ALIASES = 8
_TTL = 60

# Of the root: the whole DNS is one zone.
_SOA = struct.pack(">BHHIH", 0, TYPES["SOA"], 1, _TTL, 22) + struct.pack(">BBIIIII", 0, 0, 1, 3600, 600, 86400, _TTL)


def labels_of(name: str) -> list[bytes]:
    """A dot parts labels, always; octets above 127 are those of Latin-1."""
    return [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]


def wire_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels_of(name)) + b"\0"


def _character_strings(value: str | bytes | list[str | bytes]) -> bytes:
    parts = value if isinstance(value, list) else [value]
    octets = [part.encode("latin-1") if isinstance(part, str) else part for part in parts]
    strings = [part[at : at + 255] for part in octets for at in range(0, len(part), 255) or [0]]
    return b"".join(bytes([len(string)]) + string for string in strings or [b""])


def wire_data(type_: str, value: Any) -> bytes:
    if type_ in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if type_ == "TXT":
        return _character_strings(value)
    if type_ == "MX":
        return struct.pack(">H", value[0]) + wire_name(value[1])
    if type_ in ("PTR", "CNAME"):
        return wire_name(value)
    raise ValueError(f"no record of type {type_} can be served")


class ZoneServer:
    """Listens on 127.0.0.1, UDP and TCP, on a port of its own choice."""

    def __init__(self, zone: Zone) -> None:
        self._names = {name.lower().rstrip("."): list(records) for name, records in zone.items()}
        self._inner_names = {
            ".".join(name.split(".")[depth:]) for name in self._names for depth in range(1, name.count(".") + 1)
        }
        self._lock = threading.Lock()  # guards the questions
        self._questions: list[Question] = []

    def __enter__(self) -> ZoneServer:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        # The kernel chooses a port for UDP that may be taken for TCP.
        while True:
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._udp.bind(("127.0.0.1", 0))
            self._port = self._udp.getsockname()[1]
            try:
                self._tcp = _TcpServer(("127.0.0.1", self._port), _TcpHandler)
                break
            except OSError:
                self._udp.close()
        self._tcp.zone_server = self
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self._tcp.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._tcp.shutdown()
        self._tcp.server_close()
        self._udp.close()

    # -- counting

    def questions(self) -> list[Question]:
        with self._lock:
            return list(self._questions)

    def questions_below(self, domain: str) -> list[Question]:
        """Those for this name or one below it."""
        return [asked for asked in self.questions() if f".{asked.name}".endswith(f".{domain.lower()}")]

    # -- answering

    def answer(self, query: bytes, is_tcp: bool) -> bytes | None:
        labels, type_, end, limit = _read_query(query)
        name = b".".join(labels).decode("latin-1").lower()
        asked = Question(name, _TYPE_NAMES.get(type_, str(type_)))
        if not is_tcp or not self._is_known(asked):
            with self._lock:
                self._questions.append(asked)
        answers, rcode = self._look_up(name, asked.type)
        if rcode is None:
            return None
        records = b"".join(
            (b"\xc0\x0c" if owner == name else wire_name(owner))
            + struct.pack(">HHIH", TYPES[kind], 1, _TTL, len(data))
            + data
            for owner, kind, data in answers
        )
        # RFC 2308 section 3: a name server says for how long there is nothing.
        has_nothing = rcode in (0, _NXDOMAIN) and asked.type not in (kind for _, kind, _ in answers)
        if has_nothing:
            records += _SOA
        question = query[12:end]
        if len(records) + end > (65535 if is_tcp else limit):
            return _header(query, truncated=True, rcode=rcode) + question
        counts = len(answers), int(has_nothing)
        return _header(query, truncated=False, rcode=rcode, counts=counts) + question + records

    def _is_known(self, asked: Question) -> bool:
        """Whether it has been asked over UDP: the same question over TCP is no other."""
        with self._lock:
            return asked in self._questions

    def _look_up(self, name: str, type_: str) -> tuple[list[tuple[str, str, bytes]], int | None]:
        """The answer's records, aliases first, and the RCODE; None where there is no answer."""
        chain: list[tuple[str, str, bytes]] = []
        while True:
            records = self._names.get(name)
            if records is None:
                return chain, 0 if name in self._inner_names or name == "" else _NXDOMAIN
            found = [(name, kind, wire_data(kind, value)) for kind, value in records if kind == type_]
            if found:
                return chain + found, 0
            fault = next((kind for kind, _ in records if kind in FAULTS), "")
            if fault:
                return chain, FAULTS[fault]
            alias = next((value for kind, value in records if kind == "CNAME"), None)
            if alias is None or len(chain) == _MOST_ALIASES:
                return chain, 0
            chain.append((name, "CNAME", wire_data("CNAME", alias)))
            name = alias.lower().rstrip(".")

    def _serve_udp(self) -> None:
        while True:
            try:
                query, client = self._udp.recvfrom(65535)
                answer = self.answer(query, is_tcp=False)
                if answer is not None:
                    self._udp.sendto(answer, client)
            except OSError:
                return  # stopped


def _read_query(query: bytes) -> tuple[list[bytes], int, int, int]:
    """The labels and the type of the question, where it ends, and the octets that fit an answer over UDP."""
    labels = []
    at = 12
    while (length := query[at]) != 0:
        labels.append(query[at + 1 : at + 1 + length])
        at += 1 + length
    (type_,) = struct.unpack_from(">H", query, at + 1)
    end = at + 5
    has_opt = len(query) >= end + 5 and struct.unpack_from(">BH", query, end) == (0, _OPT)
    limit = struct.unpack_from(">H", query, end + 3)[0] if has_opt else 512
    return labels, type_, end, max(limit, 512)


def _header(query: bytes, truncated: bool, rcode: int, counts: tuple[int, int] = (0, 0)) -> bytes:
    """`counts` of the answer section and of the authority section."""
    (number, flags) = struct.unpack_from(">HH", query)
    flags = 0x8480 | (flags & 0x0100) | (0x0200 if truncated else 0) | rcode
    return struct.pack(">HHHHHH", number, flags, 1, *counts, 0)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # a run of the tests begins with all of its questions
    zone_server: ZoneServer


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        try:
            while query := _read_framed(self.rfile):
                answer = self.server.zone_server.answer(query, is_tcp=True)
                if answer is not None:
                    self.wfile.write(struct.pack(">H", len(answer)) + answer)
        except OSError:
            pass  # the client has gone


def _read_framed(stream: BinaryIO) -> bytes:
    """RFC 1035 section 4.2.2: two octets of length, then the message."""
    length = stream.read(2)
    return stream.read(struct.unpack(">H", length)[0]) if len(length) == 2 else b""
