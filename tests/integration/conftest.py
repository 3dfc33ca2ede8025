"""One site for all tests of a worker; each test starts sixgate with a configuration of its own.

The program is SIXGATE, or build/dev/sixgate. Needs root, as Postfix does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from receiver import Receiver  # noqa: E402

from lab import cast  # noqa: E402
from lab.senders import SendingPostfix, SendingSendmail  # noqa: E402
from lab.sendmail import Sendmail  # noqa: E402
from lab.site import REPOSITORY, SENDMAIL_PORT, SMTP_PORT, Site, program_from_environment  # noqa: E402
from lab.sixgate import Sixgate  # noqa: E402
from lab.unpacked import Unpacked, unpack  # noqa: E402

Start = Callable[..., Sixgate]


@pytest.fixture(scope="session")
def unpacked() -> Unpacked:
    """Sendmail and other filters: fetched before the private network is entered."""
    return unpack(REPOSITORY / "build" / "lab" / "debian")


@pytest.fixture(scope="session")
def the_site(unpacked: Unpacked) -> Iterator[Site]:
    with Site(program_from_environment("dev")) as site:
        yield site


@pytest.fixture(scope="session")
def the_sendmail(the_site: Site, unpacked: Unpacked) -> Iterator[Sendmail]:
    sendmail = the_site.sendmail(unpacked)
    sendmail.start()
    yield sendmail
    sendmail.stop()


@pytest.fixture(scope="session")
def sending_postfix(the_site: Site) -> Iterator[SendingPostfix]:
    sender = SendingPostfix(the_site.network, the_site.folder / "sending-postfix", cast.NO_PTR, cast.IPV4)
    sender.start()
    yield sender
    sender.stop()


@pytest.fixture(scope="session")
def sending_sendmail(the_site: Site, unpacked: Unpacked) -> SendingSendmail:
    folder = the_site.folder / "sending-sendmail"
    sender = SendingSendmail(the_site.network, folder, unpacked, cast.NO_PTR, cast.IPV4)
    sender.prepare()
    return sender


@pytest.fixture(params=["postfix", "sendmail"])
def mta(request: pytest.FixtureRequest, site: Site) -> Receiver:
    """Each of the two MTAs, before the same sixgate."""
    if request.param == "postfix":
        return Receiver(site, site.postfix, SMTP_PORT)
    return Receiver(site, request.getfixturevalue("the_sendmail"), SENDMAIL_PORT)


@pytest.fixture
def site(the_site: Site) -> Iterator[Site]:
    """The site with a name server in health, no questions counted and no sixgate running."""
    the_site.dns.forget()
    yield the_site
    the_site.dns.recover()
    if not the_site.dns.is_running:
        the_site.dns.start()


@pytest.fixture
def start(site: Site) -> Start:
    """start("[policy]\\nmode = ..."): sixgate runs with this configuration until the test ends."""

    def start_with(text: str = "", **tables: str) -> Sixgate:
        site.sixgate.start(site.configuration(text, **tables))
        return site.sixgate

    yield start_with
    if site.sixgate.has_been_started:
        assert site.sixgate.stop_soon() == 0, site.sixgate.log()
