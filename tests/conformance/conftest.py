"""sixgate alone, without an MTA: the tests speak the milter protocol to it and are its name server.

The program is SIXGATE, or build/dev/sixgate. One runs for each file of tests, observing, so that every message
gets an Authentication-Results field; its name server changes by a reload, and with it goes what was cached.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.bench import Bench  # noqa: E402
from lab.site import program_from_environment  # noqa: E402


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(program_from_environment("dev"), tmp_path_factory.mktemp("bench")) as running:
        yield running
