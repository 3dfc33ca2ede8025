"""The published SPF test suites, over IPv6, from MAIL to Authentication-Results.

spf_suites.py tells how cases with an IPv4 client become cases with an IPv6 client. tests/verify/ runs the suite
of RFC 7208 as it is, IPv4 included, and its explanations.
"""

from __future__ import annotations

from concurrent.futures import Future

import pytest
import spf_suites
from lab.bench import Bench, Delivery, Findings

# A rewritten case would ask another question, because IPv4 is what the original is about.
LEFT_OUT = {
    "a-dual-cidr-ip4-default": "a//64 leaves IPv4 its /32; over IPv6 that is a-dual-cidr-ip6-default",
    "a-cidr6-0-ip4": "//0 is for no IPv4 client; over IPv6 that is a-cidr6-0-ip6",
    "mx-cidr6-0-ip4": "as a-cidr6-0-ip4",
    "cidr6-0-ip4": "ip6: matches no IPv4 client; over IPv6 that is cidr6-0",
    "cidr6-33-ip4": "as cidr6-0-ip4",
    # Clients at ::ffff:0:0/96 are IPv4 clients, which sixgate does not judge.
    "a-cidr6-0-ip4mapped": "an IPv4 client",
    "a-colon-domain-ip4mapped": "an IPv4 client",
    "mx-cidr6-0-ip4mapped": "an IPv4 client",
    "mx-colon-domain-ip4mapped": "an IPv4 client",
    "ip4-mapped-ip6": "an IPv4 client",
    "cidr6-ip4": "an IPv4 client",
    "dorky-sentinel": "a space in a local part without quotes: MTAs repair or refuse it, and it is no address here",
}

# Cases of the older suites whose answer RFC 7208 does not allow, with what it asks for instead.
_ONE_LABEL = "section 4.3: the domain of a sender has more than one label, or the result is none"
CONTRADICTING: dict[str, tuple[str, str]] = {
    "pyspf:default-modifier": ("neutral", "section 6: default= is a modifier like any unknown one, and is ignored"),
    "pyspf:default-modifier-harsh": ("neutral", "as above; and RFC 7208 has no result called ambiguous"),
    "blitirispf:resolution-with-10-lookups": ("permerror", "section 12: domain-end has a dot, and `include:d11` none"),
    "blitirispf:mx-resolution-10-terms": ("none", _ONE_LABEL),
    "blitirispf:mx-resolution-11-terms": ("none", _ONE_LABEL),
    "blitirispf:one-mx-not-found": ("none", _ONE_LABEL),
    "blitirispf:all-mx-not-found": ("none", _ONE_LABEL),
    "blitirispf:include-not-found": ("none", _ONE_LABEL),
    "blitirispf:redirect-not-found": ("none", _ONE_LABEL),
}

SCENARIOS = [scenario for suite in spf_suites.SUITES for scenario in spf_suites.scenarios(suite)]
# What those with one label were written for is asked again with two.
SCENARIOS += [spf_suites.with_two_labels(scenario) for scenario in SCENARIOS if spf_suites.has_one_label(scenario)]
CASES = [case for scenario in SCENARIOS for case in scenario.cases if case.name not in LEFT_OUT]

@pytest.fixture(scope="module")
def findings(bench: Bench) -> dict[str, Future[Findings]]:
    """Of all cases, told to sixgate one scenario after the other; the answers come in meanwhile."""
    found = {}
    for scenario in SCENARIOS:
        bench.serve(scenario.zone | spf_suites.LOOP)
        for case in scenario.cases:
            if case.name not in LEFT_OUT:
                found[case.id] = bench.deliver(Delivery(case.mail_from, case.helo, case.client))
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(findings: dict[str, Future[Findings]], case: spf_suites.Case) -> None:
    told = findings[case.id].result(timeout=60)
    identity = "smtp.mailfrom" if case.mail_from else "smtp.helo"
    expected = (CONTRADICTING[case.id][0],) if case.id in CONTRADICTING else case.results
    assert told.result("spf", identity) in expected, told.text


def test_nothing_is_left_out_that_is_not_named() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    of_rfc7208 = [case for case in CASES if case.suite == "rfc7208"]
    assert sum(not case.is_rewritten for case in of_rfc7208) == 21
    assert sum(case.is_rewritten for case in of_rfc7208) == 170
    assert set(CONTRADICTING) <= {case.id for case in CASES}
