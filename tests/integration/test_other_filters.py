"""Filters of others beside sixgate in one Postfix: opendmarc lives on our field, opendkim keeps its own."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from authres import AuthenticationResultsHeader
from conftest import Start

from lab import cast, filters, messages
from lab.cast import Client
from lab.filters import Filter
from lab.messages import Message
from lab.site import AUTHSERV_ID, OPENDKIM_FIRST_PORT, OPENDKIM_LAST_PORT, OPENDMARC_PORT, Site
from lab.unpacked import Unpacked

OBSERVE = '[policy]\nmode = "observe"\n'
OPENDKIM_ID = "opendkim.example.test"
OPENDMARC_ID = "opendmarc.example.test"


@pytest.fixture(scope="module")
def opendkim(the_site: Site, unpacked: Unpacked) -> Iterator[Filter]:
    running = filters.opendkim(the_site.network, the_site.filters_folder, unpacked, OPENDKIM_ID)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def opendmarc(the_site: Site, unpacked: Unpacked) -> Iterator[Filter]:
    running = filters.opendmarc(the_site.network, the_site.filters_folder, unpacked, OPENDMARC_ID, AUTHSERV_ID)
    running.start()
    yield running
    running.stop()


def through(site: Site, port: int, client: Client, message: Message, mail_from: str | None = None) -> EmailMessage:
    with site.connect(client, port) as connection:
        connection.ehlo(client.helo)
        path = client.mail_from if mail_from is None else mail_from
        assert connection.send(path, cast.RECIPIENT, message.content).code == 250
        connection.quit()
    return site.postfix.delivered(message.message_id)


def results(message: EmailMessage) -> dict[str, dict[str, str]]:
    """Method and result for each authserv-id; a second field of an id would be a fault."""
    found: dict[str, dict[str, str]] = {}
    for value in message.get_all("Authentication-Results", []):
        field = AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
        assert field.authserv_id not in found
        found[field.authserv_id] = {result.method: result.result for result in field.results}
    return found


# -- opendmarc


def dmarc(site: Site, client: Client, message: Message | None = None, mail_from: str | None = None) -> str:
    delivered = through(site, OPENDMARC_PORT, client, message or site.message(client), mail_from)
    return results(delivered)[OPENDMARC_ID]["dmarc"]


@pytest.mark.usefixtures("opendmarc")
@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (cast.GOOD, "pass"),
        (cast.NO_PTR, "pass"),
        (cast.SPF_ONLY, "pass"),
        (cast.DKIM_ONLY, "pass"),
        (cast.NEITHER, "fail"),
        (cast.BROKEN_SIGNATURE, "fail"),
        (cast.HOSTILE, "fail"),
    ],
    ids=lambda value: value.name if isinstance(value, Client) else value,
)
def test_opendmarc_judges_by_our_field(site: Site, start: Start, client: Client, expected: str) -> None:
    start(OBSERVE)
    assert dmarc(site, client) == expected


@pytest.mark.usefixtures("opendmarc")
def test_opendmarc_sees_what_is_not_aligned(site: Site, start: Start) -> None:
    start(OBSERVE)
    elsewhere = messages.compose(cast.NEITHER.mail_from, cast.RECIPIENT)
    assert dmarc(site, cast.SPF_ONLY, elsewhere) == "fail", "SPF passes for another domain"
    assert dmarc(site, cast.DKIM_ONLY, site.keys.signed(cast.DKIM_ONLY, elsewhere)) == "fail", "so does DKIM"


@pytest.mark.usefixtures("opendmarc")
@pytest.mark.parametrize("count", [1, 3])
def test_opendmarc_finds_the_good_signature_among_broken_ones(site: Site, start: Start, count: int) -> None:
    """OpenDMARC 1.4.2 reads no field of more than 1,024 octets, which some six signatures make."""
    start(OBSERVE)
    broken = "v=1; a=rsa-sha256; d=bank{0}.test; s=x; h=from; i=\"a b\"@bank{0}.test; bh=AAAA; b=AAAA"
    message = site.message(cast.DKIM_ONLY)
    above = b"".join(f"DKIM-Signature: {broken.format(number)}\r\n".encode() for number in range(count))
    assert dmarc(site, cast.DKIM_ONLY, Message(above + message.content, message.message_id)) == "pass"


@pytest.mark.usefixtures("opendmarc")
@pytest.mark.parametrize("local_part", ["user+tag", "a/b=c", '"odd one"', '"a;spf=pass smtp.mailfrom=x"', "a..b"])
def test_opendmarc_reads_odd_local_parts(site: Site, start: Start, local_part: str) -> None:
    start(OBSERVE)
    assert dmarc(site, cast.SPF_ONLY, mail_from=f"{local_part}@{cast.SPF_ONLY.domain}") == "pass"
    message = messages.compose(cast.GOOD.mail_from, cast.RECIPIENT)
    assert dmarc(site, cast.NEITHER, message, mail_from=f"{local_part}@{cast.NEITHER.domain}") == "fail"


@pytest.mark.usefixtures("opendmarc")
def test_opendmarc_is_not_fooled_by_a_forged_field(site: Site, start: Start) -> None:
    start(OBSERVE)
    client = cast.NEITHER
    forged = [
        ("Authentication-Results", f"{AUTHSERV_ID}; dkim=pass header.d={client.domain}"),
        ("Authentication-Results", f'(x) "{AUTHSERV_ID.upper()}" 1; spf=pass smtp.mailfrom=x@{client.domain}'),
    ]
    message = site.message(client, fields=forged)
    assert dmarc(site, client, message) == "fail"


# -- opendkim


@pytest.mark.usefixtures("opendkim")
@pytest.mark.parametrize("port", [OPENDKIM_FIRST_PORT, OPENDKIM_LAST_PORT], ids=["before", "after"])
@pytest.mark.parametrize(
    ("client", "dkim"),
    [(cast.GOOD, "pass"), (cast.DKIM_ONLY, "pass"), (cast.BROKEN_SIGNATURE, "fail")],
    ids=lambda value: value.name if isinstance(value, Client) else value,
)
def test_opendkim_keeps_its_field_and_we_ours(site: Site, start: Start, port: int, client: Client, dkim: str) -> None:
    start(OBSERVE)
    forged = ("Authentication-Results", f"{AUTHSERV_ID}; dkim=pass header.d=bank.test")
    found = results(through(site, port, client, site.message(client, fields=[forged])))
    assert set(found) == {OPENDKIM_ID, AUTHSERV_ID}
    assert found[OPENDKIM_ID]["dkim"] == dkim
    assert found[AUTHSERV_ID]["dkim"] == dkim
