"""Forms by e-mail: to members of the workspace and to other addresses, through the administrator's server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from html import escape
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.humans.tokens import FormTokens
from tidemill.domains.workspaces import service as workspaces
from tidemill.ports import Mail, Mailer, MailFailed

URL: Final = "{{#url#}}"
MAX_RECIPIENTS: Final = 50


@dataclass(frozen=True)
class Account:
    """The server that takes our messages, and in whose name."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str
    password: str
    sender: str


@dataclass(frozen=True)
class Letter:
    """An e-mail as the node describes it: members by their ids (None: all), addresses, and texts."""

    members: tuple[UUID, ...] | None
    addresses: tuple[str, ...]
    subject: str
    body: str


def letters_of(deliveries: Sequence[Mapping[str, Any]]) -> list[Letter]:
    """The e-mails among the deliveries of a form; what cannot be read names nobody."""
    found: list[Letter] = []
    for delivery in deliveries:
        if delivery.get("type") != "email" or not delivery.get("enabled", True):
            continue
        config = delivery.get("config") or {}
        recipients = config.get("recipients") or {}
        items = recipients.get("items") if isinstance(recipients, Mapping) else recipients
        named = [item for item in items or [] if isinstance(item, Mapping)]
        members = tuple(_ids(str(item.get("user_id") or item.get("reference_id") or "") for item in named))
        addresses = tuple(str(item["email"]).strip() for item in named if item.get("email"))
        is_for_all = isinstance(recipients, Mapping) and recipients.get("whole_workspace") is True
        subject, body = str(config.get("subject") or ""), str(config.get("body") or "")
        found.append(Letter(None if is_for_all else members, addresses, subject, body))
    return found


def _ids(words: Any) -> list[UUID]:
    found: list[UUID] = []
    for word in words:
        try:
            found.append(UUID(word))
        except ValueError:
            continue
    return found


class FormPost:
    """Writes the messages and hands them on. `web` is the address that links begin with."""

    def __init__(self, mailer: Mailer, account: Account, tokens: FormTokens, web: str) -> None:
        self._mailer = mailer
        self._account = account
        self._tokens = tokens
        self._web = web

    async def address(self, db: AsyncSession, workspace_id: UUID, letter: Letter) -> Letter:
        """The letter with the addresses of the members it is for."""
        members = await workspaces.member_emails(db, workspace_id, letter.members)
        addresses = tuple(dict.fromkeys((*members, *letter.addresses)))[:MAX_RECIPIENTS]
        return Letter((), addresses, letter.subject, letter.body)

    async def send(self, letters: Sequence[Letter], *, title: str, form_id: UUID) -> str:
        """Send them; why some could not be sent, in one sentence, or nothing."""
        failures: list[str] = []
        link = f"{self._web}/form/{self._tokens.of(form_id)}"
        for letter in letters:
            valid = [address for address in letter.addresses if _is_address(address)]
            if not valid:
                failures.append("The e-mail names nobody who can be reached.")
                continue
            message = self._message(letter, valid, title=title, link=link, form_id=form_id)
            mail = Mail(
                host=self._account.host,
                port=self._account.port,
                security=self._account.security,
                username=self._account.username,
                password=self._account.password,
                sender=parseaddr(self._account.sender)[1],
                recipients=tuple(valid),
                message=message.as_bytes(),
            )
            try:
                await self._mailer.send(mail)
            except MailFailed as error:
                failures.append(str(error))
        return " ".join(failures)

    def _message(
        self, letter: Letter, recipients: Sequence[str], *, title: str, link: str, form_id: UUID
    ) -> EmailMessage:
        text = letter.body if URL in letter.body else f"{letter.body}\n\n{URL}".strip()
        message = EmailMessage(policy=SMTP)
        message["From"] = self._account.sender
        # Those who get it need not know of one another.
        message["To"] = recipients[0] if len(recipients) == 1 else "undisclosed-recipients:;"
        message["Subject"] = " ".join((letter.subject or title).split())
        message["Date"] = formatdate()
        # The same in a message that is sent again, so that mailboxes can tell the two are one.
        domain = parseaddr(self._account.sender)[1].rpartition("@")[2]
        message["Message-ID"] = f"<{form_id}@{domain or 'localhost'}>"
        message.set_content(text.replace(URL, link))
        paragraphs = escape(text).replace("\n", "<br>\n")
        anchor = f'<a href="{escape(link, quote=True)}">{escape(link)}</a>'
        message.add_alternative(f"<p>{paragraphs.replace(escape(URL), anchor)}</p>", subtype="html")
        return message


def _is_address(written: str) -> bool:
    try:
        # Refuses line breaks, which would add headers, and what has no domain.
        return bool(Address(addr_spec=written).domain)
    except (ValueError, IndexError):
        return False
