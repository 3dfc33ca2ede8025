"""Two gates that get the same mail, one of which has trouble with its store: what can be told from outside is the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .gate import CLIENT, DOMAIN, Gate
from .journal import Journal

LATER = 0.05  # seconds that a message may take longer than without trouble
PATIENT = "timeout_ms = 10000"  # a busy machine is no trouble with DNS
STRANGER = "2001:db8:bad::1"  # has no PTR record: refused


@dataclass
class Compared:
    """Two gates that get the same mail, of which one has trouble with its store."""

    sound: Gate
    troubled: Gate
    journal: Journal
    sent: list[str] = field(default_factory=list)
    sound_seconds: list[float] = field(default_factory=list)
    troubled_seconds: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.sound.start(dns=PATIENT, deadline_ms=20_000)
        self.start_troubled()

    def start_troubled(self) -> None:
        policy = f'mode = "enforce"\n[store]\n{self.journal.settings}addresses = "full"'
        self.troubled.start(policy, dns=PATIENT, deadline_ms=20_000)

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            sender = f"sender-{len(self.sent)}"
            self.sent.append(sender)
            client = STRANGER if len(self.sent) % 2 else CLIENT
            sound, troubled = (
                gate.send(client=client, mail_from=f"<{sender}@{DOMAIN}>") for gate in (self.sound, self.troubled)
            )
            assert (troubled.codes, troubled.results) == (sound.codes, sound.results)
            assert sound.codes == ("550 5.7.25" if client == STRANGER else "250")
            self.sound_seconds.append(sound.seconds)
            self.troubled_seconds.append(troubled.seconds)

    def lines(self, event: str) -> list[str]:
        return [line for line in self.troubled.sixgate.log().splitlines() if f"event={event} " in line]

    def await_line(self, event: str, while_waiting: Callable[[], object] = lambda: None, seconds: float = 15) -> str:
        deadline = time.monotonic() + seconds
        while not (lines := self.lines(event)):
            assert time.monotonic() < deadline, f"no {event}\n{self.troubled.sixgate.log()}"
            while_waiting()
            time.sleep(0.05)
        return lines[0]

    def assert_nothing_was_noticed(self) -> None:
        slowest = max(self.sound_seconds)
        late = [seconds for seconds in self.troubled_seconds if seconds > slowest + LATER]
        assert not late, f"{late} s, where without trouble none took more than {slowest} s"

    def assert_mended(self, earlier: int = 0) -> None:
        """Told once, over, and every message since the number `earlier` is there."""
        line = self.await_line("journal_recovered", self.send)
        assert " dropped=0" in line
        assert self.troubled.sixgate.stop_soon() == 0
        assert self.journal.senders() == self.sent[earlier:]
        assert len(self.lines("journal_failed")) == len(self.lines("journal_recovered")) == 1
        assert not self.lines("journal_lost")
        self.assert_nothing_was_noticed()

    def await_entries(self, count: int) -> None:
        deadline = time.monotonic() + 5
        while len(self.journal.senders()) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)
