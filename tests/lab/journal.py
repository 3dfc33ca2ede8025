"""The journal as SQLite has it, read past sixgate."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

_SENDER = re.compile(rb"[a-z]+-\d+(?=@)")


def senders(file: Path) -> list[str]:
    """The local parts of MAIL FROM in the order of the entries; the tests write them as "word-number"."""
    with closing(sqlite3.connect(file)) as database:
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'details'").fetchone() is None:
            return []  # sixgate has just made the file
        rows = database.execute("SELECT octets FROM details ORDER BY id")
        return [_SENDER.search(octets)[0].decode() for (octets,) in rows]  # type: ignore[index]


def integrity(file: Path) -> str:
    """ "ok", or what is damaged."""
    with closing(sqlite3.connect(file)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])
