"""Other people's filters, to stand beside sixgate in the MTA: opendkim and opendmarc."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from .namespace import PrivateNetwork
from .unpacked import Unpacked


class Filter:
    """A milter of Debian's that runs in the foreground; its socket, settings and output lie in `folder`."""

    def __init__(self, network: PrivateNetwork, folder: Path, unpacked: Unpacked, name: str, settings: str) -> None:
        self.network = network
        self.folder = folder
        self.unpacked = unpacked
        self.name = name
        self.settings = settings
        self.socket_path = socket_path_of(folder, name)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when an MTA can connect."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        configuration = self.folder / f"{self.name}.conf"
        common = f"Socket local:{self.socket_path}\nUMask 000\nSyslog no\nPidFile {self.folder}/{self.name}.pid\n"
        configuration.write_text(common + self.settings)
        output = self.folder / f"{self.name}.out"
        command = self.unpacked.command(f"/usr/sbin/{self.name}", "-f", *_FLAG[self.name], str(configuration))
        with output.open("wb") as file:
            self._process = self.network.start(command, file)
        deadline = time.monotonic() + 10
        while not self._is_listening():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not listen: {output.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_listening(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(str(self.socket_path)) == 0


_FLAG = {"opendkim": ("-x",), "opendmarc": ("-c",)}


def socket_path_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.sock"


# Of itself libunbound asks no server on the loopback, and nobody about .test (RFC 6761).
_UNBOUND = """\
server:
    do-not-query-localhost: no
    local-zone: "test." nodefault
forward-zone:
    name: "."
    forward-addr: 127.0.0.1
"""


def opendkim(network: PrivateNetwork, folder: Path, unpacked: Unpacked, authserv_id: str) -> Filter:
    """It verifies, and signs nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    resolver = folder / "unbound.conf"
    resolver.write_text(_UNBOUND)
    settings = f"Mode v\nAuthservID {authserv_id}\nAlwaysAddARHeader yes\nResolverConfiguration {resolver}\n"
    return Filter(network, folder, unpacked, "opendkim", settings)


def opendmarc(network: PrivateNetwork, folder: Path, unpacked: Unpacked, authserv_id: str, trusted: str) -> Filter:
    """It judges by the fields of `trusted` alone, and refuses nothing."""
    settings = f"AuthservID {authserv_id}\nTrustedAuthservIDs {trusted}\nSPFSelfValidate no\nRejectFailures no\n"
    return Filter(network, folder, unpacked, "opendmarc", settings)
