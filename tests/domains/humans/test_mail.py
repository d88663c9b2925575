"""Forms by e-mail, through a real SMTP server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session

from domains.humans.flows import COMMENT, approval
from domains.humans.people import asked
from support.installation import settings_in
from support.served import Served
from tidemill.kit.settings import Settings


@dataclass
class Post:
    """The server's memory."""

    port: int = 0
    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list[tuple[list[str], EmailMessage]])

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append((list(envelope.rcpt_tos), message))
        return "250 taken"


@pytest_asyncio.fixture
async def post() -> AsyncIterator[Post]:
    kept = Post()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, loop=loop, hostname="localhost"), "127.0.0.1", 0)
    kept.port = server.sockets[0].getsockname()[1]
    yield kept
    server.close()


@pytest.fixture
def settings(tmp_path: Path, database_settings: dict[str, str], post: Post) -> Settings:
    """An installation that sends mail."""
    return settings_in(
        tmp_path,
        SMTP_SERVER="127.0.0.1",
        SMTP_PORT=str(post.port),
        SMTP_USE_TLS="false",
        MAIL_DEFAULT_SEND_FROM="Tidemill <robot@a.example>",
        APP_WEB_URL="https://forms.a.example",
        **database_settings,
    )


def mailed(recipients: object, **config: str) -> dict[str, Any]:
    delivery = {"id": "m", "type": "email", "enabled": True, "config": {"recipients": recipients, **config}}
    return approval(delivery_methods=[delivery], inputs=[COMMENT])


def outsiders(*addresses: str) -> dict[str, Any]:
    return {"whole_workspace": False, "items": [{"type": "external", "email": address} for address in addresses]}


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content()


async def test_a_form_is_sent_with_its_link_and_rendered_texts(served: Served, post: Post):
    texts = {"subject": "About {{#start.x#}}", "body": "Please look:\n{{#url#}}\n<b>{{#start.x#}}</b>"}
    app = await served.publish(mailed(outsiders("ann@b.example"), **texts))

    waiting = await asked(app)

    ((recipients, message),) = post.received
    token = served.desk.form_tokens.of(waiting.forms[0]["form_id"])
    link = f"https://forms.a.example/form/{token}"
    assert recipients == ["ann@b.example"]
    assert message["From"] == "Tidemill <robot@a.example>"
    assert message["To"] == "ann@b.example"
    assert message["Subject"] == "About hello"
    assert text_of(message, "plain").splitlines() == ["Please look:", link, "<b>hello</b>"]
    assert f'href="{link}"' in text_of(message, "html")
    assert "&lt;b&gt;hello" in text_of(message, "html")


async def test_members_and_outsiders_get_it_without_learning_of_one_another(served: Served, post: Post):
    everybody = {"whole_workspace": True, "items": [{"type": "external", "email": "ann@b.example"}]}
    app = await served.publish(mailed(everybody))

    await asked(app)

    ((recipients, message),) = post.received
    assert recipients == [served.owner.email, "ann@b.example"]
    assert "example" not in message["To"]
    assert message["Subject"] == "ask"
    assert "https://forms.a.example/form/" in text_of(message, "plain")


async def test_a_member_is_named_by_their_account(served: Served, post: Post):
    member = {"type": "member", "user_id": str(served.owner.member.account_id)}
    app = await served.publish(mailed({"whole_workspace": False, "items": [member]}))

    await asked(app)

    assert [recipients for recipients, _ in post.received] == [[served.owner.email]]


@pytest.mark.parametrize("address", ["nobody@b.example", "no address", "a@b.example\r\nBcc: x@b.example"])
async def test_a_form_that_cannot_be_sent_waits_all_the_same_and_says_why(served: Served, post: Post, address: str):
    app = await served.publish(mailed(outsiders(address)))

    waiting = await asked(app)
    (form,) = (await served.owner.browser.get(f"/runs/{waiting.run_id}/human-forms")).json()["items"]

    assert form["status"] == "waiting"
    assert form["mail_error"]
    assert post.received == []


async def test_a_form_is_sent_once_though_its_run_goes_on_and_waits_again(served: Served, post: Post):
    document = mailed(outsiders("ann@b.example"))
    other = approval()["workflow"]["graph"]["nodes"][1] | {"id": "other"}
    document["workflow"]["graph"]["nodes"].append(other)
    edge = {"id": "o", "source": "start", "sourceHandle": "source", "target": "other", "targetHandle": "target"}
    document["workflow"]["graph"]["edges"].append(edge)
    app = await served.publish(document)
    waiting = await asked(app)
    token = next(form["form_token"] for form in waiting.forms if form["node_id"] == "other")

    await waiting.answer(token=token)
    story = await waiting.rest(is_whole=True)

    assert [event["event"] for event in story].count("workflow_paused") == 2
    assert len(post.received) == 1
