"""The program under test: started with a configuration, reloaded, stopped, and its log read."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .namespace import PrivateNetwork


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    status: int
    output: str  # of both streams


class Sixgate:
    """One run of sixgate in the foreground; `folder` holds its configuration, its socket and its log."""

    def __init__(self, network: PrivateNetwork, program: Path, folder: Path) -> None:
        self.network = network
        self.program = program
        self.folder = folder
        self.configuration = folder / "sixgate.toml"
        self.socket_path = folder / "sixgate.sock"
        self.log_file = folder / "sixgate.log"
        self.store_file = folder / "sixgate.db"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def milter_address(self) -> str:
        """What the MTA connects to."""
        return f"unix:{self.socket_path}"

    @property
    def store_settings(self) -> str:
        """A section for every configuration: nothing here writes to the journal of the host."""
        return f'[store]\nurl = "sqlite:{self.store_file}"\n'

    @property
    def has_been_started(self) -> bool:
        """And not stopped since; whether it still runs is another matter."""
        return self._process is not None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def resident_kib(self) -> int:
        """What it holds of memory now."""
        assert self._process is not None
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", text, re.M)[1])  # type: ignore[index]

    @property
    def cpu_seconds(self) -> float:
        """What it has used of the processor so far, all its threads."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def start(self, configuration: str) -> None:
        """Returns when a client can connect."""
        if not os.access(self.program, os.X_OK):
            raise FileNotFoundError(f"{self.program} is not there: build sixgate, or name it in SIXGATE")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.configuration.write_text(configuration)
        command = [str(self.program), "run", "--foreground", "--config", str(self.configuration)]
        with self.log_file.open("wb") as log:
            self._process = self.network.start(command, log)
        self._wait(self._is_listening, 15, "it did not open its socket")

    def stop(self) -> int:
        """SIGTERM, and the exit status that follows; up to 5 seconds later, as libmilter has it."""
        return self._stop(wake=lambda: None)

    def stop_soon(self) -> int:
        """The same, but libmilter's listener is woken: it looks for its end when somebody connects."""
        return self._stop(wake=self._is_listening)

    def kill(self) -> None:
        """SIGKILL: what a crash or a lack of memory does to it."""
        assert self._process is not None
        process, self._process = self._process, None
        process.kill()
        process.wait()

    def reload(self, configuration: str) -> None:
        """Another configuration, SIGUSR1; returns when the log tells that it was read, or refused."""
        assert self._process is not None
        told = len(self.log())
        self.configuration.write_text(configuration)
        self._process.send_signal(signal.SIGUSR1)
        self._wait(lambda: bool(_TELLS_OF_RELOAD.search(self.log()[told:])), 10, "it did not reload")

    def command(self, *arguments: str) -> Ended:
        """Another process of the program, until it ends by itself."""
        ended = self.network.run(["timeout", "60", str(self.program), *arguments])
        return Ended(ended.returncode, ended.stdout.decode())

    # -- the log

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def entries(self) -> list[dict[str, str]]:
        """The lines about judged messages, as fields; they are known by their case id."""
        fields = (logfmt_fields(line) for line in self.log().splitlines())
        return [entry for entry in fields if "case" in entry]

    def entry(self, case_id: str) -> dict[str, str]:
        """The line about one case; waits for it, since the reply may be out before the line is."""
        self._wait(lambda: case_id in [entry["case"] for entry in self.entries()], 5, f"no line of case {case_id}")
        return next(entry for entry in self.entries() if entry["case"] == case_id)

    # -- waiting

    def _stop(self, wake: Callable[[], object]) -> int:
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 20
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise AssertionError(f"sixgate did not stop on SIGTERM\n{self.log()}")
            wake()
            time.sleep(0.02)
        return process.returncode

    def _is_listening(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.socket_path))
                return True
            except OSError:
                return False

    def _wait(self, has_happened: Callable[[], bool], timeout: float, otherwise: str) -> None:
        deadline = time.monotonic() + timeout
        while not has_happened():
            if not self.is_running or time.monotonic() > deadline:
                raise AssertionError(f"sixgate: {otherwise}\n{self.log()}")
            time.sleep(0.02)


_TELLS_OF_RELOAD = re.compile(r"event=(?:reloaded|reload_failed)\b.*\n")
_FIELD = re.compile(r'([A-Za-z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')


def logfmt_fields(line: str) -> dict[str, str]:
    """`a=b c="d e"` as a dictionary."""
    fields = {}
    for name, quoted, plain in _FIELD.findall(line):
        fields[name] = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
    return fields
