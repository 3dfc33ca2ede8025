"""A DKIM signer that signs whatever it is told to, nonsense included (RFC 6376 section 3, RFC 8463).

dkimpy signs as one should, and refuses most of what a verifier has to be tried with.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from .milter import split_message

# What is signed is the field with an empty b=; braces are filled in, and {extra} is where a case puts its tags.
TEMPLATE = " v=1; a={a}; c={c}; d={d}; s={s};{extra}\r\n\th={h};\r\n\tbh={bh};\r\n\tb={b}"
SIGNED = "from:to:subject:date:message-id"


@dataclass(frozen=True)
class Key:
    private: Any
    p: str  # of the key record

    @property
    def type(self) -> str:
        return "ed25519" if isinstance(self.private, ed25519.Ed25519PrivateKey) else "rsa"

    def sign(self, octets: bytes, hash_name: str) -> bytes:
        if self.type == "ed25519":
            return self.private.sign(hashlib.new(hash_name, octets).digest())
        algorithm = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha512": hashes.SHA512}[hash_name]()
        return self.private.sign(octets, padding.PKCS1v15(), algorithm)


def rsa_key(bits: int, exponent: int = 65537, pkcs1: bool = False) -> Key:
    private = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
    form = serialization.PublicFormat.PKCS1 if pkcs1 else serialization.PublicFormat.SubjectPublicKeyInfo
    octets = private.public_key().public_bytes(serialization.Encoding.DER, form)
    return Key(private, base64.b64encode(octets).decode())


def ed25519_key() -> Key:
    private = ed25519.Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return Key(private, base64.b64encode(raw).decode())


@dataclass(frozen=True)
class Signature:
    """One DKIM-Signature; where `c` or `a` are not what is done, `does` and `hash` tell what is."""

    c: str = "relaxed/relaxed"
    a: str = ""  # from the key where it is not told
    d: str = "sign.test"
    h: str = SIGNED
    extra: str = ""
    template: str = TEMPLATE
    name: str = "DKIM-Signature"
    limit: int | None = None  # how much of the canonical body is hashed; l= itself stands in `extra`
    does: str = ""
    hash: str = "sha256"
    bh: str = ""
    body: bytes | None = None  # signed instead of the message's
    b: str = "{}"  # made of the true one


def signature_field(content: bytes, signature: Signature, key: Key, selector: str) -> bytes:
    """The field that signs `content`, to stand above it."""
    header_form, _, body_form = (signature.does or signature.c).lower().partition("/")
    fields, body = split_message(content)
    body = signature.body if signature.body is not None else body
    canonical = canonical_body(body, body_form or "simple")
    digest = hashlib.new(signature.hash, canonical[: signature.limit]).digest()

    def text(b: str) -> bytes:
        filled = signature.template.format(
            a=signature.a or f"{key.type}-{signature.hash}",
            c=signature.c,
            d=signature.d,
            s=selector,
            h=signature.h,
            extra=signature.extra,
            bh=signature.bh or base64.b64encode(digest).decode(),
            b=b,
        )
        return filled.encode()

    # Section 3.7: the value goes, with the white space around it.
    empty = re.sub(rb"\s*\0\s*", b"", text("\0"))
    own = signature.name.encode(), empty.replace(b"\r\n", b"\n")
    signed = hashed_fields(fields, signature.h, header_form) + canonical_field(own, header_form)[:-2]
    b = base64.b64encode(key.sign(signed, signature.hash)).decode()
    return signature.name.encode() + b":" + text(signature.b.format(b)) + b"\r\n"


def hashed_fields(fields: list[tuple[bytes, bytes]], h: str, form: str) -> bytes:
    """RFC 6376 section 5.4.2: of several of a name the lowest first, and nothing for one that is not there."""
    left = list(fields)
    octets = b""
    for name in re.sub(r"\s", "", h).split(":"):
        for index in range(len(left) - 1, -1, -1):
            if left[index][0].strip().lower() == name.lower().encode():
                octets += canonical_field(left.pop(index), form)
                break
    return octets


def canonical_field(field: tuple[bytes, bytes], form: str) -> bytes:
    """Sections 3.4.1 and 3.4.2."""
    name, value = field
    if form == "simple":
        return name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n"
    squeezed = re.sub(rb"[ \t]+", b" ", value.replace(b"\n", b"")).strip(b" ")
    return name.lower().rstrip(b" \t") + b":" + squeezed + b"\r\n"


def canonical_body(body: bytes, form: str) -> bytes:
    """Sections 3.4.3 and 3.4.4."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    if form == "relaxed":
        body = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n")
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    if body in (b"", b"\r\n"):
        return b"" if form == "relaxed" else b"\r\n"
    return body
