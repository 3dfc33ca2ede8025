"""A program's time of day, as a test says. Its other clocks go on as they do."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from .namespace import PrivateNetwork

_SHIM = Path(__file__).with_name("clockshim.c")


class Clock:
    """Starts programs, as namespace.PrivateNetwork does, whose time of day is what `set()` said last and goes on: in
    `network`, where there is one."""

    def __init__(self, folder: Path, network: PrivateNetwork | None = None) -> None:
        self._network = network
        self._library = folder / "clockshim.so"
        self._file = folder / "clock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SHIM)], check=True)
        self._file.write_bytes(bytes(8))
        with self._file.open("r+b") as file:
            self._offset = mmap.mmap(file.fileno(), 8)

    def set(self, now: datetime) -> None:
        milliseconds = round((now.timestamp() - time.time()) * 1000)
        self._offset[:] = struct.pack("=q", milliseconds)

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        """A program to its end, with the time of day of the world."""
        if self._network is not None:
            return self._network.run(command)
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def start(self, command: Sequence[str], output: BinaryIO) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "LD_PRELOAD": str(self._library),
            "CLOCKSHIM_FILE": str(self._file),
            # The sanitizer wants to be the first library; this one takes the place of nothing that it watches.
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }
        if self._network is not None:
            return self._network.start(command, output, environment=environment)
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
