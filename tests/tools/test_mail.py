"""E-mail through a real SMTP server on this machine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tidemill.adapters.mailer import GuardedMailer
from tidemill.engine.values import File
from tidemill.ports import Mailer, ToolFailed
from tools.vendors import Bench


@dataclass
class Post:
    """The server's memory."""

    port: int = 0
    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list[tuple[list[str], EmailMessage]])
    refused: set[str] = field(default_factory=set[str])

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append((list(envelope.rcpt_tos), message))
        return "250 taken"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"right", handled=False)


@pytest_asyncio.fixture
async def post() -> AsyncIterator[Post]:
    kept = Post()
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(kept, loop=loop, authenticator=kept.login, auth_require_tls=False, hostname="localhost")

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    kept.port = server.sockets[0].getsockname()[1]
    yield kept
    server.close()


def credentials(post: Post, **changes: str) -> dict[str, str]:
    return {
        "email_account": "robot@a.example",
        "email_password": "right",
        "smtp_server": "127.0.0.1",
        "smtp_port": str(post.port),
        "encrypt_method": "NONE",
        **changes,
    }


@pytest.fixture
def desk(bench: Bench) -> Bench:
    bench.ports[Mailer] = GuardedMailer(allow="127.0.0.1")
    return bench


LETTER = {"send_to": "ada@b.example", "subject": "湖 of the day", "email_content": "Hello Ada,\n\n**deep**"}


async def test_a_message_reaches_its_recipients(desk: Bench, post: Post):
    found = await desk.run(
        "langgenius/email/email",
        "send_mail",
        {**LETTER, "cc": "c@b.example", "bcc": "d@b.example", "reply_to": "help@a.example"},
        credentials(post),
    )

    ((recipients, message),) = post.received
    assert recipients == ["ada@b.example", "c@b.example", "d@b.example"]
    assert message["From"] == "robot@a.example"
    assert message["Subject"] == "湖 of the day"
    assert message["Cc"] == "c@b.example"
    assert message["Bcc"] is None
    assert message["Reply-To"] == "help@a.example"
    assert message["Message-ID"] == "<key-1@a.example>"
    assert message.get_content().split() == ["Hello", "Ada,", "**deep**"]
    assert found.text == "send email success"


async def test_markdown_is_sent_as_html_too_and_files_are_attached(desk: Bench, post: Post):
    file = await desk.files.save(filename="报告.txt", mime_type="text/plain", data=b"data")

    await desk.run("email", "send_mail", {**LETTER, "convert_to_html": True, "attachments": [file]}, credentials(post))

    ((_, message),) = post.received
    html = message.get_body(("html",))
    assert html is not None
    assert "<strong>deep</strong>" in html.get_content()
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "报告.txt"
    assert attachment.get_content().strip() == "data"


async def test_a_batch_goes_to_all_addresses_of_its_list(desk: Bench, post: Post):
    arguments = {**LETTER, "send_to": '["a@b.example", "b@b.example"]'}

    await desk.run("email", "send_mail_batch", arguments, credentials(post))

    assert post.received[0][0] == ["a@b.example", "b@b.example"]


async def test_a_wrong_password_is_said(desk: Bench, post: Post):
    with pytest.raises(ToolFailed, match="refuses the account") as caught:
        await desk.run("email", "send_mail", LETTER, credentials(post, email_password="wrong-secret"))

    assert "wrong-secret" not in str(caught.value)
    assert post.received == []


async def test_a_refused_recipient_is_named(desk: Bench, post: Post):
    post.refused = {"c@b.example"}

    with pytest.raises(ToolFailed, match=r"not for c@b\.example"):
        await desk.run("email", "send_mail", {**LETTER, "cc": "c@b.example"}, credentials(post))


async def test_a_server_without_starttls_is_not_used_in_the_clear(desk: Bench, post: Post):
    with pytest.raises(ToolFailed, match="did not take the message"):
        await desk.run("email", "send_mail", LETTER, credentials(post, encrypt_method="TLS"))

    assert post.received == []


async def test_a_server_at_a_private_address_is_refused_unless_allowed(bench: Bench, post: Post):
    bench.ports[Mailer] = GuardedMailer()

    with pytest.raises(ToolFailed, match="TIDEMILL_EGRESS_ALLOW"):
        await bench.run("email", "send_mail", LETTER, credentials(post))
    with pytest.raises(ToolFailed, match="form that is not accepted"):
        await bench.run("email", "send_mail", LETTER, credentials(post, smtp_server="2130706433"))

    assert post.received == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"send_to": "ada"}, "not an e-mail address"),
        ({"send_to": "a@b.example\r\nBcc: x@y.example"}, "not an e-mail address"),
        ({"reply_to": "x@y.example\nSubject: other"}, "not an e-mail address"),
        ({"cc": ",".join(f"a{number}@b.example" for number in range(100))}, "1 to 100"),
    ],
)
async def test_bad_addresses_are_refused_before_sending(desk: Bench, post: Post, change: dict[str, str], sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await desk.run("email", "send_mail", {**LETTER, **change}, credentials(post))

    assert post.received == []


async def test_a_line_break_in_the_subject_adds_no_header(desk: Bench, post: Post):
    await desk.run("email", "send_mail", {**LETTER, "subject": "a\r\nBcc: x@y.example"}, credentials(post))

    ((recipients, message),) = post.received
    assert message["Subject"] == "a Bcc: x@y.example"
    assert recipients == ["ada@b.example"]


async def test_an_attachment_that_is_gone_fails_the_tool(desk: Bench, post: Post):
    gone = File(type="document", transfer_method="tool_file", related_id="gone", filename="gone.txt")

    with pytest.raises(ToolFailed, match=r"gone\.txt"):
        await desk.run("email", "send_mail", {**LETTER, "attachments": [gone]}, credentials(post))
