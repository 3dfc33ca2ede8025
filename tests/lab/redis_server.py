"""A Redis server on a unix socket, and with TLS on a port of the loopback where that is asked for."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class RedisServer:
    """Ends with this process. What it has survives `kill()`."""

    def __init__(self, folder: Path, certificate: Path | None = None, fsync: str = "always") -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.password_file: Path | None = None
        self.tls_port = _free_port() if certificate else 0
        self._certificate = certificate
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    @property
    def store_settings(self) -> str:
        """Lines of [store]; a key of the hash is another matter."""
        password = f'password_file = "{self.password_file}"\n' if self.password_file else ""
        return f'url = "unix://{self.socket}"\n{password}'

    def client(self, password: str | None = None) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), password=password)

    def start(self) -> None:
        """Returns when it answers."""
        tls = ["--tls-port", str(self.tls_port), "--tls-auth-clients", "no"]
        tls += ["--tls-cert-file", str(self._certificate), "--tls-key-file", str(self._certificate)]
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
            + ["--appendonly", "yes", "--appendfsync", self._fsync, "--save", ""]
            + ["--logfile", str(self.folder / "redis.log"), *(tls if self._certificate else [])],
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "redis.log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stand_still(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def cpu_seconds(self) -> float:
        """What it has used of the processor since it was started."""
        used = self.client().info("cpu")
        return float(used["used_cpu_sys"]) + float(used["used_cpu_user"])

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
