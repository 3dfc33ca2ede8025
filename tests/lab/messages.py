"""Messages as they go over the wire, and DKIM signatures on them."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from .nsd import Record

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Message:
    """`content` has CR LF line ends; `message_id` is with its angle brackets, and no two are equal."""

    content: bytes
    message_id: str


def compose(
    from_: str,
    to: str,
    subject: str = "Minutes of the meeting",
    fields: Iterable[tuple[str, str]] = (),
    body: str = "The meeting was short.\n",
) -> Message:
    """RFC 5322. The `fields` come before all others, as trace fields do."""
    message_id = f"<{next(_numbers)}.lab@{from_.rpartition('@')[2]}>"
    header = [
        *fields,
        ("From", f"<{from_}>"),
        ("To", f"<{to}>"),
        ("Subject", subject),
        ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
        ("Message-ID", message_id),
    ]
    lines = [f"{name}: {value}" for name, value in header] + ["", *body.splitlines()]
    return Message("".join(f"{line}\r\n" for line in lines).encode(), message_id)


@dataclass(frozen=True)
class DkimKey:
    """A key pair; `sign()` takes `private_key` as dkimpy wants it: PEM, or a seed in base64."""

    algorithm: str  # "rsa-sha256" (RFC 6376), "ed25519-sha256" (RFC 8463)
    private_key: bytes
    record_text: str

    def record(self, sdid: str, selector: str) -> Record:
        return Record(f"{selector}._domainkey.{sdid}", "TXT", self.record_text)


def rsa_key() -> DkimKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return DkimKey("rsa-sha256", pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}")


def ed25519_key() -> DkimKey:
    private = ed25519.Ed25519PrivateKey.generate()
    raw = serialization.Encoding.Raw
    seed = private.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    public = private.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
    text = f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"
    return DkimKey("ed25519-sha256", base64.b64encode(seed), text)


def sign(message: Message, key: DkimKey, sdid: str, selector: str) -> Message:
    """The message with a DKIM-Signature on top, relaxed/relaxed."""
    field = dkim.sign(
        message.content,
        selector.encode(),
        sdid.encode(),
        key.private_key,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[b"from", b"to", b"subject", b"date", b"message-id"],
        signature_algorithm=key.algorithm.encode(),
    )
    return Message(field + message.content, message.message_id)


def with_altered_body(message: Message) -> Message:
    """What a mailing list does with its footer: any signature over the body breaks."""
    return Message(message.content + b"-- \r\nThe list's footer\r\n", message.message_id)


def verifies(message: Message, records: Iterable[Record]) -> bool:
    """Whether dkimpy accepts the first signature, with keys from `records`."""
    keys = {record.name: record.rdata.encode() for record in records if record.type == "TXT"}

    def text_of(name: bytes | str, timeout: int = 5) -> bytes | None:
        text = name if isinstance(name, str) else name.decode()
        return keys.get(text.rstrip("."))

    return dkim.verify(message.content, dnsfunc=text_of)
