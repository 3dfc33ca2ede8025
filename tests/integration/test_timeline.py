"""Where the time of a message goes, as explain and the debug log tell it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from conftest import Start
from outcomes import outcome_of

from lab import cast
from lab.site import Site

_SPAN = re.compile(r"(?:^|; )([^;]+?) ([0-9.]+)-([0-9.]+)(?=;|$)")


def test_the_log_tells_the_timeline_where_it_is_to_debug(site: Site, start: Start) -> None:
    start()
    outcome_of(site, cast.GOOD)
    assert "event=timeline" not in site.sixgate.log()
    assert site.sixgate.stop_soon() == 0

    site.dns.forget()
    configuration = site.configuration().replace("[milter]\n", '[milter]\nlog_level = "debug"\n', 1)
    site.sixgate.start(configuration)
    outcome_of(site, cast.GOOD)
    (line,) = [line for line in site.sixgate.entries() if line.get("event") == "timeline"]
    spans = {what: (float(begin), float(end)) for what, begin, end in _SPAN.findall(line["timeline_ms"])}
    reverse = next(what for what in spans if what.startswith("PTR "))
    forward = next(what for what in spans if what.startswith("AAAA "))
    assert spans[reverse][1] <= spans[forward][0] + 0.1  # rounded
    events = ["connect", "HELO", "MAIL", "end of header", "end of message", "verdict"]
    times = [float(re.search(rf"(?:^|; ){event} ([0-9.]+)(?:;|$)", line["timeline_ms"])[1]) for event in events]
    assert times == sorted(times)
    assert max(end for _, end in spans.values()) <= times[-1] + 0.1


def test_explain_tells_the_timeline(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "sixgate.toml"
    file.write_text(site.configuration())
    case = ["--client", cast.GOOD.address, "--helo", cast.GOOD.helo, "--mail-from", cast.GOOD.mail_from]
    command = ["explain", "--config", str(file), *case]
    assert re.search(r"\nTimeline \(milliseconds\)\n +0\.0 +connect\n", site.sixgate.command(*command).output)
    rows = json.loads(site.sixgate.command(*command, "--json").output)["timeline"]
    assert rows[0] == {"event": "connect", "begin_ms": 0.0}
    asked = [row for row in rows if "end_ms" in row]
    assert {row["question"].split()[0] for row in asked} >= {"PTR", "AAAA", "TXT"}
    assert all(row["begin_ms"] <= row["end_ms"] for row in asked)
