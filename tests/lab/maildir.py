"""Where an MTA of the lab delivers to."""

from __future__ import annotations

import email
import email.message
import email.policy
import os
import time
from collections.abc import Callable
from pathlib import Path


class Maildir:
    """`folder`/new holds one file a message; `log` is what to show when one does not come."""

    def __init__(self, folder: Path, log: Callable[[], str]) -> None:
        self.folder = folder
        self._log = log

    def delivered(self, token: str, timeout: float = 10) -> email.message.EmailMessage:
        """The message that holds `token`, for instance its Message-ID; waits until it has come."""
        return email.message_from_bytes(self.content(token, timeout), policy=email.policy.default)

    def content(self, token: str, timeout: float = 10) -> bytes:
        """The same as it was stored."""
        deadline = time.monotonic() + timeout
        while not (found := self.find(token)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{token} was not delivered.\n{self._log()}")
            time.sleep(0.02)
        return found[0]

    def find(self, token: str) -> list[bytes]:
        """Every copy that is there now."""
        wanted = token.encode()
        folder = self.folder / "new"
        names = os.listdir(folder) if folder.exists() else []
        contents = ((folder / name).read_bytes() for name in sorted(names))
        return [content for content in contents if wanted in content]
