"""The whole scene: a receiving Postfix rx.example.test, the DNS, sixgate, and the cast of clients."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import cast, filters, messages, smtp
from .cast import Client
from .certificate import write_certificate
from .dns_tap import DnsTap
from .messages import Message
from .mx_layouts import LAYOUTS
from .namespace import PrivateNetwork
from .nsd import NameServer
from .postfix import Listener, Postfix, PostfixSettings
from .sasl import SaslServer
from .sendmail import Sendmail, SendmailSettings
from .sixgate import Sixgate
from .unpacked import Unpacked

REPOSITORY = Path(__file__).resolve().parents[2]
AUTHSERV_ID = cast.HOST

SMTP_PORT = 25
UNFILTERED_PORT = 2525  # a listener without the milter, for tests of the lab itself
TAP_PORT = 5300
LOCAL_SMTP = "smtp-local"  # a unix socket
MX6_LISTENER_NAME = "mx6"  # what Postfix calls it; all others have the name of the host
OPENDKIM_FIRST_PORT = 2531  # listeners with further filters beside sixgate
OPENDKIM_LAST_PORT = 2532
OPENDMARC_PORT = 2533
NAMED_PORT = 2534  # a listener that has a name of its own
LISTENER_NAME = "mx6"
SENDMAIL_PORT = 26
SENDMAIL_DUAL_STACK_PORT = 27
SASL_PORT = 4000
SASL_USER = ("alice", "secret")


def program_from_environment(preset: str) -> Path:
    """SIXGATE, or what the preset builds."""
    return Path(os.environ.get("SIXGATE") or REPOSITORY / "build" / preset / "sixgate").resolve()


class Site:
    """A context manager; this process lives in the private network from its beginning to the end."""

    def __init__(self, program: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sixgate-lab-"))
        self.folder.chmod(0o755)  # Postfix' users pass through it
        self.certificate = self.folder / "tls.pem"
        write_certificate(cast.HOST, self.certificate)
        self.keys = cast.Keys()
        self.records = cast.zone_of(self.keys) + [record for layout in LAYOUTS for record in layout.records()]
        addresses = [cast.ADDRESS6, cast.SECOND_ADDRESS6, cast.MX6_ADDRESS6, cast.ADDRESS4]
        addresses += [client.address for client in cast.EVERYBODY]
        self.network = PrivateNetwork(self.folder, cast.HOST, addresses, name_server="127.0.0.1")
        self.name_server = NameServer(self.network, self.folder / "dns", self.records, cast.broken_zones())
        self.dns = DnsTap(TAP_PORT, ("127.0.0.1", 53))
        self.sasl = SaslServer(SASL_PORT, dict([SASL_USER]))
        self.sixgate = Sixgate(self.network, program, self.folder / "sixgate")
        self.postfix = Postfix(self.network, self.folder / "postfix", self._postfix_settings())

    def __enter__(self) -> Site:
        try:
            self.network.enter()
            self.name_server.start()
            self.dns.start()
            self.sasl.start()
            self.postfix.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            if self.sixgate.is_running:
                self.sixgate.stop_soon()
            self.postfix.stop()
            self.sasl.stop()
            self.dns.stop()
            self.name_server.stop()
        finally:
            self.network.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- sixgate

    def configuration(self, text: str = "", dns: str = "timeout_ms = 1000") -> str:
        """`text` after the tables that every run here needs; a [store] in it takes the place of the lab's own."""
        return f"""\
[milter]
socket = "{self.sixgate.milter_address}"
socket_mode = "0666"
authserv_id = "{AUTHSERV_ID}"

[dns]
servers = ["{self.dns.address}"]
{dns}

{"" if "[store]" in text else self.sixgate.store_settings}
{text}
"""

    # -- mail

    def message(self, client: Client, fields: Iterable[tuple[str, str]] = (), to: str = cast.RECIPIENT) -> Message:
        """A message as this client sends it: signed, where it signs."""
        composed = messages.compose(client.mail_from, to, subject=f"From {client.name}", fields=fields)
        return self.keys.signed(client, composed)

    def connect(self, client: Client, port: int = SMTP_PORT, server: str | None = None) -> smtp.Client:
        """A connection from this client's address; the greeting is in, and EHLO is not yet out."""
        if server is None:
            server = cast.ADDRESS6 if ":" in client.address else cast.ADDRESS4
        return smtp.Client((server, port), client.address)

    # -- parts

    def sendmail(self, unpacked: Unpacked) -> Sendmail:
        """A second MTA of the same name, not started yet."""
        settings = SendmailSettings(
            host_name=cast.HOST,
            domains=(cast.HOST, "other.example.test"),
            listeners=(
                (cast.ADDRESS6, SENDMAIL_PORT),
                (cast.ADDRESS4, SENDMAIL_PORT),
                ("::1", SENDMAIL_PORT),
                ("::", SENDMAIL_DUAL_STACK_PORT),
            ),
            milter=str(self.sixgate.socket_path),
            sasl_user=SASL_USER,
        )
        return Sendmail(self.network, self.folder / "sendmail", unpacked, settings)

    @property
    def filters_folder(self) -> Path:
        return self.folder / "filters"

    def _listener_with_filters(self, port: int, *addresses: str) -> Listener:
        return Listener(f"[{cast.ADDRESS6}]:{port}", (f"smtpd_milters={','.join(addresses)}",))

    def _postfix_settings(self) -> PostfixSettings:
        sixgate = self.sixgate.milter_address
        opendkim, opendmarc = (
            f"unix:{filters.socket_path_of(self.filters_folder, name)}" for name in ("opendkim", "opendmarc")
        )
        listeners = (
            Listener(f"[{cast.ADDRESS6}]:{SMTP_PORT}"),
            Listener(f"[{cast.SECOND_ADDRESS6}]:{SMTP_PORT}"),
            Listener(f"[{cast.MX6_ADDRESS6}]:{SMTP_PORT}", (f"milter_macro_daemon_name={MX6_LISTENER_NAME}",)),
            Listener(f"{cast.ADDRESS4}:{SMTP_PORT}"),
            Listener(f"[::1]:{SMTP_PORT}"),
            Listener(f"127.0.0.1:{SMTP_PORT}"),
            Listener(f"[{cast.ADDRESS6}]:{UNFILTERED_PORT}", ("smtpd_milters=",)),
            Listener(f"{cast.ADDRESS4}:{UNFILTERED_PORT}", ("smtpd_milters=",)),
            Listener(f"[{cast.ADDRESS6}]:{NAMED_PORT}", (f"milter_macro_daemon_name={LISTENER_NAME}",)),
            Listener(LOCAL_SMTP),
            self._listener_with_filters(OPENDKIM_FIRST_PORT, opendkim, sixgate),
            self._listener_with_filters(OPENDKIM_LAST_PORT, sixgate, opendkim),
            self._listener_with_filters(OPENDMARC_PORT, sixgate, opendmarc),
        )
        return PostfixSettings(
            host_name=cast.HOST,
            domains=(cast.HOST, "other.example.test", *(layout.domain for layout in LAYOUTS)),
            listeners=listeners,
            milter=sixgate,
            sasl_port=SASL_PORT,
            certificate=self.certificate,
        )
