"""A name server that fails makes a sender come back, and never a forger of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Start
from outcomes import delivered, methods, ours, outcome_of

from lab import cast
from lab.dns_tap import DnsTap, Fault
from lab.site import Site

Trouble = Callable[[DnsTap], None]
TROUBLES = {
    "servfail": lambda dns: dns.fail(Fault.SERVFAIL),
    "timeout": lambda dns: dns.fail(Fault.SILENCE),
    "dead": lambda dns: dns.stop(),
}
BRIEF = "timeout_ms = 300"


@pytest.fixture(params=list(TROUBLES))
def trouble(request: pytest.FixtureRequest) -> Trouble:
    return TROUBLES[request.param]


def test_enforce_asks_to_come_back(site: Site, start: Start, trouble: Trouble) -> None:
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    trouble(site.dns)
    for client in (cast.GOOD, cast.NO_PTR, cast.NEITHER):
        assert outcome_of(site, client).reply.code == 451


def test_accept_takes_the_mail(site: Site, start: Start, trouble: Trouble) -> None:
    start('[policy]\nmode = "enforce"\non_temperror = "accept"\n', dns=BRIEF)
    trouble(site.dns)
    fields = ours(delivered(outcome_of(site, cast.GOOD)))
    assert methods(fields[0])["iprev"] == "temperror"


@pytest.mark.parametrize("mode", ["observe", "tag"])
def test_observe_and_tag_refuse_nothing(site: Site, start: Start, trouble: Trouble, mode: str) -> None:
    start(f'[policy]\nmode = "{mode}"\n', dns=BRIEF)
    trouble(site.dns)
    for client in (cast.GOOD, cast.NO_PTR):
        assert delivered(outcome_of(site, client))


@pytest.mark.parametrize("mode", ["observe", "tag"])
def test_observe_and_tag_refuse_nobody(site: Site, start: Start, mode: str) -> None:
    start(f'[policy]\nmode = "{mode}"\n')
    for client in cast.CAST:
        assert delivered(outcome_of(site, client))


def test_an_spf_record_that_cannot_be_had_has_its_own_code(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    site.dns.fail(Fault.SERVFAIL, cast.SPF_ONLY.domain)
    assert outcome_of(site, cast.SPF_ONLY).codes == "451 4.7.24"


def test_a_signature_that_passes_needs_no_spf(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    site.dns.fail(Fault.SERVFAIL, cast.GOOD.domain)
    assert delivered(outcome_of(site, cast.GOOD))


def test_a_key_that_cannot_be_had_is_not_a_broken_signature(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    site.dns.fail(Fault.SERVFAIL, f"{site.keys.SELECTOR}._domainkey.{cast.DKIM_ONLY.domain}")
    assert outcome_of(site, cast.DKIM_ONLY).reply.code == 451


def test_the_forward_name_that_cannot_be_had_may_have_been_right(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    site.dns.fail(Fault.SERVFAIL, cast.GOOD.helo)
    assert outcome_of(site, cast.GOOD).codes == "451 4.4.3"


def test_no_ptr_outweighs_an_spf_that_cannot_be_had(site: Site, start: Start) -> None:
    """A 5xx that stands whatever the missing answer would be may be given at once, or later; never a 250."""
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    site.dns.fail(Fault.SERVFAIL, cast.NO_PTR.domain)
    assert not outcome_of(site, cast.NO_PTR).reply.is_positive


def test_when_dns_comes_back_so_does_the_mail(site: Site, start: Start) -> None:
    start('[policy]\nmode = "enforce"\n', dns=BRIEF)
    site.dns.fail(Fault.SERVFAIL)
    assert outcome_of(site, cast.GOOD).reply.code == 451
    site.dns.recover()
    assert delivered(outcome_of(site, cast.DKIM_ONLY))
