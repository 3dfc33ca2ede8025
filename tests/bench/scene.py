"""Where filters are measured: nsd in a private network, one filter at a time, and the load."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.namespace import PrivateNetwork
from lab.nsd import NameServer
from lab.unpacked import Unpacked

from .corpus import Corpus
from .filters import Filter, Place

Result = dict[str, Any]

DIRECT_DNS = "127.0.0.1"
DELAYED_DNS = "127.0.0.2"

_DESCRIPTORS = 16384  # for a filter with 5,000 connections


class Unmeasured(Exception):
    """A filter did not start, or did not do what it is there for."""


@dataclass(frozen=True)
class Delay:
    """Of DNS answers, in milliseconds; `slow` of those for names of slow senders."""

    all: int = 20
    slow: int = 20


@dataclass(frozen=True)
class Case:
    """One filter under one load. `options` are those of milter_load, without their dashes."""

    name: str
    filter: Filter
    manifest: str
    options: dict[str, Any] = field(default_factory=dict)
    verdicts: tuple[str, ...] = ("eom:continue", "eom:accept")
    delay: Delay | None = None


@dataclass(frozen=True)
class Alone:
    """libopendkim in process, without a milter."""

    name: str
    manifest: str
    seconds: float


class Scene:
    """A context manager; this process lives in the private network from its beginning to the end."""

    def __init__(self, corpus: Corpus, programs: Path, unpacked: Unpacked) -> None:
        self.corpus = corpus
        self.programs = programs
        self.unpacked = unpacked
        self._temporary = tempfile.TemporaryDirectory(prefix="sixgate-bench-")
        self.folder = Path(self._temporary.name)
        self.network = PrivateNetwork(self.folder, "mx.bench.test", [], DIRECT_DNS)
        self.name_server = NameServer(self.network, self.folder / "dns", corpus.records())
        self._proc_outside = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> Scene:
        try:
            self.network.enter()
            resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
            self.name_server.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.network.close()
        os.close(self._proc_outside)
        self._temporary.cleanup()

    # -- measuring

    def measure(self, case: Case) -> Result:
        """A filter with empty caches under the case's load. Throws Unmeasured."""
        dns = DELAYED_DNS if case.delay else DIRECT_DNS
        with self._delayed(case.delay) as counted, self._running(case.filter, dns) as processes:
            resident = sum(_resident_mib(process) for process in processes)
            result = self._load(case, processes)
            result["needed"] = self.corpus.questions(case.manifest, result["all_messages"])
        return {**result, **counted, "resident_mib_at_start": resident}

    def measure_alone(self, case: Alone) -> Result:
        command = [str(self.programs / "dkim_alone"), str(self.corpus.folder), f"{case.manifest}.tsv", str(case.seconds)]
        return _json_of(self.network.run(command))

    def _load(self, case: Case, processes: list[int]) -> Result:
        socket_path = self.folder / "filter.sock"
        words = {"socket": socket_path, "manifest": self.corpus.manifest(case.manifest), **case.options}
        command = [str(self.programs / "milter_load")]
        command += [f"--{option}={value}" for option, value in words.items()]
        command += [f"--process={process}" for process in processes]
        command += [f"--verdict={verdict}" for verdict in case.verdicts]
        command += [f"--require={method}" for method in case.filter.methods]
        result = _json_of(self.network.run(command))
        if not result["good"]:
            told = {key: result[key] for key in ("messages", "results", "verdicts", "errors")}
            raise Unmeasured(f"{case.name}: {json.dumps(told)}")
        return result

    @contextmanager
    def _running(self, filter_: Filter, dns: str) -> Iterator[list[int]]:
        """The filter, as the processes that it has."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        place = Place(
            folder, self.folder / "filter.sock", dns, self.programs, self.corpus.folder, self.unpacked
        )
        place.socket.unlink(missing_ok=True)
        (self.folder / "resolv.conf").write_text(f"nameserver {dns}\noptions timeout:5 attempts:2\n")
        log = folder / "log"
        with log.open("wb") as output:
            process = self.network.start(filter_.command(place), output)
        try:
            if not _comes_up(process, place.socket):
                raise Unmeasured(f"{filter_.name} did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(filter_.settles)
            processes = self._processes_of(process)
            yield processes
        finally:
            _stop(process, place.socket)

    @contextmanager
    def _delayed(self, delay: Delay | None) -> Iterator[Result]:
        """What is yielded has, at the end, the number of questions."""
        counted: Result = {}
        if delay is None:
            yield counted
            return
        file = self.folder / "dns_delay.json"
        with file.open("wb") as output:
            command = [str(self.programs / "dns_delay"), DELAYED_DNS, DIRECT_DNS, str(delay.all), str(delay.slow)]
            process = self.network.start(command, output)
            time.sleep(0.2)
            try:
                yield counted
            finally:
                process.terminate()
                process.wait(5)
        counted.update(json.loads(file.read_text()))

    def _processes_of(self, process: subprocess.Popen[bytes]) -> list[int]:
        """It and those that it has started, by their numbers inside."""
        status = os.open(f"{process.pid}/status", os.O_RDONLY, dir_fd=self._proc_outside)
        with open(status) as lines:
            inside = next(line.split()[-1] for line in lines if line.startswith("NSpid:"))
        return _with_children(int(inside))


def _with_children(process: int) -> list[int]:
    children = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        children += [int(child) for child in (thread / "children").read_text().split()]
    return [process, *(each for child in children for each in _with_children(child))]


def _resident_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1]) / 1024  # type: ignore[index]


def _comes_up(process: subprocess.Popen[bytes], socket_path: Path) -> bool:
    deadline = time.monotonic() + 120  # rspamd's first start takes long
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(socket_path):
            return True
        time.sleep(0.05)
    return False


def _answers(socket_path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(socket_path)) == 0


def _stop(process: subprocess.Popen[bytes], socket_path: Path) -> None:
    """libmilter's listener looks for its end when somebody connects."""
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < deadline:
        _answers(socket_path)
        time.sleep(0.05)
    process.kill()
    process.wait()


def _json_of(ended: subprocess.CompletedProcess[bytes]) -> Result:
    output = ended.stdout.decode(errors="replace")
    try:
        return json.loads(output.splitlines()[-1])
    except (ValueError, IndexError):
        raise Unmeasured(output[-500:]) from None
