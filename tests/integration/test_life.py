"""Start, reload and stop of the program while a real Postfix speaks with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import Start
from outcomes import delivered, outcome_of

from lab import cast
from lab.site import SMTP_PORT, Site
from lab.sixgate import Ended

OBSERVE = '[policy]\nmode = "observe"\n'
ENFORCE = '[policy]\nmode = "enforce"\n'


def test_sigterm_ends_it_with_status_0(site: Site, start: Start) -> None:
    sixgate = start(ENFORCE)
    outcome_of(site, cast.GOOD)
    assert sixgate.stop() == 0


def test_sigterm_ends_it_while_a_client_is_connected(site: Site, start: Start) -> None:
    sixgate = start(ENFORCE)
    with site.connect(cast.GOOD) as smtp:
        smtp.ehlo(cast.GOOD.helo)
        smtp.mail(cast.GOOD.mail_from)
        assert sixgate.stop_soon() == 0


def test_it_starts_again_where_its_socket_was_left(site: Site, start: Start) -> None:
    start(ENFORCE).stop_soon()
    start(ENFORCE)
    assert delivered(outcome_of(site, cast.GOOD))


def test_it_takes_the_socket_of_one_that_was_killed(site: Site, start: Start) -> None:
    start(ENFORCE).kill()
    assert site.sixgate.socket_path.is_socket()
    start(ENFORCE)
    assert delivered(outcome_of(site, cast.GOOD))


def second_run(site: Site, socket: str, folder: Path) -> Ended:
    configuration = folder / "second.toml"
    configuration.write_text(site.configuration(ENFORCE).replace(site.sixgate.milter_address, socket))
    return site.sixgate.command("run", "--foreground", "--config", str(configuration))


def test_a_second_run_leaves_the_socket_to_the_first(site: Site, start: Start, tmp_path: Path) -> None:
    first = start(ENFORCE)
    second = second_run(site, first.milter_address, tmp_path)
    assert second.status == os.EX_UNAVAILABLE
    assert f"{first.milter_address}: another process listens there" in second.output
    assert outcome_of(site, cast.NO_PTR).codes == "550 5.7.25"


@pytest.mark.parametrize(
    ("socket", "why"),
    [
        ("unix:{folder}/none/socket", "its directory does not exist"),
        ("unix:{folder}/second.toml", "this is a file, and no socket"),
        (f"inet:{SMTP_PORT}@127.0.0.1", "Address already in use"),
        ("inet6:8466@[2001:db8:ffff::1]", "Cannot assign requested address"),
    ],
)
def test_it_says_why_it_cannot_listen(site: Site, tmp_path: Path, socket: str, why: str) -> None:
    socket = socket.format(folder=tmp_path)
    run = second_run(site, socket, tmp_path)
    assert run.status == os.EX_UNAVAILABLE
    assert f"cannot listen on {socket}: {why}" in run.output


def test_a_reload_applies_the_new_configuration(site: Site, start: Start) -> None:
    sixgate = start(OBSERVE)
    assert delivered(outcome_of(site, cast.NO_PTR))
    sixgate.reload(site.configuration(ENFORCE))
    assert outcome_of(site, cast.NO_PTR).codes == "550 5.7.25"
    sixgate.reload(site.configuration(OBSERVE))
    assert delivered(outcome_of(site, cast.NO_PTR))


def test_a_bad_file_keeps_the_old_configuration_and_says_so(site: Site, start: Start) -> None:
    sixgate = start(ENFORCE)
    for bad in ('[policy]\nmode = "enforced"\n', "[policy\n", '[policy]\nmod = "observe"\n'):
        told = len(sixgate.log())
        sixgate.reload(site.configuration(bad))
        assert "sixgate.toml" in sixgate.log()[told:]
        assert outcome_of(site, cast.NO_PTR).codes == "550 5.7.25"


def test_a_message_is_judged_by_the_configuration_at_its_mail(site: Site, start: Start) -> None:
    """Postfix holds events that need no reply back; the answer to RCPT, which `closed` gives, fetches them."""
    sixgate = start('[policy]\nmode = "closed"\n')
    postmaster = f"postmaster@{cast.HOST}"
    first, second = site.message(cast.NEITHER), site.message(cast.NEITHER)
    with site.connect(cast.NEITHER) as smtp:
        smtp.ehlo(cast.NEITHER.helo)
        smtp.mail(cast.NEITHER.mail_from)
        assert smtp.rcpt(postmaster).code == 250
        sixgate.reload(site.configuration(ENFORCE + "[exempt]\nrecipients = []\n"))
        assert smtp.data(first.content).code == 250
        assert smtp.send(cast.NEITHER.mail_from, postmaster, second.content).codes == "550 5.7.26"
        smtp.quit()
    assert site.postfix.delivered(first.message_id)


def test_a_reload_amid_a_message_leaves_it_whole(site: Site, start: Start) -> None:
    sixgate = start(OBSERVE)
    with site.connect(cast.NO_PTR) as smtp:
        smtp.ehlo(cast.NO_PTR.helo)
        smtp.mail(cast.NO_PTR.mail_from)
        sixgate.reload(site.configuration(ENFORCE))
        smtp.rcpt(cast.RECIPIENT)
        assert smtp.data(site.message(cast.NO_PTR).content).codes in ("250 2.0.0", "550 5.7.25")
        later = site.message(cast.NO_PTR)
        assert smtp.send(cast.NO_PTR.mail_from, cast.RECIPIENT, later.content).codes == "550 5.7.25"
        smtp.quit()


def test_a_judged_message_is_one_line_in_the_log(site: Site, start: Start) -> None:
    sixgate = start(ENFORCE)
    outcome_of(site, cast.GOOD)
    outcome_of(site, cast.NEITHER)
    outcome_of(site, cast.IPV4)
    sixgate.stop_soon()
    entries = sixgate.entries()
    assert [entry["client"] for entry in entries] == [cast.GOOD.address, cast.NEITHER.address]
    assert entries[0]["iprev"] == "pass"
    assert entries[0]["spf"] == "pass"
    assert entries[1]["reason"] == "unauthenticated"
    assert entries[1]["helo"] == cast.NEITHER.helo
    assert entries[1]["mail_from_domain"] == cast.NEITHER.domain
    assert entries[0]["case"] != entries[1]["case"]
