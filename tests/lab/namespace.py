"""A private network for this process: its own addresses, host name, resolv.conf and process tree.

Needs root. Nothing outside is touched: what is mounted and configured here is seen by this process and
its children only. The processes that are started here end with this one, however it ends: they live in
a PID namespace, and the kernel empties that when its first process, the keeper, dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# linux/sched.h, sys/mount.h, sys/prctl.h
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 1
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class NamespaceRefused(Exception):
    """The kernel, or whoever runs this container, does not allow a private namespace."""


def _check(call: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    encoded_kind = kind.encode() if kind else None
    call = f"mount {source} on {target}"
    _check(call, _libc.mount(source.encode(), target.encode(), encoded_kind, flags, None))


def enter_private_mounts() -> None:
    """What this process and its children mount from now on is theirs alone. Needs root."""
    _check("unshare", _libc.unshare(CLONE_NEWNS))
    _keep_mounts_private()


def mount_memory(folder: Path, octets: int) -> None:
    """A file system of that size, empty."""
    call = f"mount a tmpfs on {folder}"
    _check(call, _libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, f"size={octets}".encode()))


def make_read_only(folder: Path, is_read_only: bool = True) -> None:
    """A folder on which `mount_memory()` has mounted."""
    flags = MS_REMOUNT | (MS_RDONLY if is_read_only else 0)
    _check(f"remount {folder}", _libc.mount(b"none", os.fsencode(folder), b"tmpfs", flags, None))


def unmount(folder: Path) -> None:
    _check(f"umount {folder}", _libc.umount2(os.fsencode(folder), MNT_DETACH))


class PrivateNetwork:
    """Where this process lives from `enter()` on. There is no way back, only `close()`.

    A process may have one of these in its life.
    """

    def __init__(self, folder: Path, host_name: str, addresses: Iterable[str], name_server: str) -> None:
        self.folder = folder
        self.host_name = host_name
        self.addresses = list(addresses)
        self.name_server = name_server
        self.keeper: int | None = None

    def enter(self) -> None:
        """Call it before any thread is started: a namespace belongs to a thread."""
        if os.geteuid() != 0:
            raise NamespaceRefused("a private network, and a Postfix in it, need root")
        try:
            flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWPID
            _check("unshare", _libc.unshare(flags))
        except OSError as error:
            raise NamespaceRefused(f"no private namespace to be had here: {error}") from error
        _keep_mounts_private()
        self.keeper = _start_keeper()
        _let_children_live_with(os.getpid())  # else this process could start no thread
        socket.sethostname(self.host_name)
        self._write_resolver_files()
        self._configure_loopback()

    def start(
        self,
        command: Sequence[str],
        output: BinaryIO | socket.socket,
        input_: socket.socket | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """A process that ends with the namespace at the latest; `environment` where it is not ours."""
        input_or_none = input_ or subprocess.DEVNULL
        with self._processes_inside():
            return subprocess.Popen(command, stdin=input_or_none, stdout=output, stderr=output, env=environment)

    def run(self, command: Sequence[str], input_: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A command to its end, with its output. Daemons that it leaves behind must not hold that."""
        with self._processes_inside():
            return subprocess.run(command, input=input_, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def close(self) -> None:
        """Ends every process of the namespace."""
        if self.keeper is not None:
            os.kill(self.keeper, signal.SIGKILL)
            # The keeper is gone only when all others are, and those that we started wait for us.
            while os.waitpid(-1, 0)[0] != self.keeper:
                pass
            self.keeper = None

    @contextmanager
    def _processes_inside(self) -> Iterator[None]:
        if self.keeper is None:
            raise RuntimeError("the private network is not entered, or closed")
        _let_children_live_with(self.keeper)
        try:
            yield
        finally:
            _let_children_live_with(os.getpid())

    def _write_resolver_files(self) -> None:
        texts = {
            "resolv.conf": f"nameserver {self.name_server}\noptions timeout:1 attempts:1\n",
            "hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost\n",
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        }
        for name, text in texts.items():
            ours = self.folder / name
            ours.write_text(text)
            theirs = Path("/etc") / name
            if theirs.exists():
                _mount(str(ours), str(theirs), None, MS_BIND)

    def _configure_loopback(self) -> None:
        switch = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
        if switch.exists() and switch.read_text().strip() != "0":
            switch.write_text("0")
        lines = ["link set lo up"]
        for address in self.addresses:
            length, nodad = ("128", " nodad") if ":" in address else ("32", "")
            lines.append(f"address add {address}/{length} dev lo{nodad}")
        configured = self.run(["ip", "-batch", "-"], "\n".join(lines).encode())
        if configured.returncode != 0:
            raise NamespaceRefused(f"ip: {configured.stdout.decode()}")


def _keep_mounts_private() -> None:
    """Nothing that is mounted from here on is seen outside.

    In a chroot "/" need not be a mount point, and only a mount point can be made private. Then the one
    that holds the chroot is reached from above it, in this process and for this call.
    """
    try:
        _mount("none", "/", None, MS_REC | MS_PRIVATE)
    except OSError:
        inside = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        working = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        os.chroot("/etc")
        os.fchdir(inside)
        while os.stat(".").st_ino != os.stat("..").st_ino or os.stat(".").st_dev != os.stat("..").st_dev:
            os.chdir("..")
        os.chroot(".")
        try:
            _mount("none", "/", None, MS_REC | MS_PRIVATE)
        finally:
            os.fchdir(inside)
            os.chroot(".")
            os.fchdir(working)
            os.close(inside)
            os.close(working)


def _let_children_live_with(process: int) -> None:
    """The children that this thread starts from now on go to the PID namespace of `process`."""
    descriptor = os.pidfd_open(process)
    try:
        _check("setns", _libc.setns(descriptor, CLONE_NEWPID))
    finally:
        os.close(descriptor)


def _start_keeper() -> int:
    """The first process of the new PID namespace: adopts the orphans and mounts the namespace's /proc."""
    is_ready, ready = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        try:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ^C is for the parent
            _mount("proc", "/proc", "proc", 0)
            os.write(ready, b"ready")
            os.closerange(3, 1024)
            os.execvp("sleep", ["lab-keeper", "infinity"])
        finally:
            os._exit(1)
    os.close(ready)
    if os.read(is_ready, 5) != b"ready":
        raise NamespaceRefused("the keeper of the namespace did not start: is mounting /proc allowed here?")
    os.close(is_ready)
    return keeper
