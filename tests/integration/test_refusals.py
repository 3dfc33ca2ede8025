"""Who is refused, with which codes, and what the reply tells."""

from __future__ import annotations

import pytest
from conftest import Start
from outcomes import case_id_in, delivered, methods, ours, outcome_of, results_in

from lab import cast
from lab.cast import Client
from lab.site import Site

ENFORCE = '[policy]\nmode = "enforce"\n'
SOFT = '[policy]\nmode = "soft"\n'

REFUSED = {
    "rfc7372": {
        "soft": {
            cast.NO_PTR: "450 4.7.25",
            cast.FORGED_PTR: "450 4.7.25",
            cast.PTR_SERVFAIL: "451 4.4.3",
            cast.NEITHER: "450 4.7.26",
            cast.BROKEN_SIGNATURE: "450 4.7.26",
        },
        "enforce": {
            cast.NO_PTR: "550 5.7.25",
            cast.FORGED_PTR: "550 5.7.25",
            cast.PTR_SERVFAIL: "451 4.4.3",
            cast.NEITHER: "550 5.7.26",
            cast.BROKEN_SIGNATURE: "550 5.7.26",
        },
    },
    "gmail": {
        "soft": {cast.NO_PTR: "450 4.7.25", cast.NEITHER: "450 4.7.26"},
        "enforce": {
            cast.NO_PTR: "550 5.7.25",
            cast.FORGED_PTR: "550 5.7.25",
            cast.NEITHER: "550 5.7.26",
        },
    },
    "eop": {
        "soft": {cast.NO_PTR: "450 4.7.25", cast.NEITHER: "450 4.7.26"},
        "enforce": {
            cast.NO_PTR: "550 5.7.25",
            cast.PTR_SERVFAIL: "451 4.4.3",
            cast.NEITHER: "554 5.7.26",
            cast.BROKEN_SIGNATURE: "554 5.7.26",
        },
    },
    "terse": {
        "enforce": {cast.NO_PTR: "550 5.7.25", cast.NEITHER: "550 5.7.26"},
    },
}
POLICIES = [(profile, mode) for profile, modes in REFUSED.items() for mode in modes]


@pytest.mark.parametrize(("profile", "mode"), POLICIES)
def test_who_falls_short_is_refused_with_the_code_of_the_profile(
    site: Site, start: Start, profile: str, mode: str
) -> None:
    start(f'[policy]\nprofile = "{profile}"\nmode = "{mode}"\n')
    expected = REFUSED[profile][mode]
    got = {client: outcome_of(site, client).codes for client in expected}
    assert {client.name: codes for client, codes in got.items()} == {
        client.name: codes for client, codes in expected.items()
    }


@pytest.mark.parametrize("client", [cast.GOOD, cast.SPF_ONLY, cast.DKIM_ONLY], ids=lambda client: client.name)
def test_who_meets_the_policy_is_delivered(site: Site, start: Start, client: Client) -> None:
    start(ENFORCE)
    assert delivered(outcome_of(site, client))


def test_eop_asks_only_that_a_reverse_name_is_there(site: Site, start: Start) -> None:
    start('[policy]\nprofile = "eop"\nmode = "enforce"\n')
    assert delivered(outcome_of(site, cast.FORGED_PTR))


def test_a_good_message_carries_what_was_found(site: Site, start: Start) -> None:
    start(ENFORCE)
    fields = ours(delivered(outcome_of(site, cast.GOOD)))
    assert len(fields) == 1
    assert methods(fields[0]) == {"iprev": "pass", "spf": "pass", "dkim": "pass"}


def test_the_first_line_tells_address_and_case(site: Site, start: Start) -> None:
    sixgate = start(ENFORCE)
    reply = outcome_of(site, cast.NO_PTR).reply
    assert len(reply.lines) > 1
    assert reply.lines[0].startswith("550-5.7.25 ")
    assert cast.NO_PTR.address in reply.lines[0]
    entry = sixgate.entry(case_id_in(reply.lines[0]))
    assert entry["client"] == cast.NO_PTR.address
    assert entry["reason"] == "reverse_name_missing"
    assert "550" in entry["reply"]


def test_every_line_has_the_code_and_fits(site: Site, start: Start) -> None:
    start(ENFORCE)
    for client in (cast.NO_PTR, cast.FORGED_PTR, cast.BROKEN_SIGNATURE):
        lines = outcome_of(site, client).reply.lines
        assert len(lines) <= 32
        assert sum(len(line) + 2 for line in lines) <= 2000
        assert all(line.startswith("550-5.7.2") for line in lines[:-1])
        assert lines[-1].startswith("550 5.7.2")
        assert all(line.isascii() and line.isprintable() for line in lines)


def test_a_refusal_holds_authentication_results(site: Site, start: Start) -> None:
    start(ENFORCE)
    results = results_in(outcome_of(site, cast.NO_PTR).reply)
    assert results.authserv_id == "rx.example.test"
    assert methods(results) == {"iprev": "permerror", "spf": "pass", "dkim": "pass"}

    results = results_in(outcome_of(site, cast.BROKEN_SIGNATURE).reply)
    assert methods(results)["iprev"] == "pass"
    assert methods(results)["dkim"] == "fail"


def test_a_forged_name_is_told_to_the_sender(site: Site, start: Start) -> None:
    start(ENFORCE)
    reply = str(outcome_of(site, cast.FORGED_PTR).reply)
    assert "mail.innocent.test" in reply


def test_the_help_address_follows_the_first_line(site: Site, start: Start) -> None:
    start(ENFORCE + 'help_url = "https://mail.example.org/ipv6"\n')
    lines = outcome_of(site, cast.NO_PTR).reply.lines
    assert any("https://mail.example.org/ipv6" in line for line in lines[1:])


def test_terse_is_one_line(site: Site, start: Start) -> None:
    start('[policy]\nprofile = "terse"\nmode = "enforce"\n')
    for client in (cast.NO_PTR, cast.NEITHER):
        assert len(outcome_of(site, client).reply.lines) == 1


def test_codes_and_text_are_the_operators_to_set(site: Site, start: Start) -> None:
    start(
        ENFORCE
        + """
        [reply.rfc7372.reverse_name_missing]
        enforce = "554 5.7.25"
        text = ["No name for [{client}], case {case}", "Ask Bob"]
        """
    )
    reply = outcome_of(site, cast.NO_PTR).reply
    assert reply.lines[0].startswith(f"554-5.7.25 No name for [{cast.NO_PTR.address}], case ")
    assert "Ask Bob" in str(reply)


def test_every_message_of_a_connection_is_judged_by_itself(site: Site, start: Start) -> None:
    start(ENFORCE)
    unsigned, signed = site.message(cast.NEITHER), site.message(cast.DKIM_ONLY)
    replies = []
    with site.connect(cast.NEITHER) as smtp:
        smtp.ehlo(cast.NEITHER.helo)
        for message in (unsigned, signed, unsigned):
            replies.append(smtp.send(cast.NEITHER.mail_from, cast.RECIPIENT, message.content).codes)
        smtp.mail(cast.NEITHER.mail_from)
        smtp.command("RSET")
        replies.append(smtp.send(cast.NEITHER.mail_from, cast.RECIPIENT, signed.content).codes)
        smtp.quit()
    assert replies == ["550 5.7.26", "250 2.0.0", "550 5.7.26", "250 2.0.0"]


def test_a_bounce_is_authenticated_by_its_helo_name(site: Site, start: Start) -> None:
    start(ENFORCE)
    assert delivered(outcome_of(site, cast.NEITHER, mail_from=""))


def test_strict_asks_more_of_a_bounce(site: Site, start: Start) -> None:
    start(ENFORCE + 'null_reverse_path = "strict"\n')
    assert outcome_of(site, cast.NEITHER, mail_from="").codes == "550 5.7.26"


def test_closed_answers_at_rcpt(site: Site, start: Start) -> None:
    start('[policy]\nmode = "closed"\n')
    with site.connect(cast.GOOD) as smtp:
        smtp.ehlo(cast.GOOD.helo)
        assert smtp.mail(cast.GOOD.mail_from).code == 250
        refused = smtp.rcpt(cast.RECIPIENT)
        assert refused.codes == "451 4.7.1"
        assert cast.GOOD.address in refused.lines[0]
        assert smtp.rcpt(f"postmaster@{cast.HOST}").code == 250
        message = site.message(cast.GOOD)
        assert smtp.data(message.content).code == 250
        smtp.quit()
    assert site.postfix.delivered(message.message_id)
