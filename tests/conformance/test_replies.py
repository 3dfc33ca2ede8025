"""Replies to random evidence, half of it hostile: the rules that each keeps (DESIGN section 6)."""

from __future__ import annotations

import re

import pytest
from rfc8601 import parse
from test_authentication_results import SEEDS, Case, cases


@pytest.fixture(scope="module", params=[seed + 100 for seed in SEEDS])
def replies(request: pytest.FixtureRequest) -> list[tuple[Case, Case]]:
    """Each with the case that it answers."""
    refused = [(case, case["reply"]) for case in cases(request.param) if case["reply"]]
    assert len(refused) > 300
    return refused


def test_all_profiles_and_reasons_are_met(replies: list[tuple[Case, Case]]) -> None:
    assert len({(reply["reason"], reply["code"], reply["lines"][0][:24]) for _, reply in replies}) > 20
    assert len({reply["reason"] for _, reply in replies}) == 7


def test_codes_are_of_one_class(replies: list[tuple[Case, Case]]) -> None:
    for _, reply in replies:
        assert re.fullmatch(r"[45]\d\d", str(reply["code"]))
        assert re.fullmatch(r"[45]\.\d{1,3}\.\d{1,3}", reply["enhanced_status"])
        assert str(reply["code"])[0] == reply["enhanced_status"][0]
        assert str(reply["code"])[0] == {"tempfail": "4", "reject": "5"}[reply["action"]]


def test_limits(replies: list[tuple[Case, Case]]) -> None:
    for _, reply in replies:
        codes = f"{reply['code']}-{reply['enhanced_status']} "
        lines = [f"{codes}{line}\r\n" for line in reply["lines"]]
        assert 1 <= len(lines) <= 32
        assert sum(map(len, lines)) <= 2000
        assert max(map(len, lines)) <= 980


def test_only_printable_ascii(replies: list[tuple[Case, Case]]) -> None:
    for _, reply in replies:
        assert all(re.fullmatch(r"[\x20-\x7e]*", line) for line in reply["lines"]), reply["lines"]


def test_the_first_line_tells_address_and_case(replies: list[tuple[Case, Case]]) -> None:
    for case, reply in replies:
        assert case["client"] in reply["lines"][0]
        assert "case 1a2b-case-id" in reply["lines"][0]


def test_the_help_address_is_there(replies: list[tuple[Case, Case]]) -> None:
    for _, reply in replies:
        assert not reply["help_url"] or any(line.endswith(reply["help_url"]) for line in reply["lines"][1:])


def test_lines_break_where_words_allow(replies: list[tuple[Case, Case]]) -> None:
    """But for the semicolon, and where an odd quote stands in a value."""
    for _, reply in replies:
        width = 78 - len(f"{reply['code']}-{reply['enhanced_status']} ")
        for line in reply["lines"][1:]:
            words = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line.strip()).removesuffix(";")
            assert len(line) - line.endswith(";") <= width or " " not in words or '"' in words.replace('""', ""), line


def test_the_results_are_a_whole_field(replies: list[tuple[Case, Case]]) -> None:
    """The most of them that fit, from the first on."""
    told = 0
    for case, reply in replies:
        at = next((i for i, line in enumerate(reply["lines"]) if line.startswith("Authentication-Results:")), None)
        if at is None:
            continue
        text = "\n".join(reply["lines"][at:]).partition(": ")[2]
        field, whole = parse(text), parse(case["field"])
        assert field.results == whole.results[: len(field.results)]
        told += 1
    assert told > 150
