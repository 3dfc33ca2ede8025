"""The journal as its store has it, read past sixgate."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .redis_server import RedisServer

_SENDER = re.compile(rb"[a-z]+-\d+(?=@)")


class Journal(Protocol):
    @property
    def settings(self) -> str:
        """Lines of [store] that name it."""

    def senders(self) -> list[str]:
        """Of each entry, in order; none where there is no journal yet."""


@dataclass(frozen=True)
class SqliteJournal:
    file: Path

    @property
    def settings(self) -> str:
        return f'url = "sqlite:{self.file}"\n'

    def senders(self) -> list[str]:
        return senders(self.file) if self.file.exists() else []


@dataclass(frozen=True)
class RedisJournal:
    server: RedisServer

    @property
    def settings(self) -> str:
        return self.server.store_settings

    def senders(self) -> list[str]:
        entries = self.server.client().xrange("{sixgate}:journal")
        return [_SENDER.search(fields[b"e"])[0].decode() for _, fields in entries]  # type: ignore[index]


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
