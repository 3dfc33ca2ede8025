"""One site for all tests of a run; each test starts sixgate with a configuration of its own.

The program is SIXGATE, or build/dev/sixgate. Needs root, as Postfix does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.site import Site, program_from_environment  # noqa: E402
from lab.sixgate import Sixgate  # noqa: E402

Start = Callable[..., Sixgate]


@pytest.fixture(scope="session")
def the_site() -> Iterator[Site]:
    with Site(program_from_environment("dev")) as site:
        yield site


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
