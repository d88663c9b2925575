"""E-mail: messages sent through an SMTP server."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import AsyncIterator
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Final, Literal

from tidemill.ports import (
    Files,
    FileUnavailable,
    Mail,
    Mailer,
    MailFailed,
    ToolCall,
    ToolFailed,
    ToolMessage,
    ToolParameter,
    WorkFailed,
    Workshop,
)
from tidemill.tools.exports import html_of
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, optional, setting, text

MAX_RECIPIENTS: Final = 100
MAX_ATTACHED_BYTES: Final = 20 * 1024 * 1024
_SECURITY: Final[dict[str, Literal["none", "starttls", "tls"]]] = {
    "none": "none",
    "tls": "starttls",
    "starttls": "starttls",
    "ssl": "tls",
}

PROVIDER = Provider(
    "email",
    "E-mail",
    "Sends e-mail.",
    aliases=("mail", "smtp"),
    credentials=[
        CredentialField(name="email_account", label="Account", is_secret=False, environment="SMTP_USERNAME"),
        CredentialField(name="email_password", label="Password", is_required=False, environment="SMTP_PASSWORD"),
        CredentialField(name="smtp_server", label="SMTP server", is_secret=False, environment="SMTP_HOST"),
        CredentialField(
            name="smtp_port", label="Port", is_required=False, is_secret=False, environment="SMTP_PORT", default="587"
        ),
        CredentialField(
            name="encrypt_method",
            label="Encryption",
            is_required=False,
            is_secret=False,
            help="TLS: STARTTLS on port 587. SSL: TLS from the first byte, on port 465. NONE: none.",
            environment="SMTP_ENCRYPTION",
            default="TLS",
            options=("TLS", "SSL", "NONE"),
        ),
        CredentialField(
            name="sender_address",
            label="Sender's address",
            is_required=False,
            is_secret=False,
            help="When it is not the account.",
            environment="SMTP_SENDER",
        ),
    ],
)

_REST: Final[tuple[ToolParameter, ...]] = (
    asked("subject", "Subject of the message."),
    asked("email_content", "Text of the message."),
    optional("cc", "Addresses that get a copy, separated by commas."),
    optional("bcc", "Addresses that get a hidden copy, separated by commas."),
    optional("reply_to", "Address for answers."),
    optional("attachments", "Files to attach.", type="files"),
    setting("convert_to_html", "Read the text as Markdown and send HTML too.", type="boolean", default=False),
)


def _addresses(written: str) -> list[str]:
    """Addresses out of a list written with commas, semicolons or lines, or as JSON."""
    if written.strip().startswith("["):
        try:
            found = json.loads(written)
        except ValueError as error:
            raise ToolFailed("The list of addresses is not JSON. Separate them by commas instead.") from error
        names = [str(name) for name in found]
    else:
        names = written.replace(";", ",").replace("\n", ",").split(",")
    return [_address(name.strip()) for name in names if name.strip()]


def _address(written: str) -> str:
    try:
        # Refuses line breaks, which would add headers, and what has no domain.
        found = Address(addr_spec=written)
    except (ValueError, IndexError, HeaderParseError, MessageError) as error:
        raise ToolFailed(f"{written[:80]!r} is not an e-mail address.") from error
    if not found.domain:
        raise ToolFailed(f"{written[:80]!r} is not an e-mail address.")
    return found.addr_spec


async def _message(arguments: Arguments, call: ToolCall, sender: str, to: list[str], copies: list[str]) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    content = arguments.text("email_content")
    message["From"] = sender
    message["To"] = ", ".join(to)
    if copies:
        message["Cc"] = ", ".join(copies)
    if arguments.has("reply_to"):
        message["Reply-To"] = ", ".join(_addresses(arguments.text("reply_to")))
    message["Subject"] = " ".join(arguments.text("subject").split())
    message["Date"] = formatdate()
    # The same after a repeated call, so that mailboxes can tell the two are one.
    message["Message-ID"] = f"<{call.idempotency_key}@{sender.rpartition('@')[2]}>"
    message.set_content(content)
    if arguments.flag("convert_to_html"):
        message.add_alternative(await _html(content, call), subtype="html")
    size = 0
    for file in arguments.files("attachments"):
        try:
            data = await call.port(Files).read(file)
        except FileUnavailable as error:
            raise ToolFailed(str(error)) from error
        size += len(data)
        if size > MAX_ATTACHED_BYTES:
            raise ToolFailed(f"The attachments are larger than {MAX_ATTACHED_BYTES // 1024 // 1024} MB together.")
        kind = file.mime_type or mimetypes.guess_type(file.filename)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub or "octet-stream", filename=file.filename or "file")
    return message


async def _html(content: str, call: ToolCall) -> str:
    try:
        return await call.port(Workshop).run(html_of, content)
    except WorkFailed as error:
        raise ToolFailed(f"The text cannot be turned into HTML: {error}") from error


async def _send(arguments: Arguments, call: ToolCall, to: list[str]) -> AsyncIterator[ToolMessage]:
    given = call.credentials
    sender = _address(given.get("sender_address") or given["email_account"])
    copies, hidden = _addresses(arguments.text("cc")), _addresses(arguments.text("bcc"))
    recipients = tuple(dict.fromkeys([*to, *copies, *hidden]))
    if not to or len(recipients) > MAX_RECIPIENTS:
        raise ToolFailed(f"A message goes to 1 to {MAX_RECIPIENTS} addresses, and this one has {len(recipients)}.")
    message = await _message(arguments, call, sender, to, copies)
    try:
        await call.port(Mailer).send(
            Mail(
                host=given["smtp_server"].strip(),
                port=_port(given.get("smtp_port") or "587"),
                security=_SECURITY.get((given.get("encrypt_method") or "tls").lower(), "starttls"),
                username=given["email_account"] if given.get("email_password") else "",
                password=given.get("email_password", ""),
                sender=sender,
                recipients=recipients,
                message=message.as_bytes(),
            )
        )
    except MailFailed as error:
        raise ToolFailed(str(error)) from error
    yield text("send email success")
    yield json_data({"recipients": list(recipients), "message_id": str(message["Message-ID"])})


def _port(written: str) -> int:
    if not written.strip().isdigit() or not 0 < int(written) < 65536:
        raise ToolFailed(f"{written[:20]!r} is not a port. Correct the provider's settings: 587, 465 or 25.")
    return int(written)


@PROVIDER.tool(
    "send_mail",
    "Send mail",
    "Sends an e-mail to one address.",
    asked("send_to", "The recipient's address."),
    *_REST,
    is_read_only=False,
)
async def send_mail(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _send(arguments, call, _addresses(arguments.text("send_to"))):
        yield message


@PROVIDER.tool(
    "send_mail_batch",
    "Send mail to several",
    "Sends an e-mail to several addresses.",
    asked("send_to", "The recipients' addresses: a JSON list, or separated by commas."),
    *_REST,
    is_read_only=False,
)
async def send_mail_batch(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _send(arguments, call, _addresses(arguments.text("send_to"))):
        yield message
