"""The grammar of RFC 8601 section 2.2, as strict as it is written: none of RFC 5322's obsolete forms.

Each method of `Parser` is the rule of its name, and leaves the parser behind what it has read. A rule that does
not match raises `Mismatch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

# RFC 5322 section 3.2, RFC 2045 section 5.1, RFC 5321 section 4.1.2, RFC 6376 section 2.4
FWS = r"(?:[ \t]*\r\n)?[ \t]+"
QUOTED_PAIR = r"\\[\x21-\x7e \t]"
CTEXT = r"[\x21-\x27\x2a-\x5b\x5d-\x7e]"
QTEXT = r"[\x21\x23-\x5b\x5d-\x7e]"
TOKEN = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"
QUOTED_STRING = rf'"(?:(?:{FWS})?(?:{QTEXT}|{QUOTED_PAIR}))*(?:{FWS})?"'
KEYWORD = r"[A-Za-z0-9-]*[A-Za-z0-9]"
SUB_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
DOMAIN_NAME = rf"{SUB_DOMAIN}(?:\.{SUB_DOMAIN})+"
ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+"
SMTP_QUOTED_STRING = r'"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"'
LOCAL_PART = rf"(?:{ATOM}(?:\.{ATOM})*|{SMTP_QUOTED_STRING})"

Value = TypeVar("Value")


class Mismatch(Exception):
    """What was expected, and where."""


@dataclass
class Result:
    method: str
    result: str
    reason: str | None = None
    properties: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Field:
    authserv_id: str
    version: str | None
    results: list[Result]  # empty: "none"


def unquoted(text: str) -> str:
    """What a value means: RFC 5322 section 3.2.4, and unfolded."""
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1].replace("\r\n", ""))


class Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    # -- the means

    def take(self, pattern: str) -> str:
        found = re.compile(pattern).match(self.text, self.at)
        if not found:
            raise Mismatch(pattern, self.at)
        self.at = found.end()
        return found[0]

    def optional(self, rule: Callable[[], Value]) -> Value | None:
        before = self.at
        try:
            return rule()
        except Mismatch:
            self.at = before
            return None

    def any_of(self, *patterns: str) -> str:
        """The longest match, as the grammar has no order."""
        ends = [(found.end(), found[0]) for p in patterns if (found := re.compile(p).match(self.text, self.at))]
        if not ends:
            return self.take(patterns[0])
        self.at, text = max(ends)
        return text

    def many(self, rule: Callable[[], Value]) -> list[Value]:
        values = []
        while (value := self.optional(rule)) is not None:
            values.append(value)
        return values

    # -- the rules

    def comment(self) -> str:
        start = self.at
        self.take(r"\(")
        while self.optional(lambda: self.take(FWS) and self.ccontent()) or self.optional(self.ccontent):
            pass
        self.optional(lambda: self.take(FWS))
        self.take(r"\)")
        return self.text[start : self.at]

    def ccontent(self) -> str:
        return self.optional(lambda: self.take(rf"{CTEXT}|{QUOTED_PAIR}")) or self.comment()

    def cfws(self) -> str:
        start = self.at
        comments = self.many(lambda: (self.optional(lambda: self.take(FWS)), self.comment()))
        if comments:
            self.optional(lambda: self.take(FWS))
        else:
            self.take(FWS)
        return self.text[start : self.at]

    def value(self) -> str:
        return unquoted(self.any_of(TOKEN, QUOTED_STRING))

    def authres_payload(self) -> Field:
        self.optional(self.cfws)
        authserv_id = self.value()
        version = self.optional(self.authres_version)
        results = self.many(self.resinfo)
        if not results:
            self.no_result()
        self.optional(self.cfws)
        self.take(r"\r\n\Z")
        return Field(authserv_id, version, results)

    def authres_version(self) -> str:
        self.cfws()
        version = self.take(r"[0-9]+")
        self.optional(self.cfws)
        return version

    def no_result(self) -> None:
        self.optional(self.cfws)
        self.take(";")
        self.optional(self.cfws)
        self.take("none")

    def resinfo(self) -> Result:
        self.optional(self.cfws)
        self.take(";")
        result = self.methodspec()
        result.reason = self.optional(self.reasonspec)
        result.properties = self.optional(self.propspecs) or []
        return result

    def methodspec(self) -> Result:
        self.optional(self.cfws)
        method = self.take(KEYWORD)
        self.optional(self.method_version)
        self.optional(self.cfws)
        self.take("=")
        self.optional(self.cfws)
        return Result(method, self.take(KEYWORD))

    def method_version(self) -> str:
        self.optional(self.cfws)
        self.take("/")
        self.optional(self.cfws)
        return self.take(r"[0-9]+")

    def reasonspec(self) -> str:
        self.cfws()
        self.take("reason")
        self.optional(self.cfws)
        self.take("=")
        self.optional(self.cfws)
        return self.value()

    def propspecs(self) -> list[tuple[str, str]]:
        self.cfws()
        # A pvalue takes the white space behind it, and what follows must not stick to it otherwise.
        first = self.propspec()
        return [first, *self.many(self.next_propspec)]

    def next_propspec(self) -> tuple[str, str]:
        if self.text[self.at - 1] not in " \t)":
            raise Mismatch("no white space between two properties")
        return self.propspec()

    def propspec(self) -> tuple[str, str]:
        ptype = self.take(KEYWORD)
        self.optional(self.cfws)
        self.take(r"\.")
        self.optional(self.cfws)
        name = self.take(KEYWORD)
        self.optional(self.cfws)
        self.take("=")
        return f"{ptype}.{name}", self.pvalue()

    def pvalue(self) -> str:
        self.optional(self.cfws)
        text = self.any_of(TOKEN, QUOTED_STRING, rf"(?:(?:{LOCAL_PART})?@)?{DOMAIN_NAME}")
        self.optional(self.cfws)
        return text if "@" in text and not text.endswith('"') else unquoted(text)


def parse(value: str) -> Field:
    """The value of a field as sixgate writes it: what follows the colon, folded with LF."""
    return Parser(" " + value.replace("\n", "\r\n") + "\r\n").authres_payload()
