"""The commands that an administrator gives beside the one that runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.site import Site


@pytest.fixture
def observing(site: Site, tmp_path: Path) -> Path:
    """A configuration file."""
    file = tmp_path / "sixgate.toml"
    file.write_text(site.configuration('[policy]\nmode = "observe"\n'))
    return file


def test_check_config_takes_the_file_as_the_others_do(site: Site, observing: Path) -> None:
    for arguments in ([str(observing)], ["--config", str(observing)]):
        checked = site.sixgate.command("check-config", *arguments)
        assert (checked.status, checked.output) == (os.EX_OK, f"{observing}: ok\n")
    observing.write_text("[policy\n")
    for arguments in ([str(observing)], ["--config", str(observing)]):
        checked = site.sixgate.command("check-config", *arguments)
        assert checked.status == os.EX_CONFIG
        assert checked.output.startswith(f"{observing}:1:")
    both = site.sixgate.command("check-config", "--config", str(observing), str(observing))
    assert both.status == os.EX_USAGE
