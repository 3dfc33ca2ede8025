"""Fixtures that several folders of tests share; a conftest.py takes those that it names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .gate import Gate
from .site import program_from_environment


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Not started: a test names its settings, and may change the zone before."""
    with Gate(program_from_environment("dev")) as gate_:
        yield gate_
