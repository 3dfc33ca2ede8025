"""A store that is absent, read-only, full, damaged, taken away or slow: mail does not notice, and nothing is lost.

Needs root for file systems that are read-only or full; they are mounted for this process alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import namespace
from lab.compared import Compared
from lab.gate import Gate
from lab.journal import SqliteJournal
from lab.site import program_from_environment


@pytest.fixture
def compared(tmp_path: Path) -> Iterator[Compared]:
    program = program_from_environment("dev")
    with Gate(program) as sound, Gate(program) as troubled:
        yield Compared(sound, troubled, SqliteJournal(tmp_path / "store" / "sixgate.db"))

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
    assert str(file_of(compared)) in compared.await_line("journal_failed")
    compared.send(40)
    file_of(compared).parent.mkdir()
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
    compared.journal = SqliteJournal(memory / "sixgate.db")
    compared.start()
    compared.send(5)
    compared.await_entries(5)
    # A file system cannot be made read-only while somebody writes to it: so after a restart.
    assert compared.troubled.sixgate.stop_soon() == 0
    namespace.make_read_only(memory)
    compared.start_troubled()
    assert str(file_of(compared)) in compared.await_line("journal_failed")
    compared.send(40)
    namespace.make_read_only(memory, False)
    compared.assert_mended()

def test_a_file_system_that_is_full(compared: Compared, memory: Path) -> None:
    compared.journal = SqliteJournal(memory / "sixgate.db")
    compared.start()
    compared.send(5)
    compared.await_entries(5)
    fill(memory / "filler")
    line = compared.await_line("journal_failed", compared.send)
    assert "full" in line or "disk I/O" in line
    compared.send(40)
    (memory / "filler").unlink()
    compared.assert_mended()

def test_a_file_that_is_no_database(compared: Compared) -> None:
    file_of(compared).parent.mkdir()
    file_of(compared).write_bytes(b"\xa5" * 20_000)
    compared.start()
    assert "not a database" in compared.await_line("journal_failed")
    compared.send(40)
    file_of(compared).unlink()
    compared.assert_mended()

def test_a_database_that_is_damaged_in_the_middle(compared: Compared) -> None:
    file_of(compared).parent.mkdir()
    compared.start()
    compared.send(30)
    assert compared.troubled.sixgate.stop_soon() == 0
    earlier = len(compared.sent)
    with file_of(compared).open("r+b") as database:
        length = database.seek(0, 2)
        database.seek(4096)
        database.write(b"\xa5" * (length - 4096))
    compared.start_troubled()
    compared.send()
    line = compared.await_line("journal_failed", compared.send)
    assert "malformed" in line
    compared.send(40)
    file_of(compared).rename(file_of(compared).with_suffix(".damaged"))
    compared.assert_mended(earlier)

def test_a_database_that_is_taken_away(compared: Compared) -> None:
    file_of(compared).parent.mkdir()
    compared.start()
    compared.send(5)
    compared.await_entries(5)
    file_of(compared).unlink()
    earlier = len(compared.sent)
    assert "was moved or removed" in compared.await_line("journal_failed", compared.send)
    compared.assert_mended(earlier)

def test_a_database_that_somebody_holds(compared: Compared) -> None:
    file_of(compared).parent.mkdir()
    compared.start()
    compared.send()
    compared.await_entries(1)
    other = sqlite3.connect(file_of(compared), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    compared.send(60)
    assert "locked" in compared.await_line("journal_failed", compared.send)
    compared.send(20)
    other.execute("COMMIT")
    other.close()
    compared.assert_mended()

def file_of(compared: Compared) -> Path:
    assert isinstance(compared.journal, SqliteJournal)
    return compared.journal.file

def fill(file: Path) -> None:
    """Until there is no room for another octet."""
    with file.open("wb", buffering=0) as stream:
        try:
            while stream.write(b"x" * 4096):
                pass
        except OSError:
            pass
