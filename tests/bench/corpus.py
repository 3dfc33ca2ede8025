"""The messages of the benchmark: what the DNS says of their senders, and what is true of each.

Made once and kept, because signing takes a while. `tests/bench/load/manifest.hpp` says what a manifest is.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab import signer
from lab.nsd import Record, ptr

_RSA_KEYS = 32
_ED25519_KEYS = 4
_SIGNED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
_DATE = "Sun, 22 Nov 2026 09:00:00 +0000"
_WORDS = """account address after again agree amount answer attach balance before billing board change client code
company contact content copy cost country current customer daily date deliver detail direct document draft early email
event every example final follow form general group help hour include inform invoice issue item large letter list local
machine mail market member message meeting month monthly name network number offer office often open order other paper
part partner payment people person phone place plan point policy present price print process product project public
question quick read reason receive record region release remind reply report request result review""".split()

# Of iprev, spf and dkim, as a manifest has it.
_TRUTH = {
    "good": ("pass", "pass", "pass"),
    "slow": ("pass", "pass", "pass"),
    "no-ptr": ("permerror", "pass", "pass"),
    "forged-ptr": ("fail", "pass", "pass"),
    "broken-signature": ("pass", "pass", "fail"),
    "spf-fail": ("pass", "fail", "pass"),
    "ipv4": ("-", "-", "-"),
}


@dataclass(frozen=True)
class Sender:
    """A domain with one host. `includes` of its SPF record are nested; the last names its network."""

    index: int
    key: signer.Key
    kind: str = "good"
    includes: int = 0

    @property
    def domain(self) -> str:
        # Below test. the resolver of opendkim asks nobody (RFC 6761 section 6.2).
        return f"{'slow' if self.kind == 'slow' else 'd'}{self.index:05d}.example"

    @property
    def host(self) -> str:
        return f"mail.{self.domain}"

    @property
    def address(self) -> str:
        if self.kind == "ipv4":
            return str(ipaddress.IPv4Address("198.18.0.0") + self.index)
        return f"2001:db8:{self.index:x}::25"

    @property
    def key_name(self) -> str:
        return f"bench._domainkey.{self.domain}"

    def spf_records(self) -> list[Record]:
        names = [self.domain, *(f"_{depth}.{self.domain}" for depth in range(1, self.includes + 1))]
        network = "2001:db8:ffff::/48" if self.kind == "spf-fail" else f"2001:db8:{self.index:x}::/48"
        records = [Record(name, "TXT", f"v=spf1 include:{next_} -all") for name, next_ in zip(names, names[1:])]
        return [*records, Record(names[-1], "TXT", f"v=spf1 ip4:192.0.2.0/24 ip6:{network} -all")]

    def records(self) -> list[Record]:
        forward = "2001:db8:ffff::1" if self.kind == "forged-ptr" else self.address
        records = [Record(self.host, "AAAA", forward), Record(self.domain, "MX", f"10 {self.host}.")]
        records += [*self.spf_records(), Record(self.key_name, "TXT", self.key.record)]
        return records if self.kind == "no-ptr" else [*records, ptr(self.address, self.host)]

    def manifest_line(self, file: str) -> str:
        name = "unknown" if self.kind in ("no-ptr", "forged-ptr") else self.host
        envelope = (self.address, name, self.host, f"bounce@{self.domain}", f"user{self.index % 97}@rcpt.test")
        return "\t".join((file, *envelope, *_TRUTH[self.kind], self.kind)) + "\n"


class Corpus:
    """A folder: manifests NAME.tsv, messages, records.tsv for nsd, keys.tsv and spf.tsv for the references."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest(self, name: str) -> Path:
        return self.folder / f"{name}.tsv"

    def questions(self, name: str, messages: int) -> int:
        """How many the checks of the first so many messages need, of senders that all pass: PTR and AAAA, SPF of HELO and
        MAIL FROM with what it includes, a key."""
        included = Counter(name.split(".", 1)[1] for name, _ in self._rows("spf") if name.startswith("_"))
        domains = [line.split("\t")[4].partition("@")[2] for line in self.manifest(name).read_text().splitlines()]
        return sum(5 + included[domain] for domain in domains[:messages])

    def _rows(self, name: str) -> list[list[str]]:
        return [line.split("\t") for line in (self.folder / f"{name}.tsv").read_text().splitlines()]

    def records(self) -> list[Record]:
        return [Record(*row) for row in self._rows("records")]


def corpus_in(folder: Path) -> Corpus:
    """Makes it where it is missing, or was made by another version of this program."""
    sources = Path(__file__).read_bytes() + Path(signer.__file__).read_bytes()
    version = hashlib.sha256(sources).hexdigest()
    stamp = folder / "version"
    if not stamp.exists() or stamp.read_text() != version:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _Writer(folder).write()
        stamp.write_text(version)
    return Corpus(folder)


class _Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chance = random.Random(1)
        self.rsa = [signer.rsa_key(2048) for _ in range(_RSA_KEYS)]
        self.ed25519 = [signer.ed25519_key() for _ in range(_ED25519_KEYS)]
        self.next_index = 1

    def write(self) -> None:
        good = self._senders(["good"] * 4000)
        nested = self._senders(["good"] * 600, includes=3)
        bad = ["no-ptr", "forged-ptr", "broken-signature", "spf-fail"]
        mixed = self._senders([bad[i // 2 % 4] if i % 2 else "good" for i in range(240)])
        slow = self._senders((["good"] * 9 + ["slow"]) * 100, includes=0)
        self._write_set("good-4k", good, 4 << 10)
        self._write_set("good-50k", good[:200], 50 << 10)
        self._write_set("good-1m", good[:20], 1 << 20)
        self._write_set("nested-4k", nested, 4 << 10)
        self._write_set("mixed-4k", mixed, 4 << 10)
        self._write_set("slow-4k", slow, 4 << 10)
        self._write_set("ipv4-4k", [replace(sender, kind="ipv4") for sender in good[:200]], 4 << 10)
        self._write_dns([*good, *nested, *mixed, *slow])

    def _senders(self, kinds: Iterable[str], includes: int | None = None) -> list[Sender]:
        """Where `includes` is not told: 60 % of them have none, 25 % one, 15 % three."""
        senders = []
        for kind in kinds:
            index, self.next_index = self.next_index, self.next_index + 1
            place = index % 20
            mixture = 0 if place < 12 else 1 if place < 17 else 3
            senders.append(Sender(index, self._key(index), kind, mixture if includes is None else includes))
        return senders

    def _key(self, index: int) -> signer.Key:
        """One in ten is Ed25519."""
        keys = self.ed25519 if index * 37 % 100 < 10 else self.rsa
        return keys[index % len(keys)]

    def _write_set(self, name: str, senders: Sequence[Sender], size: int) -> None:
        (self.folder / name).mkdir()
        lines = []
        for sender in senders:
            file = f"{name}/{sender.index:05d}.eml"
            (self.folder / file).write_bytes(self._message(sender, size))
            lines.append(sender.manifest_line(file))
        (self.folder / f"{name}.tsv").write_text("".join(lines))

    def _write_dns(self, senders: Sequence[Sender]) -> None:
        records = [record for sender in senders for record in sender.records()]
        keys = [(sender.key_name, sender.key.record) for sender in senders]
        spf = [(record.name, record.rdata) for sender in senders for record in sender.spf_records()]
        rows = {"records": [(r.name, r.type, r.rdata) for r in records], "keys": keys, "spf": spf}
        for name, lines in rows.items():
            (self.folder / f"{name}.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))

    def _message(self, sender: Sender, size: int) -> bytes:
        chance = self.chance
        header = f"""\
Received: from {sender.host} ({sender.host} [IPv6:{sender.address}])
\tby relay.{sender.domain} (Postfix) with ESMTPS id {chance.getrandbits(40):010X};
\t{_DATE}
Received: from app{chance.randrange(90)}.internal.{sender.domain} (localhost [127.0.0.1])
\tby {sender.host} (Postfix) with ESMTP id {chance.getrandbits(40):010X};
\t{_DATE}
From: "News {sender.index}" <news@{sender.domain}>
To: <user{sender.index % 97}@rcpt.test>
Subject: {" ".join(chance.choice(_WORDS) for _ in range(7))}
Date: {_DATE}
Message-ID: <{chance.getrandbits(80):020x}@{sender.domain}>
MIME-Version: 1.0
List-Unsubscribe: <https://{sender.domain}/u/{chance.getrandbits(64):016x}>
X-Mailer: bench 1.0
X-Report-Abuse: Please report abuse to abuse@{sender.domain}
Feedback-ID: {chance.randrange(10**6)}:{sender.index}:bench
"""
        signature_size = 760
        part_size = max(256, size - len(header) - signature_size)
        content = header + (self._text(part_size) if size <= 8192 else self._with_attachment(part_size))
        octets = content.replace("\n", "\r\n").encode()
        signed = signer.sign(octets, sender.key, sender.domain, "bench", _SIGNED)
        if sender.kind == "broken-signature":
            head, _, body = signed.partition(b"\r\n\r\n")
            return head + b"\r\n\r\n" + body.replace(b"e", b"x", 1)
        return signed

    def _text(self, size: int) -> str:
        return f"Content-Type: text/plain; charset=us-ascii\n\n{self._prose(size)}"

    def _with_attachment(self, size: int) -> str:
        encoded = base64.encodebytes(self.chance.randbytes((size - 5000) * 57 // 78)).decode()
        return f"""\
Content-Type: multipart/mixed; boundary="=_bench"

--=_bench
Content-Type: text/plain; charset=us-ascii

{self._prose(4096)}
--=_bench
Content-Type: application/octet-stream; name=report.bin
Content-Transfer-Encoding: base64

{encoded}--=_bench--
"""

    def _prose(self, size: int) -> str:
        lines: list[str] = []
        length = 0
        while length < size:
            words = [self.chance.choice(_WORDS) for _ in range(9)]
            line = " ".join(words).capitalize() + ("\n" if self.chance.random() < 0.15 else ".")
            lines.append(line)
            length += len(line) + 2
        return "\n".join(lines) + "\n"
