"""A Postfix of the lab's own: configuration, queue, log and mailbox lie in one folder.

The Postfix of the machine, /etc/postfix and /var/spool/postfix, is neither read nor written.
"""

from __future__ import annotations

import email.message
import os
import pwd
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .maildir import Maildir
from .namespace import PrivateNetwork


@dataclass(frozen=True)
class Listener:
    """Where an smtpd listens: "[2001:db8:1::25]:25", or the name of a unix socket in the folder queue/public.

    `options` go before those of main.cf.
    """

    endpoint: str
    options: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "inet" if self.address else "unix"

    @property
    def address(self) -> str:
        return self.endpoint.rpartition(":")[0]


@dataclass(frozen=True)
class PostfixSettings:
    host_name: str
    domains: tuple[str, ...]  # all their mail is delivered to one maildir
    listeners: tuple[Listener, ...]
    milter: str = ""  # as in smtpd_milters; empty: none
    sasl_port: int | None = None  # of a SaslServer
    certificate: Path | None = None  # with its key; with one there is STARTTLS
    extra: dict[str, str] = field(default_factory=dict)  # further lines of main.cf


_SERVICES = """\
pickup    unix  n  -  n  1     1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
smtp      unix  -  -  n  -     -  smtp
relay     unix  -  -  n  -     -  smtp
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
virtual   unix  -  n  n  -     -  virtual
anvil     unix  -  -  n  -     1  anvil
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
postlog   unix-dgram n - n -   1  postlogd
"""


class Postfix:
    """Started and stopped with everything it has written in `folder`, which is the test's to remove."""

    def __init__(self, network: PrivateNetwork, folder: Path, settings: PostfixSettings) -> None:
        self.network = network
        self.folder = folder
        self.settings = settings
        self.configuration = folder / "config"
        self.mailbox = Maildir(folder / "mail" / "inbox", self.log)
        self._is_running = False

    def start(self) -> None:
        self._make_folders()
        (self.configuration / "main.cf").write_text(self._main_cf())
        (self.configuration / "master.cf").write_text(self._master_cf())
        self._postfix("start")
        self._is_running = True
        deadline = time.monotonic() + 15
        while self.network.run(self._command("status")).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Postfix did not start: {self.log()}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._is_running:
            self._postfix("stop")
            self._is_running = False

    def log(self) -> str:
        log = self.folder / "maillog"
        return log.read_text(errors="replace") if log.exists() else ""

    def submit_locally(self, message: bytes, mail_from: str, recipient: str) -> None:
        """What a program on the machine itself does: sendmail(1), without SMTP."""
        command = ["/usr/sbin/sendmail", "-C", str(self.configuration), "-i", "-f", mail_from, recipient]
        ended = self.network.run(command, message.replace(b"\r\n", b"\n"))
        if ended.returncode != 0:
            raise AssertionError(f"sendmail: {ended.stdout.decode()}\n{self.log()}")

    def flush(self) -> None:
        """Has it try all that is deferred."""
        ended = self.network.run(["/usr/sbin/postqueue", "-c", str(self.configuration), "-f"])
        if ended.returncode != 0:
            raise AssertionError(f"postqueue: {ended.stdout.decode()}\n{self.log()}")

    def remove(self, queue_id: str) -> None:
        """Takes a message out of the queue."""
        ended = self.network.run(["/usr/sbin/postsuper", "-c", str(self.configuration), "-d", queue_id])
        assert ended.returncode == 0 and b"Deleted: 1 message" in ended.stdout, ended.stdout.decode()

    def delivered(self, token: str, timeout: float = 10) -> email.message.EmailMessage:
        """The message that holds `token`, for instance its Message-ID; waits until it has come."""
        return self.mailbox.delivered(token, timeout)

    def has(self, token: str) -> bool:
        """Whether the message is in the mailbox now."""
        return bool(self.mailbox.find(token))

    def _command(self, verb: str) -> list[str]:
        return ["/usr/sbin/postfix", "-c", str(self.configuration), verb]

    def _postfix(self, verb: str) -> None:
        """Its daemons inherit no pipe of ours: whoever reads one would wait for their end."""
        output = self.folder / f"{verb}.out"
        with output.open("wb") as file:
            status = self.network.start(self._command(verb), file).wait(60)
        if status != 0:
            raise RuntimeError(f"postfix {verb}: {output.read_text()}\n{self.log()}")

    def _make_folders(self) -> None:
        for name in ("config", "queue", "data", "mail"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        os.chown(self.folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(self.folder / "mail", pwd.getpwnam("nobody").pw_uid, -1)

    def _main_cf(self) -> str:
        nobody = pwd.getpwnam("nobody")
        settings = {
            "compatibility_level": "3.6",
            "config_directory": str(self.configuration),
            "queue_directory": str(self.folder / "queue"),
            "data_directory": str(self.folder / "data"),
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "maillog_file_prefixes": str(self.folder),
            "maillog_file": str(self.folder / "maillog"),
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "syslog_name": "postfix",
            "myhostname": self.settings.host_name,
            "myorigin": "$myhostname",
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "mynetworks": "127.0.0.0/8, [::1]/128",
            # With `all`, every client of the lab would have one of our own addresses.
            "inet_interfaces": ", ".join(dict.fromkeys(_addresses(self.settings.listeners))),
            "inet_protocols": "all",
            "append_dot_mydomain": "no",
            "biff": "no",
            "virtual_mailbox_domains": ", ".join(self.settings.domains),
            "virtual_mailbox_base": str(self.folder / "mail"),
            "virtual_mailbox_maps": "static:inbox/",
            "virtual_uid_maps": f"static:{nobody.pw_uid}",
            "virtual_gid_maps": f"static:{nobody.pw_gid}",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
            "smtpd_milters": self.settings.milter,
            "non_smtpd_milters": self.settings.milter,
            "milter_default_action": "tempfail",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_error_sleep_time": "0",
            "smtpd_soft_error_limit": "1000",
            "smtpd_hard_error_limit": "1000",
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8, [::1]/128",
            "in_flow_delay": "0",
        }
        if self.settings.sasl_port is not None:
            settings["smtpd_sasl_auth_enable"] = "yes"
            settings["smtpd_sasl_type"] = "dovecot"
            settings["smtpd_sasl_path"] = f"inet:127.0.0.1:{self.settings.sasl_port}"
        if self.settings.certificate is not None:
            settings["smtpd_tls_security_level"] = "may"
            settings["smtpd_tls_chain_files"] = str(self.settings.certificate)
        settings.update(self.settings.extra)
        return "".join(f"{name} = {value}\n" for name, value in settings.items())

    def _master_cf(self) -> str:
        lines = []
        for listener in self.settings.listeners:
            lines.append(f"{listener.endpoint} {listener.kind} n - n - - smtpd")
            lines += [f"  -o {option}" for option in listener.options]
        return "\n".join(lines) + "\n" + _SERVICES


def _addresses(listeners: Iterable[Listener]) -> list[str]:
    return [listener.address for listener in listeners if listener.address]
