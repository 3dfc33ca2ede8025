"""DKIM signatures as an attacker makes them: every tag as asked, right or wrong. Relaxed/relaxed only."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from .milter import split_message

SIGNED = ("from", "to", "subject", "date", "message-id")


@dataclass(frozen=True)
class Key:
    algorithm: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def record(self) -> str:
        """The key record's text."""
        encoding = serialization.Encoding
        form = serialization.PublicFormat
        if isinstance(self.private, rsa.RSAPrivateKey):
            octets = self.private.public_key().public_bytes(encoding.DER, form.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"
        octets = self.private.public_key().public_bytes(encoding.Raw, form.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(octets).decode()}"

    def sign(self, octets: bytes) -> bytes:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(hashlib.sha256(octets).digest())
        digest = hashes.SHA1() if self.algorithm == "rsa-sha1" else hashes.SHA256()
        return self.private.sign(octets, padding.PKCS1v15(), digest)


def rsa_key(bits: int = 1024, algorithm: str = "rsa-sha256") -> Key:
    return Key(algorithm, rsa.generate_private_key(public_exponent=65537, key_size=bits))


def ed25519_key() -> Key:
    return Key("ed25519-sha256", ed25519.Ed25519PrivateKey.generate())


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _relaxed_field(name: bytes, value: bytes) -> bytes:
    return name.lower().strip() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def sign(
    message: bytes, key: Key, sdid: str, selector: str = "lab", signed: Sequence[str] = SIGNED, **tags: str | None
) -> bytes:
    """The message with a signature on top. `tags` come last, or take the place of those that are made here; with
    None a tag is left out."""
    fields, body = split_message(message)
    canonical = _relaxed_body(body)
    if "l" in tags and tags["l"] is not None:
        canonical = canonical[: int(tags["l"])]
    digest = hashlib.sha1 if key.algorithm == "rsa-sha1" else hashlib.sha256
    values: dict[str, str | None] = {
        "v": "1",
        "a": key.algorithm,
        "c": "relaxed/relaxed",
        "d": sdid,
        "s": selector,
        "h": ":".join(signed),
        "bh": base64.b64encode(digest(canonical).digest()).decode(),
        **tags,
        "b": "",
    }
    value = "; ".join(f"{tag}={text}" for tag, text in values.items() if text is not None)
    left = list(fields)
    hashed = b""
    for wanted in signed:
        at = next((i for i in reversed(range(len(left))) if left[i][0].lower().strip() == wanted.encode()), None)
        if at is not None:
            hashed += _relaxed_field(*left.pop(at)) + b"\r\n"
    hashed += _relaxed_field(b"DKIM-Signature", value.encode())
    signature = base64.b64encode(key.sign(hashed)).decode()
    return f"DKIM-Signature: {value}{signature}\r\n".encode() + message
