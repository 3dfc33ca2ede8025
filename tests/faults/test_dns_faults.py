"""What sixgate makes of name servers that fail, each in its own way.

The name servers are the resolver's own or, through it, those of the sender's zones: whoever runs the zone
of the client's address, of its name, of MAIL FROM or of the signature controls every octet and every delay
here. A fault that may pass is answered 451, never 550 and never with a pass; the deadline is kept; memory
and the number of questions have bounds.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from lab import faulty_dns, messages
from lab.dns_tap import Question
from lab.faulty_dns import (
    FORMERR,
    QR_RD_RA,
    REFUSED,
    SERVFAIL,
    Behaviour,
    address,
    chained,
    closing,
    empty,
    garbage,
    half_an_answer,
    healthy,
    lame,
    looping,
    name,
    oversized,
    record,
    refusing_edns,
    silent,
    slow,
    truncated,
    txt,
    with_rcode,
    with_wrong_id,
    with_wrong_question,
)
from lab.gate import AAAA, CLIENT, DOMAIN, HOST, KEY, PTR, SPF, SPF_HELO, Gate, Outcome

DEADLINE_MS = 1500
# Beyond the deadline: what one event, a busy machine and the sanitizers add.
ALLOWANCE = 1.5

TEMPORARY: dict[str, Behaviour] = {
    "silence": silent,
    "SERVFAIL": with_rcode(SERVFAIL),
    "REFUSED": with_rcode(REFUSED),
    "FORMERR, EDNS or not": with_rcode(FORMERR),
    "NOTIMP": with_rcode(4),
    "an unknown RCODE": with_rcode(11),
    "truncated, and TCP closes at once": truncated(closing),
    "truncated, and TCP closes in mid-answer": truncated(half_an_answer),
    "truncated, and TCP accepts but never answers": truncated(silent),
    "truncated, and truncated over TCP": truncated(lambda query, right: [query.reply(flags=QR_RD_RA | 0x200)]),
    "another id": with_wrong_id,
    "another question": with_wrong_question,
    "an answer that is no DNS": garbage,
    "an empty datagram": lambda query, right: [b""],
    "half a header": lambda query, right: [right[:6]],
    "the question, sent back as it came": lambda query, right: [query.octets],
    "two aliases in a circle": looping,
    "a chain of 200 aliases": chained(200),
    "a referral upwards": lame,
    "empty, from a server that is neither authoritative nor recursive": empty(0x8100),
    "an answer after the deadline": slow(3),
}


def bounded(outcome: Outcome) -> Outcome:
    assert outcome.seconds < DEADLINE_MS / 1000 + ALLOWANCE, f"{outcome.seconds} s"
    return outcome


@dataclass(frozen=True)
class Where:
    """Which answers are spoiled, of a message that would pass without the fault, and only just."""

    questions: tuple[Question, ...]  # none: all of them
    codes: str
    method: str
    has_spf: bool = False
    is_signed: bool = False


WHERE = {
    "everywhere": Where((), "451 4.4.3", "iprev", has_spf=True, is_signed=True),
    "PTR": Where((PTR,), "451 4.4.3", "iprev", has_spf=True),
    "AAAA": Where((AAAA,), "451 4.4.3", "iprev", has_spf=True),
    "SPF": Where((SPF,), "451 4.7.24", "spf", has_spf=True),
    "DKIM key": Where((KEY,), "451 4.4.3", "dkim", is_signed=True),
}


@pytest.mark.parametrize("fault", TEMPORARY)
def test_a_fault_that_may_pass_is_answered_451(gate: Gate, fault: str) -> None:
    gate.start(deadline_ms=DEADLINE_MS, dns="timeout_ms = 300")
    for number, (place, where) in enumerate(WHERE.items()):
        gate.dns.recover()
        # Names of its own, so that no answer is in the cache from before.
        domain, host = f"{number}.test", f"mail.{number}.test"
        client = f"2001:db8:5::{number + 2}"
        gate.dns.zone.add_ptr(client, host)
        gate.dns.zone.add(host, "AAAA", address(client))
        gate.dns.zone.add(f"lab._domainkey.{domain}", "TXT", txt(gate.key.record_text))
        gate.dns.zone.add(domain, "TXT", *([txt(f"v=spf1 ip6:{client} -all")] if where.has_spf else []))
        renamed = {
            PTR: faulty_dns.ptr_name(client), AAAA: host, SPF: domain, KEY: f"lab._domainkey.{domain}",
        }  # fmt: skip
        message = messages.compose(f"sender@{domain}", "alice@example.test")
        if where.is_signed:
            message = messages.sign(message, gate.key, domain, "lab")
        gate.dns.fail(
            TEMPORARY[fault],
            *(Question(renamed[question], question.type) for question in where.questions),
        )
        outcome = bounded(gate.send(message.content, client=client, helo=host, mail_from=f"<sender@{domain}>"))
        assert outcome.codes == where.codes, f"{place}: {outcome.answer.reply or outcome.results}"
        assert outcome.result(where.method) == "temperror", f"{place}: {outcome.results}"


HARMLESS: dict[str, Behaviour] = {
    "slow": slow(0.15),
    "EDNS refused with FORMERR": refusing_edns,
    "truncated, and TCP answers": truncated(healthy),
    "truncated, and TCP is slow": truncated(slow(0.15)),
    "a forged answer first, with another id": lambda query, right: [
        *with_wrong_id(query, query.reply(rcode=3)), right,
    ],
    "a forged answer first, to another question": lambda query, right: [
        *with_wrong_question(query, query.reply(rcode=3)), right,
    ],
    "every answer twice": lambda query, right: [right, right],
    "a datagram of 3,000 octets": oversized(3_000),
    "a datagram of 60,000 octets": oversized(60_000),
    "a chain of 8 aliases": chained(8),
}  # fmt: skip


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_fault_that_can_be_got_over_loses_nothing(gate: Gate, fault: str) -> None:
    gate.start(deadline_ms=3000, dns="timeout_ms = 1500")
    gate.dns.fail(HARMLESS[fault])
    outcome = gate.send(signed=True)
    assert outcome.code == 250, outcome.answer.reply
    for method in ("iprev", "spf", "dkim"):
        assert outcome.result(method) == "pass", outcome.results


FOREIGN = record(name("elsewhere.test"), "AAAA", address(CLIENT))
FOREIGN_TEXTS = (
    record(name("elsewhere.test"), "TXT", txt("v=spf1 +all")),
    record(name("test"), "TXT", txt("v=spf1 +all")),
)
NOT_TO_BE_BELIEVED: dict[str, tuple[Question, Behaviour, str]] = {
    "AAAA of another name": (AAAA, faulty_dns.beside_the_chain(FOREIGN), "iprev"),
    "AAAA at the end of another chain": (
        AAAA,
        faulty_dns.beside_the_chain(record(name("other.test"), "CNAME", name("elsewhere.test")), FOREIGN),
        "iprev",
    ),
    "AAAA in the authority section": (
        AAAA,
        lambda query, right: [query.reply(authority=[record(query.owner, "AAAA", address(CLIENT)), faulty_dns.soa()])],
        "iprev",
    ),
    "PTR of another address": (
        PTR,
        faulty_dns.beside_the_chain(record(name("2." + PTR.name[2:]), "PTR", name(HOST))),
        "iprev",
    ),
    "SPF of another domain": (SPF, faulty_dns.beside_the_chain(*FOREIGN_TEXTS), "spf"),
    "SPF in the authority section": (
        SPF,
        lambda query, right: [query.reply(authority=[record(query.owner, "TXT", txt("v=spf1 +all"))])],
        "spf",
    ),
    "SPF beside NXDOMAIN": (
        SPF,
        lambda query, right: [
            query.reply([record(query.owner, "TXT", txt("v=spf1 +all"))], rcode=3, authority=[faulty_dns.soa()])
        ],
        "spf",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", NOT_TO_BE_BELIEVED)
def test_records_beside_the_answer_are_not_believed(gate: Gate, fault: str) -> None:
    question, behaviour, method = NOT_TO_BE_BELIEVED[fault]
    gate.start()
    gate.dns.fail(behaviour, question)
    outcome = bounded(gate.send())
    assert outcome.code in (451, 550), outcome.answer.reply
    assert outcome.result(method) != "pass", outcome.results


class TestSeveralServers:
    """The client is in order; of four name servers some are not."""

    @pytest.fixture
    def gate(self, gate: Gate) -> Gate:
        return gate

    @staticmethod
    def closed_port() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{probe.getsockname()[1]}"

    def test_all_dead_is_answered_451(self, gate: Gate) -> None:
        gate.start(servers=[self.closed_port(), self.closed_port()])
        outcome = bounded(gate.send(signed=True))
        assert outcome.codes == "451 4.4.3"
        assert outcome.seconds < DEADLINE_MS / 1000

    @pytest.mark.parametrize("order", ["dead first", "dead last"])
    def test_half_of_them_dead_loses_nothing(self, gate: Gate, order: str) -> None:
        dead = [self.closed_port(), self.closed_port()]
        gate.start(servers=dead + gate.dns.addresses if order == "dead first" else gate.dns.addresses + dead)
        assert bounded(gate.send(signed=True)).code == 250

    @pytest.mark.parametrize("fault", ["silence", "SERVFAIL", "REFUSED"])
    def test_half_of_them_failing_loses_nothing(self, gate: Gate, fault: str) -> None:
        with faulty_dns.FaultyDns(2) as failing:
            failing.fail(TEMPORARY[fault])
            gate.start(servers=failing.addresses + gate.dns.addresses, dns="timeout_ms = 1200", deadline_ms=4000)
            outcome = gate.send(signed=True)
        assert outcome.code == 250, outcome.answer.reply
        assert outcome.seconds < 4, outcome.seconds

    def test_a_truncating_server_whose_tcp_is_dead_is_passed_over(self, gate: Gate) -> None:
        with faulty_dns.FaultyDns(1) as failing:
            failing.fail(truncated(closing))
            gate.start(servers=failing.addresses + gate.dns.addresses, dns="timeout_ms = 1200", deadline_ms=4000)
            outcome = gate.send(signed=True)
        assert outcome.code in (250, 451), outcome.answer.reply


# -- Questions are counted.


def test_iprev_asks_at_most_1_and_10_questions(gate: Gate) -> None:
    client = "2001:db8:5::1000"
    hosts = [f"h{number}.flood.test" for number in range(1000)]
    gate.dns.zone.add_ptr(client, *hosts)
    for host in hosts:
        gate.dns.zone.add(host, "AAAA", address("2001:db8:9::1"))
    gate.start()
    outcome = bounded(gate.send(client=client, mail_from="<>", helo="flood.test"))
    questions = gate.dns.questions()
    assert [question.type for question in questions].count("PTR") == 1
    assert [question.type for question in questions].count("AAAA") == 10
    assert outcome.codes == "550 5.7.25"


def test_silent_servers_are_asked_a_bounded_number_of_times(gate: Gate) -> None:
    """Two tries within the timeout and a third for who comes later: no storm meets a server in trouble."""
    gate.dns.fail(silent)
    gate.start()
    for _ in range(5):
        bounded(gate.send(signed=True))
    time.sleep(1)
    for question in gate.dns.questions():
        asked = [query for query in gate.dns.queries() if query.question == question]
        assert len(asked) <= 3, f"{question} was asked {len(asked)} times"


def spf_questions(gate: Gate) -> list[Question]:
    return [one for one in gate.dns.questions() if one.type != "PTR" and one not in (AAAA, KEY) and one.name != HOST]


@dataclass(frozen=True)
class Flood:
    """The record at flood.test, and the most questions that RFC 7208 section 4.6.4 allows for it.

    TXT is asked for ahead of the check as well: ten at most, not all of which the check comes to.
    """

    record: str
    texts: int
    others: int = 0


def terms(form: str, count: int = 100) -> str:
    return "v=spf1 " + " ".join(form.format(i) for i in range(count)) + " +all"


SPF_FLOODS = {
    "100 a terms": Flood(terms("a:h{}.flood.test"), 1, 10),
    "100 mx terms": Flood(terms("mx:m{}.flood.test"), 1, 10 + 100),
    "100 exists terms": Flood(terms("exists:void{}.flood.test"), 1, 3),
    "100 includes": Flood(terms("include:i{}.flood.test"), 1 + 10),
    "a tree of includes": Flood(terms("include:t{}.flood.test", 3), 1 + 10 + 10),
    "an include of itself": Flood("v=spf1 include:flood.test +all", 1),
    "a redirect to itself": Flood("v=spf1 redirect=flood.test", 1),
    "100 ptr terms": Flood(terms("ptr:h{}.flood.test"), 1),
    "voids": Flood(terms("a:void{}.flood.test", 10), 1, 3),
}


@pytest.mark.parametrize("flood", SPF_FLOODS)
def test_spf_asks_no_more_than_rfc_7208_allows(gate: Gate, flood: str) -> None:
    zone = gate.dns.zone
    zone.add("flood.test", "TXT", txt(SPF_FLOODS[flood].record))
    for i in range(100):
        zone.add(f"h{i}.flood.test", "AAAA", address("2001:db8:9::1"))
        zone.add(f"h{i}.flood.test", "A", address("192.0.2.1"))
        zone.add(f"i{i}.flood.test", "TXT", txt("v=spf1 ?all"))
        zone.add(f"m{i}.flood.test", "MX", *(faulty_dns.mx(f"x{i}-{j}.flood.test") for j in range(10)))

    def tree(question: Question) -> list[bytes] | None:
        """Each t... includes three more below it; each x... is a host."""
        if question.name.startswith("t") and question.type == "TXT":
            below = " ".join(f"include:t{i}.{question.name}" for i in range(3))
            return [txt(f"v=spf1 {below} ?all")]
        if question.name.startswith("x") and question.type == "AAAA":
            return [address("2001:db8:9::2")]
        return None

    zone.wildcard = tree
    gate.start()
    outcome = bounded(gate.send(mail_from="<sender@flood.test>"))
    # A reply that refuses tells of a sender domain without AAAA, which is looked up for it and is no part of SPF.
    questions = [one for one in spf_questions(gate) if one.name != "flood.test" or one.type == "TXT"]
    texts = [one for one in questions if one.type == "TXT"]
    assert len(texts) <= SPF_FLOODS[flood].texts, texts
    assert len(questions) - len(texts) <= SPF_FLOODS[flood].others, questions
    assert outcome.result("spf", "smtp.mailfrom") == "permerror", outcome.results


ENVELOPES = 30


def texts_asked(gate: Gate) -> list[str]:
    """The names, once no more come: nobody waits for what is asked ahead."""
    names: list[str] = []
    while True:
        time.sleep(0.3)
        before, names = names, [one.question.name for one in gate.dns.queries() if one.question.type == "TXT"]
        if len(names) == len(before):
            return [name_ for name_ in names if name_ != HOST]


# A connection asks ahead for 20 domains: that of its HELO, and 19 more.
@pytest.mark.parametrize(("many", "count"), [("one.test", 1), ("{}.many.test", 19)])
def test_envelopes_that_come_to_nothing_ask_a_bounded_number_of_questions(gate: Gate, many: str, count: int) -> None:
    """MAIL, RSET, MAIL, RSET: each asks for ten TXT records at most, and none that is known or asked for already."""
    domains = [many.format(i) for i in range(ENVELOPES)]
    for domain in set(domains):
        gate.dns.zone.add(domain, "TXT", txt(terms("include:i{}." + domain, 30)))
    gate.start()
    with gate.connect() as milter:
        for domain in domains:
            milter.mail(f"<sender@{domain}>")
            milter.abort()
        names = texts_asked(gate)
    assert set(domains) & set(names) == set(domains[:count])
    assert len(names) <= (1 + 9) * count, len(names)
    asked = [query.question for query in gate.dns.queries()]
    assert [asked.count(one) for one in (PTR, AAAA, SPF_HELO)] == [1, 1, 1]


def test_helo_again_and_again_asks_once(gate: Gate) -> None:
    gate.start()
    with gate.connect() as milter:
        for _ in range(ENVELOPES):
            milter.helo(HOST)
        assert milter.transaction("<>", ["<alice@example.test>"], gate.message().content).goes_on
    asked = [query.question for query in gate.dns.queries()]
    assert sorted(asked, key=str) == sorted([PTR, AAAA, SPF_HELO], key=str)


def test_dkim_asks_for_10_keys(gate: Gate) -> None:
    content = gate.message().content
    for number in range(30):
        key = messages.sign(messages.Message(content, ""), gate.key, f"d{number}.test", "s")
        content = key.content
    gate.start()
    outcome = bounded(gate.send(content))
    keys = [one for one in gate.dns.questions() if "_domainkey" in one.name]
    assert len(keys) == 10
    assert len(outcome.all_results("dkim")) <= 10


# -- Memory and others' mail.


def flood_of_texts(gate: Gate) -> None:
    """Each MAIL FROM leads to ten names of 12,000 octets."""
    large = txt(b"x" * 12_000)

    def answer(question: Question) -> list[bytes] | None:
        """m7.flood.test includes n70.flood.test to n79.flood.test; each of those is large."""
        if question.type != "TXT" or not question.name.endswith(".flood.test"):
            return None
        first = question.name.split(".")[0]
        if first.startswith("n"):
            return [txt("v=spf1 ?all"), large]
        return [txt("v=spf1 " + " ".join(f"include:n{first[1:]}{i}.flood.test" for i in range(10)))]

    gate.dns.zone.wildcard = answer


def flood_of_reverse_names(gate: Gate) -> None:
    """Each client has 1,000 PTR records, some 90 kB in memory."""
    names = [name(f"{'x' * 38}{i:03}.test") for i in range(1_000)]
    gate.dns.zone.wildcard = lambda question: names if question.type == "PTR" else None


def flood_of_oversized_answers(gate: Gate) -> None:
    """Each answer comes with 60,000 octets that nobody asked for, and more than UDP was asked for."""
    gate.dns.zone.wildcard = lambda question: [txt("v=spf1 ?all")] if question.type == "TXT" else None
    gate.dns.fail(oversized(60_000))


@dataclass(frozen=True)
class LargeAnswers:
    fill: Callable[[Gate], None]
    messages: int  # till threads and the allocator have what they keep, and then as many again
    mebioctets: int  # about half of what these bring


LARGE_ANSWERS = {
    "names of 12,000 octets": LargeAnswers(flood_of_texts, 200, 12),
    "1,000 reverse names": LargeAnswers(flood_of_reverse_names, 100, 3),
    "oversized answers": LargeAnswers(flood_of_oversized_answers, 80, 4),
}


@pytest.mark.parametrize("kind", LARGE_ANSWERS)
def test_a_flood_of_large_answers_leaves_memory_bounded(gate: Gate, kind: str) -> None:
    """Against a cache of 1 MB."""
    flood = LARGE_ANSWERS[kind]
    flood.fill(gate)
    gate.start(dns="timeout_ms = 2000\ncache_mb = 1", deadline_ms=10_000)
    content = gate.message().content

    def send(first: int, last: int) -> None:
        for number in range(first, last):
            with gate.connect(f"2001:db8:bad::{number:x}") as milter:
                answer = milter.transaction(f"<a@m{number}.flood.test>", ["<alice@example.test>"], content)
                assert "spf=" in answer.reply and "temperror" not in answer.reply, answer.reply

    send(0, flood.messages)
    before = gate.sixgate.resident_kib
    send(flood.messages, 2 * flood.messages)
    grown = gate.sixgate.resident_kib - before
    assert len(gate.dns.questions()) > 2 * flood.messages
    assert grown < flood.mebioctets * 1024, f"{grown} KiB more"


def test_slow_names_of_one_sender_do_not_keep_others_waiting(gate: Gate) -> None:
    """Slow loris of questions: 40 connections that wait for 10 silent names each, and one good client."""
    zone = gate.dns.zone
    for number in range(40):
        client = f"2001:db8:666::{number + 1:x}"
        zone.add_ptr(client, *(f"h{i}.slow{number}.test" for i in range(10)))
        gate.dns.fail(silent, *(f"h{i}.slow{number}.test" for i in range(10)))
    gate.start(dns="timeout_ms = 2000", deadline_ms=5000)
    codes: list[int] = []

    def attack(number: int) -> None:
        codes.append(gate.send(client=f"2001:db8:666::{number + 1:x}", mail_from="<>").code)

    attackers = [threading.Thread(target=attack, args=(number,)) for number in range(40)]
    for attacker in attackers:
        attacker.start()
    time.sleep(0.5)
    outcome = gate.send(signed=True)
    for attacker in attackers:
        attacker.join()
    assert outcome.code == 250, outcome.answer.reply
    assert outcome.seconds < 1.5, outcome.seconds
    assert set(codes) == {550}  # whatever the names lead to, HELO is none of them: nothing authenticates
