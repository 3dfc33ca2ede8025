"""A store that is absent, read-only, full, damaged, taken away or slow: mail does not notice, and nothing is lost.

Needs root for file systems that are read-only or full; they are mounted for this process alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import namespace
from lab.gate import CLIENT, DOMAIN, Gate
from lab.journal import senders
from lab.site import program_from_environment

LATER = 0.05  # seconds that a message may take longer than without trouble
PATIENT = "timeout_ms = 10000"  # a busy machine is no trouble with DNS
STRANGER = "2001:db8:bad::1"  # has no PTR record: refused


@dataclass
class Compared:
    """Two gates that get the same mail, of which one has trouble with its store."""

    sound: Gate
    troubled: Gate
    file: Path
    sent: list[str] = field(default_factory=list)
    sound_seconds: list[float] = field(default_factory=list)
    troubled_seconds: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.sound.start(dns=PATIENT, deadline_ms=20_000)
        self.start_troubled()

    def start_troubled(self) -> None:
        policy = f'mode = "enforce"\n[store]\nurl = "sqlite:{self.file}"\naddresses = "full"'
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
        assert senders(self.file) == self.sent[earlier:]
        assert len(self.lines("journal_failed")) == len(self.lines("journal_recovered")) == 1
        assert not self.lines("journal_lost")
        self.assert_nothing_was_noticed()

@pytest.fixture
def compared(tmp_path: Path) -> Iterator[Compared]:
    program = program_from_environment("dev")
    with Gate(program) as sound, Gate(program) as troubled:
        yield Compared(sound, troubled, tmp_path / "store" / "sixgate.db")

@pytest.fixture(scope="module")
def private_mounts() -> None:
    namespace.enter_private_mounts()


@pytest.fixture
def memory(private_mounts: None, tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    namespace.mount_memory(tmp_path, 1 << 20)
    yield tmp_path
    namespace.unmount(tmp_path)


def test_a_folder_that_is_not_there(compared: Compared) -> None:
    compared.start()
    assert str(compared.file) in compared.await_line("journal_failed")
    compared.send(40)
    compared.file.parent.mkdir()
    compared.assert_mended()

def test_what_a_stop_loses_is_told(compared: Compared) -> None:
    compared.start()
    compared.await_line("journal_failed")
    compared.send(3)
    assert compared.troubled.sixgate.stop_soon() == 0
    *_, lost, stopped = compared.troubled.sixgate.log().splitlines()
    assert lost.endswith(" event=journal_lost waiting=3 dropped=0") and stopped.endswith(" event=stopped")
    assert "journal_lost" not in compared.sound.sixgate.log()

def test_a_file_system_that_is_read_only(compared: Compared, memory: Path) -> None:
    compared.file = memory / "sixgate.db"
    compared.start()
    compared.send(5)
    await_entries(compared, 5)
    # A file system cannot be made read-only while somebody writes to it: so after a restart.
    assert compared.troubled.sixgate.stop_soon() == 0
    namespace.make_read_only(memory)
    compared.start_troubled()
    assert str(compared.file) in compared.await_line("journal_failed")
    compared.send(40)
    namespace.make_read_only(memory, False)
    compared.assert_mended()

def test_a_file_system_that_is_full(compared: Compared, memory: Path) -> None:
    compared.file = memory / "sixgate.db"
    compared.start()
    compared.send(5)
    await_entries(compared, 5)
    fill(memory / "filler")
    line = compared.await_line("journal_failed", compared.send)
    assert "full" in line or "disk I/O" in line
    compared.send(40)
    (memory / "filler").unlink()
    compared.assert_mended()

def test_a_file_that_is_no_database(compared: Compared) -> None:
    compared.file.parent.mkdir()
    compared.file.write_bytes(b"\xa5" * 20_000)
    compared.start()
    assert "not a database" in compared.await_line("journal_failed")
    compared.send(40)
    compared.file.unlink()
    compared.assert_mended()

def test_a_database_that_is_damaged_in_the_middle(compared: Compared) -> None:
    compared.file.parent.mkdir()
    compared.start()
    compared.send(30)
    assert compared.troubled.sixgate.stop_soon() == 0
    earlier = len(compared.sent)
    with compared.file.open("r+b") as database:
        length = database.seek(0, 2)
        database.seek(4096)
        database.write(b"\xa5" * (length - 4096))
    compared.start_troubled()
    compared.send()
    line = compared.await_line("journal_failed", compared.send)
    assert "malformed" in line
    compared.send(40)
    compared.file.rename(compared.file.with_suffix(".damaged"))
    compared.assert_mended(earlier)

def test_a_database_that_is_taken_away(compared: Compared) -> None:
    compared.file.parent.mkdir()
    compared.start()
    compared.send(5)
    await_entries(compared, 5)
    compared.file.unlink()
    earlier = len(compared.sent)
    assert "was moved or removed" in compared.await_line("journal_failed", compared.send)
    compared.assert_mended(earlier)

def test_a_database_that_somebody_holds(compared: Compared) -> None:
    compared.file.parent.mkdir()
    compared.start()
    compared.send()
    await_entries(compared, 1)
    other = sqlite3.connect(compared.file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    compared.send(60)
    assert "locked" in compared.await_line("journal_failed", compared.send)
    compared.send(20)
    other.execute("COMMIT")
    other.close()
    compared.assert_mended()

def await_entries(compared: Compared, count: int) -> None:
    deadline = time.monotonic() + 5
    while not compared.file.exists() or len(senders(compared.file)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)

def fill(file: Path) -> None:
    """Until there is no room for another octet."""
    with file.open("wb", buffering=0) as stream:
        try:
            while stream.write(b"x" * 4096):
                pass
        except OSError:
            pass
