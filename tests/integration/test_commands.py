"""The commands that an administrator gives beside the one that runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lab import cast
from lab.site import Site
from lab.sixgate import Ended


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


def explain(site: Site, configuration: Path, *arguments: str) -> Ended:
    case = ["--client", cast.NO_PTR.address, "--helo", cast.NO_PTR.helo, "--mail-from", cast.NO_PTR.mail_from]
    return site.sixgate.command("explain", "--config", str(configuration), *case, *arguments)


def test_explain_judges_in_the_mode_of_the_configuration(site: Site, observing: Path) -> None:
    explained = explain(site, observing)
    assert explained.status == os.EX_OK, explained.output
    assert "mode observe" in explained.output
    assert "\nReply\n250 " in explained.output


def test_explain_shows_the_reply_of_another_mode(site: Site, observing: Path) -> None:
    explained = explain(site, observing, "--mode", "enforce")
    assert explained.status == os.EX_UNAVAILABLE, explained.output
    assert "mode enforce" in explained.output
    assert f"\nReply\n550-5.7.25 [{cast.NO_PTR.address}] has no reverse DNS" in explained.output

    explained = explain(site, observing, "--mode", "soft", "--json")
    assert explained.status == os.EX_TEMPFAIL, explained.output
    told = json.loads(explained.output)
    assert told["verdict"]["mode"] == "soft"
    assert (told["reply"]["code"], told["reply"]["enhanced_status"]) == (450, "4.7.25")


def test_explain_refuses_a_mode_that_there_is_not(site: Site, observing: Path) -> None:
    explained = explain(site, observing, "--mode", "enforced")
    assert explained.status == os.EX_USAGE
    assert "enforced is not off, observe, tag, soft, enforce or closed" in explained.output
