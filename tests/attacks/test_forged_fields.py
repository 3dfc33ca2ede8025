"""Whoever reads our fields trusts all of them, so nobody else's may look like ours.

The attacker writes the header: fields of any name and value, in any spelling that some reader might take for
Authentication-Results of this host, or for the Sixgate-Policy field. IPv4 clients and authenticated ones are no
different.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.gate import AUTHSERV_ID, CLIENT, Gate
from lab.messages import compose
from lab.site import program_from_environment

AR = "Authentication-Results"
LIE = "spf=pass smtp.mailfrom=bank.test"
ID = AUTHSERV_ID

REMOVED: list[tuple[str, str]] = [
    (AR, f" {ID}; {LIE}"),
    (AR, f"{ID};{LIE}"),
    (AR, f"\t{ID}\t;\t{LIE}"),
    (AR, f" {ID.upper()}; {LIE}"),
    (AR, f" Mx.ExAmPlE.tEsT; {LIE}"),
    (AR, f" {ID}.; {LIE}"),
    (AR, f" {ID} 1; {LIE}"),
    (AR, f" {ID} 2; {LIE}"),
    (AR, f" {ID} (c) 1 (c); {LIE}"),
    (AR, f" {ID}1; {LIE}".replace(f"{ID}1", f"{ID}\n 1")),
    (AR, f" (a (nested) comment) {ID}; {LIE}"),
    (AR, f" (a \\) paren){ID}(more); {LIE}"),
    (AR, f' "{ID}"; {LIE}'),
    (AR, f' "mx\\.example\\.test"; {LIE}'),
    (AR, f' "{ID} "; {LIE}'),
    (AR, f' " {ID}"; {LIE}'),
    (AR, f"\n {ID}; {LIE}"),
    (AR, f"\n\t(x)\n\t{ID}\n\t;\n\t{LIE}"),
    (AR, f" {ID}\n ; {LIE}"),
    (AR, f" {ID}; none"),
    (AR, f" {ID}"),
    (AR, f" {ID};"),
    (AR, f" {ID}; this is no result"),
    # What cannot be parsed might be taken for anything.
    (AR, ""),
    (AR, " "),
    (AR, f" ; {LIE}"),
    (AR, f" {LIE}"),
    (AR, f" ({ID}; {LIE}"),
    (AR, f' "{ID}; {LIE}'),
    (AR, f" {ID} x; {LIE}"),
    (AR, f" {ID}, {LIE}"),
    (AR, f" <{ID}>; {LIE}"),
    (AR, f" mx(c).example.test; {LIE}"),
    (AR, f" =?utf-8?q?{ID}?=; {LIE}"),
    (AR, f" mx.example.test\u00a0; {LIE}"),
    (AR, f" mx\uff0eexample\uff0etest; {LIE}"),
    (AR, " " + "(" * 50_000),
    (AR.upper(), f" {ID}; {LIE}"),
    (AR.lower(), f" {ID}; {LIE}"),
    ("aUTHENTICATION-rESULTS", f" {ID}; {LIE}"),
    (AR + " ", f" {ID}; {LIE}"),
    (AR + " \t", f" {ID}; {LIE}"),
    ("Sixgate-Policy", " pass; stage=default"),
    ("SIXGATE-POLICY", " pass"),
    ("sixgate-policy ", ""),
]

KEPT: list[tuple[str, str]] = [
    (AR, f" mx.elsewhere.test; {LIE}"),
    (AR, f" not{ID}; {LIE}"),
    (AR, f" {ID}.elsewhere.test; {LIE}"),
    (AR, f" elsewhere.test ({ID}); {LIE}"),
    (AR, f" elsewhere.test 1; spf=pass smtp.mailfrom={ID}"),
    ("ARC-" + AR, f" i=1; {ID}; {LIE}"),
    ("X-" + AR, f" {ID}; {LIE}"),
    ("Sixgate-Policy-Of-Old", " pass"),
]


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with Gate(program_from_environment("dev")) as gate_:
        yield gate_.start()


def deleted(gate: Gate, client: str, fields: list[tuple[str, str]], **macros: str) -> list[tuple[str, int]]:
    """What is deleted of a message with these fields, as name in one spelling and index."""
    content = compose("a@good.test", "alice@example.test").content
    with gate.connect(client) as milter:
        milter.mail("<sender@good.test>", **macros)
        milter.rcpt("<alice@example.test>")
        milter.data()
        for name, value in fields:
            milter.header(name, value)
        answer = milter.message(content)
    assert answer.verdict in ("accept", "continue"), answer
    return [(name.strip().lower(), index) for name, index in answer.deleted]


def indices(fields: list[tuple[str, str]], to_remove: list[tuple[str, str]]) -> list[tuple[str, int]]:
    """Name and index as the protocol counts: from 1, among the fields of that name."""
    counts: dict[str, int] = {}
    found = []
    for name, value in fields:
        plain = name.strip().lower()
        counts[plain] = counts.get(plain, 0) + 1
        if (name, value) in to_remove:
            found.append((plain, counts[plain]))
    return found


@pytest.mark.parametrize("client", [CLIENT, "192.0.2.1"])
def test_one_by_one(gate: Gate, client: str) -> None:
    for field in REMOVED:
        assert deleted(gate, client, [field]) == [(field[0].strip().lower(), 1)], field
    for field in KEPT:
        assert deleted(gate, client, [field]) == [], field


@pytest.mark.parametrize("client", [CLIENT, "192.0.2.1"])
def test_all_together_and_from_the_last_to_the_first(gate: Gate, client: str) -> None:
    fields = [field for pair in zip(REMOVED, KEPT * 6) for field in pair]
    wanted = indices(fields, REMOVED)
    found = deleted(gate, client, fields)
    assert sorted(found) == sorted(wanted)
    for name in {name for name, _ in found}:
        of_name = [index for other, index in found if other == name]
        assert of_name == sorted(of_name, reverse=True)


def test_who_has_logged_in_forges_no_less(gate: Gate) -> None:
    assert deleted(gate, CLIENT, REMOVED[:3], **{"{auth_type}": "PLAIN", "{auth_authen}": "eve"}) == [
        (AR.lower(), 3), (AR.lower(), 2), (AR.lower(), 1),
    ]  # fmt: skip


def test_refusals_delete_nothing(gate: Gate) -> None:
    """There is no message any more; and what follows on the connection is not confused by it."""
    with gate.connect() as milter:
        forged = b"Authentication-Results: mx.example.test; spf=pass\r\n"
        answer = milter.transaction("<a@no-spf.test>", ["<alice@example.test>"], forged + gate.message().content)
        assert answer.reply.startswith("550") and not answer.deleted
        answer = milter.transaction("<sender@good.test>", ["<alice@example.test>"], gate.message().content)
        assert answer.goes_on and not answer.deleted
