"""MTAs that send: each finds its way to the site by the DNS, over IPv6 first, and its log tells which way."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from .cast import Client
from .messages import Message
from .namespace import PrivateNetwork
from .postfix import Listener, Postfix, PostfixSettings
from .sendmail import Sendmail, SendmailSettings
from .unpacked import Unpacked


@dataclass(frozen=True)
class QueueRun:
    """What came of a message when its sender first tried."""

    attempts: str  # the IP version of each connection: "64" is one over IPv6 and then one over IPv4
    status: str  # "sent", "deferred" or "bounced"
    log: str  # what the sender has to say about this message


class SendingPostfix:
    """A Postfix that sends from the addresses of the two clients, by the name of the first."""

    def __init__(self, network: PrivateNetwork, folder: Path, client6: Client, client4: Client) -> None:
        self.client = client6
        settings = PostfixSettings(
            host_name=client6.helo,
            domains=(client6.domain,),
            listeners=(Listener(f"[{client6.address}]:25"), Listener(f"{client4.address}:25")),
            extra={
                "smtp_bind_address6": client6.address,
                "smtp_bind_address": client4.address,
                "smtp_address_preference": "ipv6",
            },
        )
        self._postfix = Postfix(network, folder, settings)

    def start(self) -> None:
        self._postfix.start()

    def stop(self) -> None:
        self._postfix.stop()

    def send(self, message: Message, recipient: str) -> QueueRun:
        self._postfix.submit_locally(message.content, self.client.mail_from, recipient)
        return self._first_run_of(message)

    def try_again(self, message: Message, status: str) -> None:
        """What is deferred is tried now; returns when the last try of this message has come to `status`."""
        self._postfix.flush()
        deadline = time.monotonic() + 20
        while re.findall(r" status=(\w+)", log := self._log_of(message))[-1] != status:
            if time.monotonic() > deadline:
                raise AssertionError(f"{message.message_id} is not {status}.\n{log}")
            time.sleep(0.02)

    def give_up(self, message: Message) -> None:
        """Somebody removes it from the queue; nobody is told."""
        self._postfix.remove(self._queue_id_of(message))

    def _first_run_of(self, message: Message) -> QueueRun:
        deadline = time.monotonic() + 20
        while not (found := re.search(r" status=(\w+)", log := self._log_of(message))):
            if time.monotonic() > deadline:
                raise AssertionError(f"{message.message_id} was not tried.\n{self._postfix.log()}")
            time.sleep(0.02)
        assert log.count("(queue active)") == 1, log
        addresses = re.findall(r"(?:: host \S+?|\(host \S+?|relay=[^,[]*)\[([0-9a-f.:]+)\]", log)
        if found[1] != "sent":
            addresses.pop()  # told twice, as `relay` and with the reply
        return QueueRun(_versions(addresses), found[1], log)

    def _queue_id_of(self, message: Message) -> str:
        """Empty until it has one."""
        found = re.search(rf": (\w+): message-id={re.escape(message.message_id)}", self._postfix.log())
        return found[1] if found else ""

    def _log_of(self, message: Message) -> str:
        queue_id = self._queue_id_of(message)
        lines = self._postfix.log().splitlines() if queue_id else []
        return "\n".join(line for line in lines if f" {queue_id}: " in line)


class SendingSendmail:
    """The same of Sendmail, without a daemon: what is submitted is tried at once."""

    def __init__(
        self, network: PrivateNetwork, folder: Path, unpacked: Unpacked, client6: Client, client4: Client
    ) -> None:
        self.client = client6
        settings = SendmailSettings(
            host_name=client6.helo,
            domains=(client6.domain,),
            listeners=(),
            sources=(client6.address, client4.address),
        )
        self._sendmail = Sendmail(network, folder, unpacked, settings)

    def prepare(self) -> None:
        self._sendmail.prepare()

    def send(self, message: Message, recipient: str) -> QueueRun:
        told = len(self._sendmail.log())
        self._sendmail.submit_locally(message.content, self.client.mail_from, recipient)
        log = self._sendmail.log()[told:]
        statuses = re.findall(r": to=.*, stat=(\w+)", log)
        assert statuses, log
        sources = re.findall(r"SMTP outgoing connect on \[(?:IPv6:)?([0-9a-f.:]+)\]", log)
        return QueueRun(_versions(sources), statuses[-1].lower(), log)


def _versions(addresses: list[str]) -> str:
    return "".join("6" if ":" in address else "4" for address in addresses)
