"""An MTA of the site as a test sees it: Postfix or Sendmail, whichever the test is run for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lab import cast, smtp
from lab.cast import Client
from lab.messages import Message
from lab.postfix import Postfix
from lab.sendmail import Sendmail
from lab.site import Site
from lab.smtp import Reply


@dataclass(frozen=True)
class Receiver:
    site: Site
    program: Postfix | Sendmail
    port: int

    @property
    def is_postfix(self) -> bool:
        return isinstance(self.program, Postfix)

    def connect(self, client: Client) -> smtp.Client:
        """From this client's address; the greeting is in, and EHLO is not yet out."""
        return self.site.connect(client, self.port)

    def greet(self, client: Client) -> smtp.Client:
        """The same, and EHLO has been answered."""
        connection = self.connect(client)
        assert connection.ehlo(client.helo).code == 250
        return connection

    def offer(
        self,
        client: Client,
        message: Message | None = None,
        mail_from: str | None = None,
        recipients: str | Iterable[str] = cast.RECIPIENT,
    ) -> Reply:
        """One message over a connection of its own; the reply that decided."""
        message = message or self.site.message(client)
        with self.greet(client) as connection:
            path = client.mail_from if mail_from is None else mail_from
            reply = connection.send(path, recipients, message.content)
            connection.quit()
        return reply

    def keeps_its_word(self, reply: Reply, message: Message) -> bool:
        """Whether what was answered 250 is delivered, and nothing else."""
        if reply.code == 250:
            return bool(self.program.mailbox.content(message.message_id))
        return not self.program.has(message.message_id)

    def fields(self, message: Message) -> list[tuple[str, str]]:
        """Those of the delivered message in their order, unfolded, without what the delivery itself adds."""
        head = self.program.mailbox.content(message.message_id).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        lines = re.sub(r"\n(?=[ \t])", "", head.decode("latin-1")).split("\n")
        fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return [field for field in fields if field[0] not in ("Return-Path", "X-Original-To", "Delivered-To")]


def results_of(fields: list[tuple[str, str]]) -> list[str]:
    """The values of all Authentication-Results, the topmost first."""
    return [value for name, value in fields if name.lower() == "authentication-results"]
