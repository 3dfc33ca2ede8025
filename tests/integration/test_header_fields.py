"""Authentication-Results and Sixgate-Policy: which are removed, which stay, which are written."""

from __future__ import annotations

import pytest
from conftest import Start
from outcomes import delivered, methods, ours, outcome_of

from lab import cast
from lab.cast import Client
from lab.site import AUTHSERV_ID, Site

ENFORCE = '[policy]\nmode = "enforce"\n'
FORGED = [
    ("Authentication-Results", f"{AUTHSERV_ID}; spf=pass smtp.mailfrom=bank.test"),
    ("Authentication-Results", f"{AUTHSERV_ID.upper()} 1; dkim=pass header.d=bank.test"),
    ("Authentication-Results", f'(a comment) "{AUTHSERV_ID}"; dmarc=pass header.from=bank.test'),
]
FOREIGN = ("Authentication-Results", "mx.elsewhere.test; spf=fail smtp.mailfrom=bank.test")


@pytest.mark.parametrize("client", [cast.GOOD, cast.IPV4], ids=lambda client: client.name)
def test_fields_that_claim_our_id_are_removed_and_others_stay(site: Site, start: Start, client: Client) -> None:
    start(ENFORCE)
    message = site.message(client, fields=[FORGED[0], FORGED[1], FOREIGN, FORGED[2]])
    values = delivered(outcome_of(site, client, message)).get_all("Authentication-Results", [])
    assert not [value for value in values if "bank.test" in value and "elsewhere" not in value]
    assert [value for value in values if value.startswith("mx.elsewhere.test")] == [FOREIGN[1]]


def test_ours_stands_on_top(site: Site, start: Start) -> None:
    start(ENFORCE)
    message = delivered(outcome_of(site, cast.GOOD, site.message(cast.GOOD, fields=[FOREIGN])))
    assert str(message.get_all("Authentication-Results")[0]).startswith(AUTHSERV_ID)
    names = [name for name in message.keys() if name not in ("Return-Path", "X-Original-To", "Delivered-To")]
    assert names.index("Authentication-Results") < names.index("Received")


def test_an_ipv6_address_is_quoted(site: Site, start: Start) -> None:
    start(ENFORCE)
    value = str(delivered(outcome_of(site, cast.GOOD))["Authentication-Results"])
    assert f'policy.iprev="{cast.GOOD.address}"' in value


def test_every_result_is_reported(site: Site, start: Start) -> None:
    start('[policy]\nmode = "observe"\n')
    found = {}
    for client in (cast.NO_PTR, cast.FORGED_PTR, cast.PTR_SERVFAIL, cast.BROKEN_SIGNATURE, cast.NEITHER):
        found[client.name] = methods(ours(delivered(outcome_of(site, client)))[0])
    assert found["no-ptr"]["iprev"] == "permerror"
    assert found["forged-ptr"]["iprev"] == "fail"
    assert found["ptr-servfail"]["iprev"] == "temperror"
    assert found["broken-signature"]["dkim"] == "fail"
    assert found["neither"]["spf"] == "none"
    assert found["neither"]["dkim"] == "none"


def test_tag_says_what_would_have_been_answered(site: Site, start: Start) -> None:
    start('[policy]\nmode = "tag"\n')
    forged = ("Sixgate-Policy", "pass; everything is fine")
    message = site.message(cast.NO_PTR, fields=[forged])
    values = delivered(outcome_of(site, cast.NO_PTR, message)).get_all("Sixgate-Policy", [])
    assert len(values) == 1
    assert "everything is fine" not in values[0]
    assert "reverse_name_missing" in values[0]


def test_observe_writes_no_policy_field(site: Site, start: Start) -> None:
    start('[policy]\nmode = "observe"\n')
    assert delivered(outcome_of(site, cast.NO_PTR))["Sixgate-Policy"] is None


def test_off_checks_nothing(site: Site, start: Start) -> None:
    start('[policy]\nmode = "off"\n')
    site.dns.forget()
    message = site.message(cast.NO_PTR, fields=FORGED)
    assert not ours(delivered(outcome_of(site, cast.NO_PTR, message)))
    assert site.dns.questions() == []
