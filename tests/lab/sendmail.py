"""A Sendmail of the lab's own, from unpacked packages: all that it reads and writes lies in one folder."""

from __future__ import annotations

import email.message
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .maildir import Maildir
from .namespace import PrivateNetwork
from .unpacked import Unpacked

_SHIM = Path(__file__).with_name("logshim.c")


@dataclass(frozen=True)
class SendmailSettings:
    host_name: str
    domains: tuple[str, ...]  # all their mail is delivered to one folder
    listeners: tuple[tuple[str, int], ...]  # address and port; "::" takes IPv4, too
    milter: str = ""  # the path of its socket; empty: none
    sasl_user: tuple[str, str] | None = None
    timeouts: str = "C:30s;S:10s;R:10s;E:15s"  # S and R as Sendmail has them by default
    sources: tuple[str, ...] = ()  # addresses that it sends from


class Sendmail:
    """Started and stopped with everything it has written in `folder`, which is the test's to remove."""

    def __init__(self, network: PrivateNetwork, folder: Path, unpacked: Unpacked, settings: SendmailSettings) -> None:
        self.network = network
        self.folder = folder
        self.unpacked = unpacked
        self.settings = settings
        self.mailbox = Maildir(folder / "mail", self.log)
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Writes its files. Without a daemon it can still send what is submitted locally."""
        self._make_folders()
        self._build_shim()
        self._write_deliver_script()
        if self.settings.sasl_user is not None:
            self._write_sasl(*self.settings.sasl_user)
        self._write_configuration()

    def start(self) -> None:
        self.prepare()
        with (self.folder / "start.out").open("wb") as output:
            self._process = self.network.start(self._command("-bD", "-q1h"), output)
        deadline = time.monotonic() + 15
        while not self._has_written_its_pid():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Sendmail: {(self.folder / 'start.out').read_text()}\n{self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def log(self) -> str:
        log = self.folder / "maillog"
        return log.read_text(errors="replace") if log.exists() else ""

    def delivered(self, token: str, timeout: float = 10) -> email.message.EmailMessage:
        """The message that holds `token`, for instance its Message-ID; waits until it has come."""
        return self.mailbox.delivered(token, timeout)

    def has(self, token: str) -> bool:
        """Whether the message is in the mailbox now."""
        return bool(self.mailbox.find(token))

    def standard_input(self) -> socket.socket:
        """sendmail -bs: SMTP as a program on the machine itself speaks it."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.network.start(self._command("-bs"), theirs, theirs)
        return ours

    def submit_locally(self, message: bytes, mail_from: str, recipient: str) -> None:
        """What a program on the machine itself does: sendmail(8), without SMTP."""
        ended = self.network.run(self._command("-i", "-f", mail_from, recipient), message.replace(b"\r\n", b"\n"))
        if ended.returncode != 0:
            raise AssertionError(f"sendmail: {ended.stdout.decode()}\n{self.log()}")

    # -- its files

    @property
    def _program(self) -> Path:
        return self.unpacked.path("/usr/libexec/sendmail/sendmail")

    def _command(self, *options: str) -> list[str]:
        environment = {"LD_PRELOAD": str(self.folder / "logshim.so"), "LOGSHIM_FILE": str(self.folder / "maillog")}
        configuration = ("-C", str(self.folder / "sendmail.cf"))
        return self.unpacked.command(str(self._program), *configuration, *options, environment=environment)

    def _has_written_its_pid(self) -> bool:
        pid = self.folder / "sendmail.pid"
        return pid.exists() and pid.stat().st_size > 0

    def _make_folders(self) -> None:
        for name in ("queue", "mail/new", "mail/tmp", "sasl"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "queue").chmod(0o700)
        for name in ("helpfile", "statistics"):
            (self.folder / name).touch()
        # With the set-group-id bit the loader would take no library of ours.
        self._program.chmod(0o755)

    def _build_shim(self) -> None:
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", str(self.folder / "logshim.so"), str(_SHIM)], check=True
        )

    def _write_deliver_script(self) -> None:
        mail = self.folder / "mail"
        script = self.folder / "deliver"
        script.write_text(
            f"#!/bin/sh\nfile=$(mktemp {mail}/tmp/XXXXXXXXXX) && cat >$file && mv $file {mail}/new/\n"
        )
        script.chmod(0o755)

    def _write_sasl(self, user: str, password: str) -> None:
        database = self.folder / "sasl" / "sasldb2"
        words = ("/usr/sbin/saslpasswd2", "-f", str(database), "-u", self.settings.host_name, "-c", "-p", user)
        written = self.network.run(self.unpacked.command(*words), f"{password}\n".encode())
        if written.returncode != 0:
            raise RuntimeError(f"saslpasswd2: {written.stdout.decode()}")
        (self.folder / "sasl" / "Sendmail.conf").write_text(
            "pwcheck_method: auxprop\n"
            "auxprop_plugin: sasldb\n"
            f"sasldb_path: {database}\n"
            "mech_list: PLAIN\n"
        )  # fmt: skip

    def _write_configuration(self) -> None:
        macros = self.unpacked.path("/usr/share/sendmail/cf")
        (self.folder / "sendmail.mc").write_text(self._sendmail_mc())
        words = ("/usr/bin/m4", f"-D_CF_DIR_={macros}/", str(macros / "m4/cf.m4"), str(self.folder / "sendmail.mc"))
        made = subprocess.run(self.unpacked.command(*words), capture_output=True, check=True)
        (self.folder / "sendmail.cf").write_bytes(made.stdout)

    def _sendmail_mc(self) -> str:
        lines = ["divert(0)dnl", "OSTYPE(`linux')dnl"]
        lines += [f"define(`{name}', `{value}')dnl" for name, value in self._definitions().items()]
        lines += ["undefine(`confCONTROL_SOCKET_NAME')dnl"]
        lines += [f"FEATURE(`{name}')dnl" for name in _FEATURES]
        lines += [
            "MODIFY_MAILER_FLAGS(`LOCAL', `-A5wf:/|@')dnl",
            "TRUST_AUTH_MECH(`PLAIN')dnl",
        ]
        if self.settings.milter:
            words = f"S=local:{self.settings.milter}, F=T, T={self.settings.timeouts}"
            lines.append(f"INPUT_MAIL_FILTER(`sixgate', `{words}')dnl")
        for number, (address, port) in enumerate(self.settings.listeners, 1):
            lines.append(
                f"DAEMON_OPTIONS(`Name=MTA{number}, Family={_family(address)}, Addr={address}, Port={port}')dnl"
            )
        for address in self.settings.sources:
            lines.append(f"CLIENT_OPTIONS(`Family={_family(address)}, Addr={address}')dnl")
        lines += ["MAILER(`local')dnl", "MAILER(`smtp')dnl", "LOCAL_CONFIG"]
        lines += [f"Cw {' '.join(self.settings.domains)}", f"ESASL_CONF_PATH={self.folder / 'sasl'}"]
        return "\n".join(lines) + "\n"

    def _definitions(self) -> dict[str, str]:
        folder = self.folder
        return {
            "confDOMAIN_NAME": self.settings.host_name,
            "MAIL_SETTINGS_DIR": f"{folder}/",
            "QUEUE_DIR": f"{folder}/queue",
            "STATUS_FILE": f"{folder}/statistics",
            "HELP_FILE": f"{folder}/helpfile",
            "ALIAS_FILE": "",
            "confPID_FILE": f"{folder}/sendmail.pid",
            "confDEAD_LETTER_DROP": f"{folder}/dead.letter",
            "confTRUSTED_USER": "root",
            "confDEF_USER_ID": "0:0",
            # Everything under /tmp is in a directory that all may write to.
            "confDONT_BLAME_SENDMAIL": "TrustStickyBit,GroupReadableSASLDBFile,GroupWritableDirPathSafe",
            "confDELIVERY_MODE": "interactive",
            "confTO_IDENT": "0s",
            "confLOG_LEVEL": "14",
            "confMILTER_LOG_LEVEL": "14",
            "confPRIVACY_FLAGS": "noexpn,novrfy",
            "confDONT_PROBE_INTERFACES": "true",
            "confCONNECTION_RATE_THROTTLE": "0",
            "confBAD_RCPT_THROTTLE": "0",
            "confAUTH_MECHANISMS": "PLAIN",
            "confAUTH_REALM": self.settings.host_name,
            "LOCAL_MAILER_PATH": f"{folder}/deliver",
            "LOCAL_MAILER_ARGS": "deliver $g $u",
        }


_FEATURES = ("no_default_msa", "accept_unresolvable_domains", "accept_unqualified_senders", "nocanonify")


def _family(address: str) -> str:
    return "inet6" if ":" in address else "inet"
