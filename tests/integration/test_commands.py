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


def test_explain_shows_the_stage_and_what_each_would_answer(site: Site, observing: Path) -> None:
    explained = explain(site, observing, "--all-stages")
    assert "\nStages\n    default: applies\n\n" in explained.output
    table = explained.output.partition("\nWhat each stage would answer\n")[2].partition("\n\n")[0]
    assert [line.split() for line in table.splitlines()] == [
        ["stage", "selects", "mode", "verdict", "reply", "reason"],
        ["default", "yes", "observe", "accept", "-", "reverse_name_missing"],
    ]

    told = json.loads(explain(site, observing, "--all-stages", "--json").output)
    assert [choice["stage"] for choice in told["stages"]] == ["default"]
    (answer,) = told["all_stages"]
    assert (answer["stage"], answer["verdict"]["would_enforce"], answer["reply"]) == ("default", "reject", None)
    assert "all_stages" not in json.loads(explain(site, observing, "--json").output)


def test_explain_checks_what_a_closed_stage_does_not(site: Site, observing: Path) -> None:
    recipients = ["--rcpt", "<alice@example.org>", "--rcpt", "<postmaster@example.org>"]
    told = json.loads(explain(site, observing, "--mode", "closed", "--all-stages", "--json", *recipients[:2]).output)
    assert told["evidence"]["iprev"] is None
    assert told["all_stages"][0]["reply"] == {"code": 451, "enhanced_status": "4.7.1"}
    told = json.loads(explain(site, observing, "--mode", "closed", "--all-stages", "--json", *recipients).output)
    assert list(told["refused_recipients"]) == ["<alice@example.org>"]
    assert told["verdict"]["exemption"] == "recipients"
    assert told["all_stages"][0]["verdict"]["reason"] == "closed"


def test_explain_is_told_the_listener_and_the_time(site: Site, observing: Path) -> None:
    arguments = ["--listener", "[2001:db8::25]:587", "--listener", "mx6", "--at", "2026-11-22T09:00:00+01:00"]
    evidence = json.loads(explain(site, observing, "--json", *arguments).output)["evidence"]
    assert evidence["listener"] == {"name": "mx6", "address": "2001:db8::25", "port": "587"}
    assert evidence["time"] == "2026-11-22T08:00:00Z"
    shown = explain(site, observing, *arguments).output
    assert "\n    time 2026-11-22T08:00:00Z\n    listener mx6 [2001:db8::25]:587\n" in shown
    for wrong, said in (["--at", "2026-11-22"], "with its offset"), (["--listener", "[mx]:25"], "[address]:port"):
        refused = explain(site, observing, *wrong)
        assert refused.status == os.EX_USAGE and said in refused.output, refused


def test_explain_refuses_a_mode_that_there_is_not(site: Site, observing: Path) -> None:
    explained = explain(site, observing, "--mode", "enforced")
    assert explained.status == os.EX_USAGE
    assert "enforced is not off, observe, tag, soft, enforce or closed" in explained.output
