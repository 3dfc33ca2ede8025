"""Each test has a program, name servers and a zone of its own. No root is needed.

The program is SIXGATE, or build/dev/sixgate.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.gate import Gate  # noqa: E402
from lab.site import program_from_environment  # noqa: E402


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Not started: a test names its settings, and may change the zone before."""
    with Gate(program_from_environment("dev")) as gate_:
        yield gate_
