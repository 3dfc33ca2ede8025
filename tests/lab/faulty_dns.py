"""A name server that is told what to answer, and can be told to answer wrongly.

Its packets are built here, octet for octet, because most of what the tests want to send no DNS library
would write. Each server counts the questions that it was asked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from .dns_tap import Question, question_of
from .nsd import TYPES, ptr_name

QR_RD_RA = 0x8180
AUTHORITATIVE = 0x0400
RECURSION_AVAILABLE = 0x0080
TRUNCATED = 0x0200

FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 1, 2, 3, 5

UDP_LIMIT = 512  # without EDNS (RFC 1035 section 4.2.1)


# -- What packets are made of.


def labels(*parts: bytes) -> bytes:
    """A name on the wire from labels that may hold any octet."""
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def name(text: str) -> bytes:
    """A dotted name on the wire; no escapes."""
    return labels(*(part.encode("latin-1") for part in text.rstrip(".").split(".") if part))


def txt(text: str | bytes) -> bytes:
    """One TXT record's data, in strings of 255 octets."""
    octets = text.encode("latin-1") if isinstance(text, str) else text
    parts = [octets[at : at + 255] for at in range(0, len(octets), 255)] or [b""]
    return b"".join(bytes([len(part)]) + part for part in parts)


def address(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def mx(host: str, preference: int = 10) -> bytes:
    return struct.pack(">H", preference) + name(host)


THE_QUESTION = b"\xc0\x0c"  # a pointer to the name that was asked for (RFC 1035 section 4.1.4)


def record(owner: bytes, type_: str, data: bytes, ttl: int = 60) -> bytes:
    return owner + struct.pack(">HHIH", TYPES[type_], 1, ttl, len(data)) + data


def soa(minimum: int = 5) -> bytes:
    data = name("ns.lab") + name("hostmaster.lab") + struct.pack(">IIIII", 1, 3600, 600, 86400, minimum)
    return record(b"\0", "SOA", data, minimum)


@dataclass(frozen=True)
class Query:
    """One question as it came."""

    octets: bytes
    is_tcp: bool

    @property
    def question(self) -> Question:
        return question_of(self.octets)

    @property
    def owner(self) -> bytes:
        """The name as it was asked for, upper case and all."""
        end = 12
        while self.octets[end] != 0:
            end += 1 + self.octets[end]
        return self.octets[12 : end + 1]

    @property
    def has_edns(self) -> bool:
        return self.octets[11] > 0

    @property
    def limit(self) -> int:
        if self.is_tcp:
            return 65535
        if not self.has_edns:
            return UDP_LIMIT
        return max(UDP_LIMIT, struct.unpack_from(">H", self.octets, len(self.octets) - 8)[0])

    def reply(
        self,
        answers: Sequence[bytes] = (),
        rcode: int = 0,
        flags: int = QR_RD_RA,
        authority: Sequence[bytes] = (),
        id_: int | None = None,
        asked: bytes | None = None,
    ) -> bytes:
        """`asked` stands in for the name in the question section."""
        number = struct.unpack_from(">H", self.octets)[0] if id_ is None else id_
        head = struct.pack(">HHHHHH", number, flags | rcode, 1, len(answers), len(authority), 0)
        end = 12 + len(self.owner)
        question = (self.owner if asked is None else asked) + self.octets[end : end + 4]
        return head + question + b"".join(answers) + b"".join(authority)


# -- What a server does with a question: packets to send, each at once or later, or the end of the
# connection. Nothing at all is silence.


@dataclass(frozen=True)
class Later:
    seconds: float
    octets: bytes


@dataclass(frozen=True)
class Cut:
    """Over TCP: these octets, told to be `announced` many."""

    announced: int
    octets: bytes


class Close:
    """Ends the TCP connection."""


Reaction = Iterable["bytes | Later | Cut | type[Close]"]
Behaviour = Callable[[Query, bytes], Reaction]  # of the query and of the answer a good server would give


def healthy(query: Query, right: bytes) -> Reaction:
    """The right answer, truncated where UDP does not hold it."""
    if len(right) > query.limit:
        return [query.reply(flags=QR_RD_RA | TRUNCATED)]
    return [right]


def silent(query: Query, right: bytes) -> Reaction:
    return []


def slow(seconds: float) -> Behaviour:
    return lambda query, right: [Later(seconds, packet) for packet in healthy(query, right)]  # type: ignore[arg-type]


def with_rcode(rcode: int) -> Behaviour:
    return lambda query, right: [query.reply(rcode=rcode)]


def truncated(over_tcp: Behaviour) -> Behaviour:
    """Every answer over UDP is cut, and TCP does what `over_tcp` says."""
    return lambda query, right: over_tcp(query, right) if query.is_tcp else [query.reply(flags=QR_RD_RA | TRUNCATED)]


def closing(query: Query, right: bytes) -> Reaction:
    return [Close]


def half_an_answer(query: Query, right: bytes) -> Reaction:
    """Over TCP: the length of the whole, half of it, and the end."""
    return [Cut(len(right), right[: len(right) // 2]), Close]


def with_wrong_id(query: Query, right: bytes) -> Reaction:
    return [bytes([right[0] ^ 0xFF, right[1] ^ 0xFF]) + right[2:]]


def with_wrong_question(query: Query, right: bytes) -> Reaction:
    end = 12 + len(query.owner)
    return [right[:12] + name("another.test") + right[end:]]


def oversized(size: int) -> Behaviour:
    """Over UDP, a datagram larger than was asked for, not marked as truncated."""
    padding = record(name("padding.test"), "TXT", txt(b"x" * size))

    def react(query: Query, right: bytes) -> Reaction:
        counts = bytearray(right)
        struct.pack_into(">H", counts, 6, struct.unpack_from(">H", right, 6)[0] + 1)
        end = 12 + len(query.owner) + 4
        return [bytes(counts[:end]) + padding + bytes(counts[end:])]

    return lambda query, right: healthy(query, right) if query.is_tcp else react(query, right)


def refusing_edns(query: Query, right: bytes) -> Reaction:
    """RFC 6891 section 7: a server from before EDNS."""
    return [query.reply(rcode=FORMERR)] if query.has_edns else healthy(query, right)


def lame(query: Query, right: bytes) -> Reaction:
    """A referral upwards: other servers may know."""
    return [query.reply(authority=[record(b"\0", "NS", name("a.root.test"))], flags=0x8100)]


def empty(flags: int) -> Behaviour:
    """No error, no record, no SOA."""
    return lambda query, right: [query.reply(flags=flags)]


def garbage(query: Query, right: bytes) -> Reaction:
    """The right header and question, and then not DNS."""
    end = 12 + len(query.owner) + 4
    return [right[:6] + struct.pack(">HHH", 0xFFFF, 0xFFFF, 0xFFFF) + right[12:end] + b"\xc0\xff" * 40]


def looping(query: Query, right: bytes) -> Reaction:
    """Two aliases that name each other."""
    other = name("loop.test")
    return [query.reply([record(query.owner, "CNAME", other), record(other, "CNAME", query.owner)])]


def chained(length: int) -> Behaviour:
    """A chain of aliases that leads to the right records in the end."""

    def react(query: Query, right: bytes) -> Reaction:
        owners = [query.owner, *(name(f"{i}.chain.test") for i in range(length))]
        answers = [record(one, "CNAME", other) for one, other in zip(owners, owners[1:])]
        count = struct.unpack_from(">H", right, 6)[0]
        at = 12 + len(query.owner) + 4
        for _ in range(count):
            end = at + len(THE_QUESTION)
            (size,) = struct.unpack_from(">H", right, end + 8)
            answers.append(owners[-1] + right[end : end + 10 + size])
            at = end + 10 + size
        return healthy(query, query.reply(answers))

    return react


def beside_the_chain(*records_: bytes) -> Behaviour:
    """Records that nobody asked for, in place of the answer."""
    return lambda query, right: healthy(query, query.reply(records_))


# -- What the servers know.


@dataclass
class Zone:
    """All of the DNS: records by name and type. A name that stands here with no record is NODATA."""

    records: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    wildcard: Callable[[Question], list[bytes] | None] | None = None  # for what does not stand here
    ttl: int = 60

    def add(self, owner: str, type_: str, *data: bytes) -> None:
        self.records.setdefault((owner.lower(), type_), []).extend(data)

    def add_ptr(self, client: str, *names: str | bytes) -> None:
        self.add(ptr_name(client), "PTR", *(one if isinstance(one, bytes) else name(one) for one in names))

    def answer(self, query: Query) -> bytes:
        question = query.question
        answers: list[bytes] = []
        owner, asked = THE_QUESTION, question.name
        for _ in range(16):
            alias = self.records.get((asked, "CNAME"))
            if alias is None or question.type == "CNAME":
                break
            answers.append(record(owner, "CNAME", alias[0], self.ttl))
            owner, asked = alias[0], question_of(b"\0" * 12 + alias[0] + b"\0\x01\0\x01").name
        found = self.records.get((asked, question.type))
        if found is None and self.wildcard is not None:
            found = self.wildcard(Question(asked, question.type))
        if found:
            answers += [record(owner, question.type, data, self.ttl) for data in found]
            return query.reply(answers)
        is_known = found is not None or any((asked, type_) in self.records for type_ in TYPES)
        return query.reply(answers, rcode=0 if is_known else NXDOMAIN, authority=[soa()])


# -- The server.


class FaultyDns:
    """Name servers on ports of 127.0.0.1, UDP and TCP, all of one zone; each may have a fault of its own."""

    def __init__(self, count: int = 1) -> None:
        self.zone = Zone()
        self._lock = threading.Lock()  # guards the three below
        self._queries: list[Query] = []
        self._faults: list[tuple[frozenset[Question | str] | None, Behaviour]] = []
        self._of_server: dict[int, Behaviour] = {}
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.AbstractServer] = []
        self._transports: list[asyncio.DatagramTransport] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self.addresses = [f"127.0.0.1:{self._open(number)}" for number in range(count)]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> FaultyDns:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- faults

    def fail(self, behaviour: Behaviour, *names: str | Question) -> None:
        """From now on, for these names or questions; without one, for all. The last that fits counts."""
        wanted = frozenset(one.lower() if isinstance(one, str) else one for one in names) or None
        with self._lock:
            self._faults.append((wanted, behaviour))

    def fail_server(self, number: int, behaviour: Behaviour) -> None:
        """Whatever it is asked."""
        with self._lock:
            self._of_server[number] = behaviour

    def recover(self) -> None:
        with self._lock:
            self._faults.clear()
            self._of_server.clear()

    # -- counting

    def queries(self) -> list[Query]:
        """As they came, repetitions among them."""
        with self._lock:
            return list(self._queries)

    def questions(self) -> list[Question]:
        """Without repetitions, in the order in which they were first asked."""
        return list(dict.fromkeys(query.question for query in self.queries()))

    def forget(self) -> None:
        with self._lock:
            self._queries.clear()

    # -- life

    def close(self) -> None:
        def end() -> None:
            for transport in self._transports:
                transport.close()
            for server in self._servers:
                server.close()
            for writer in self._writers:
                writer.transport.abort()
            self._loop.call_soon(self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(10)

    def _react(self, number: int, query: Query) -> Reaction:
        with self._lock:
            self._queries.append(query)
            behaviour = self._of_server.get(number, healthy)
            for wanted, fault in self._faults:
                if wanted is None or query.question in wanted or query.question.name in wanted:
                    behaviour = fault
        return behaviour(query, self.zone.answer(query))

    def _open(self, number: int) -> int:
        """A port that is free for UDP and for TCP."""
        for _ in range(100):
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                stream.close()
                datagram.close()
                continue
            datagram.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self._loop.run_until_complete(self._serve(number, stream, datagram))
            return port
        raise OSError("no port is free for both UDP and TCP")

    async def _serve(self, number: int, stream: socket.socket, datagram: socket.socket) -> None:
        async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._converse(number, reader, writer)

        self._servers.append(await asyncio.start_server(on_connection, sock=stream, backlog=1024))
        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Udp(self, number), sock=datagram)
        self._transports.append(transport)

    async def _converse(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                (length,) = struct.unpack(">H", await reader.readexactly(2))
                query = Query(await reader.readexactly(length), is_tcp=True)
                for reaction in self._react(number, query):
                    if reaction is Close:
                        return
                    if isinstance(reaction, Later):
                        await asyncio.sleep(reaction.seconds)
                        reaction = reaction.octets
                    if isinstance(reaction, bytes):
                        reaction = Cut(len(reaction), reaction)
                    assert isinstance(reaction, Cut)
                    writer.write(struct.pack(">H", reaction.announced) + reaction.octets)
                    await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: FaultyDns, number: int) -> None:
        self._server = server
        self._number = number

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        for reaction in self._server._react(self._number, Query(data, is_tcp=False)):
            if isinstance(reaction, Later):
                asyncio.get_running_loop().call_later(reaction.seconds, self._send, reaction.octets, client)
            elif isinstance(reaction, bytes):
                self._send(reaction, client)

    def _send(self, octets: bytes, client: tuple[str, int]) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(octets, client)


def records_of(table: Mapping[tuple[str, str], str | bytes | Sequence[str | bytes]]) -> Zone:
    """A zone from a table of values in words; TXT, A, AAAA, MX, PTR and CNAME."""
    readers: dict[str, Callable[[str], bytes]] = {
        "TXT": txt, "A": address, "AAAA": address, "MX": mx, "PTR": name, "CNAME": name,
    }  # fmt: skip
    zone = Zone()
    for (owner, type_), values in table.items():
        rows = [values] if isinstance(values, (str, bytes)) else values
        zone.add(owner, type_, *(row if isinstance(row, bytes) else readers[type_](row) for row in rows))
    return zone
