"""Authentication-Results fields written from random evidence, read back by two parsers that are not ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from authres import AuthenticationResultsHeader
from rfc8601 import Field, Mismatch, parse

REPOSITORY = Path(__file__).resolve().parents[2]
COUNT = 500
SEEDS = (1, 2, 3)


Case = dict[str, Any]


def cases(seed: int) -> list[Case]:
    program = Path(os.environ.get("PRINT_RESULTS") or REPOSITORY / "build/dev/tests/print_results")
    printed = subprocess.run([program, str(seed), str(COUNT)], capture_output=True, check=True).stdout
    return [json.loads(line) for line in printed.splitlines()]


@pytest.fixture(scope="module", params=SEEDS)
def random_cases(request: pytest.FixtureRequest) -> list[Case]:
    return cases(request.param)


# -- what a field is expected to say


def printable(text: str, limit: int) -> str:
    """Printable ASCII; any other octet, and the backslash, as \\xNN; cut with "..." where it is longer."""
    out = ""
    for octet in text.encode("latin-1"):
        plain = chr(octet) if 0x20 <= octet < 0x7F and octet != 0x5C else f"\\x{octet:02x}"
        if len(out) + len(plain) > limit:
            return out + "..."
        out += plain
    return out


def told_value(text: str) -> str:
    """Where quoted-pairs would make it much longer, half of it has to do."""
    told = printable(text, 260)
    length = len(told) + told.count('"') + told.count("\\")
    return told if length <= 400 else printable(text, 130)


def expected(result: Case) -> tuple[str, str, str | None, list[tuple[str, str]]]:
    properties = []
    for name, value in result["properties"].items():
        told = value[:12] if name == "header.b" else value
        if told:
            properties.append((name, told_value(told)))
    return result["method"], result["result"], printable(result["reason"], 160) or None, properties


# -- the tests


def test_the_grammar_accepts_each_and_every_value_is_the_one_that_was_meant(random_cases: list[Case]) -> None:
    for case in random_cases:
        field = parse(case["field"])
        assert field.authserv_id == "mx.example.net"
        told = [(result.method, result.result, result.reason, result.properties) for result in field.results]
        assert told == [expected(result) for result in case["results"]], case["field"]


def test_authres_reads_the_same(random_cases: list[Case]) -> None:
    for case in random_cases:
        unfolded = case["field"].replace("\n", "")
        field = AuthenticationResultsHeader.parse(f"Authentication-Results: {unfolded}")
        assert field.authserv_id == "mx.example.net"
        wanted = [expected(result) for result in case["results"]]
        got = [(read.method, read.result) for read in field.results]
        assert got == [(method, result) for method, result, _, _ in wanted], case["field"]
        for read, (_, _, reason, properties) in zip(field.results, wanted, strict=True):
            assert unescaped(read.reason) == reason
            values = {f"{found.type}.{found.name}": unescaped(found.value) for found in read.properties}
            assert set(values.items()) <= set(properties), case["field"]
            assert {name for name, value in properties if is_plain(value)} <= set(values), case["field"]


def unescaped(text: str | None) -> str | None:
    """authres leaves the backslashes of quoted pairs in."""
    return None if text is None else re.sub(r"\\(.)", r"\1", text)


def is_plain(value: str) -> bool:
    """A token, which needs no quotes."""
    return re.fullmatch(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+", value) is not None


def test_lines_are_printable_and_short(random_cases: list[Case]) -> None:
    for case in random_cases:
        lines = case["field"].split("\n")
        assert all(re.fullmatch(r"\t?[\x20-\x7e]+", line) for line in lines), case["field"]
        assert all(line.startswith("\t") and line.strip() for line in lines[1:]), "a fold without a word"
        assert max(map(len, lines)) < 998
        for line in lines[1:]:
            assert len(line) <= 78 or is_one_word(line), line


def is_one_word(line: str) -> bool:
    """Nowhere to break but inside quotes."""
    return " " not in re.sub(r'"(?:[^"\\]|\\.)*"', '""', line.strip())


# -- the parser itself


@pytest.mark.parametrize(
    "field",
    [
        "example.org 1; none",
        "example.com; spf=pass smtp.mailfrom=example.net",
        "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net",
        'example.com; dkim=pass reason="good signature" header.i=@mail-router.example.net;\n\t'
        "dkim=fail reason=\"bad signature\" header.i=@newyork.example.com",
        "foo.example.net (foobar) 1 (baz);\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\n"
        " policy (A dot can go here) . (like that) expired\n (this surprised me) = (as I wasn't expecting it) 1362471462",
        '"a b"; iprev=pass policy.iprev="2001:db8::1"',
        'a.example; spf=pass smtp.mailfrom="odd one"@example.org (c) smtp.helo=b.example',
    ],
)  # fmt: skip
def test_the_examples_of_the_rfc_are_accepted(field: str) -> None:
    assert parse(field)


@pytest.mark.parametrize(
    "field",
    [
        "", "example.org", "example.org;", "example.org; none; none", "a b c; none", "mx.example; spf=",
        "mx.example; iprev=pass policy.iprev=2001:db8::1", "mx.example; spf=pass smtp.mailfrom=user@localhost",
        "mx.example; spf=pass smtp.mailfrom=a..b@example.org", "mx.example; spf=pass smtp.mailfrom=user@a_b.example",
        "mx.example; dkim=pass header.b=ab/cd", 'mx.example; spf=pass reason="a', "mx.example; spf=pass (a",
        "mx.example; spf=pass (a))", 'mx.example; spf=pass smtp.helo="a"smtp.mailfrom=b', "mx.example;\n\t\n\tspf=pass",
        "mx.example; spf=pass smtp.helo=\xe9", "mx.example; spf=pass (a\x7f)", "mx.example; spf=pass header.d=",
    ],
)  # fmt: skip
def test_what_is_not_in_the_grammar_is_refused(field: str) -> None:
    with pytest.raises(Mismatch):
        parsed: Field = parse(field)
        print(parsed)
