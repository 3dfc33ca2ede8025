"""One message through the site, and what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage

from authres import AuthenticationResultsHeader

from lab import cast
from lab.cast import Client
from lab.messages import Message
from lab.site import AUTHSERV_ID, Site
from lab.smtp import Reply


@dataclass(frozen=True)
class Outcome:
    """The reply that decided, and the message where that was delivered."""

    reply: Reply
    dialogue: list[str]
    delivered: EmailMessage | None

    @property
    def codes(self) -> str:
        return self.reply.codes


def outcome_of(
    site: Site,
    client: Client,
    message: Message | None = None,
    mail_from: str | None = None,
    recipients: str | list[str] = cast.RECIPIENT,
    server: str | None = None,
    login: tuple[str, str] | None = None,
) -> Outcome:
    """The client connects from its address, says what the cast says of it, and leaves."""
    message = message or site.message(client)
    with site.connect(client, server=server) as smtp:
        smtp.ehlo(client.helo)
        if login:
            assert smtp.auth_plain(*login).code == 235
        reply = smtp.send(client.mail_from if mail_from is None else mail_from, recipients, message.content)
        smtp.quit()
    delivered = site.postfix.delivered(message.message_id) if reply.code == 250 else None
    return Outcome(reply, smtp.dialogue, delivered)


def delivered(outcome: Outcome) -> EmailMessage:
    assert outcome.delivered is not None, "\n".join(outcome.dialogue)
    return outcome.delivered


def case_id_in(text: str) -> str:
    found = re.search(r"\bcase[ :=]*([A-Za-z0-9-]{6,})", text)
    assert found, f"no case id in {text!r}"
    return found[1]


def results_in(reply: Reply) -> AuthenticationResultsHeader:
    """The Authentication-Results that a refusal ends with, read by someone else's parser."""
    texts = reply.texts
    first = next((i for i, text in enumerate(texts) if text.startswith("Authentication-Results:")), None)
    assert first is not None, str(reply)
    return AuthenticationResultsHeader.parse(" ".join(text.strip() for text in texts[first:]))


def ours(message: EmailMessage) -> list[AuthenticationResultsHeader]:
    """The fields of the delivered message that carry our authserv-id."""
    values = (str(value) for value in message.get_all("Authentication-Results", []))
    fields = [AuthenticationResultsHeader.parse(f"Authentication-Results: {value}") for value in values]
    return [field for field in fields if field.authserv_id == AUTHSERV_ID]


def methods(field: AuthenticationResultsHeader) -> dict[str, str]:
    """Method and result; of several results for one method the best."""
    best: dict[str, str] = {}
    for result in field.results:
        if best.get(result.method) != "pass":
            best[result.method] = result.result
    return best
