"""Hands messages to SMTP servers, through the egress guard: implements `ports.Mailer`."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from tidemill.adapters.egress import SETTING, EgressPolicy, parse_allow_list, read_address
from tidemill.ports import Mail, MailFailed

TIMEOUT_S: Final = 30.0


class GuardedMailer:
    """Servers are named by app authors, so their addresses are checked as those of any other request."""

    def __init__(self, *, allow: str = "") -> None:
        self._policy = EgressPolicy(parse_allow_list(allow))

    async def send(self, mail: Mail) -> None:
        """Deliver a message to its server.

        Raises:
            MailFailed: The guard refuses the server, it cannot be reached, or it refuses the message.
        """
        # The library is imported with the first message.
        import aiosmtplib

        connection = await self._connect(mail.host, mail.port)
        client = aiosmtplib.SMTP(
            hostname=mail.host,
            sock=connection,
            use_tls=mail.security == "tls",
            start_tls=mail.security == "starttls",
            timeout=TIMEOUT_S,
        )
        try:
            async with asyncio.timeout(2 * TIMEOUT_S), client:
                if mail.username:
                    await client.login(mail.username, mail.password)
                refused, _ = await client.sendmail(mail.sender, list(mail.recipients), mail.message)
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailFailed(
                f"{mail.host} refuses the account or its password. Check the provider's settings."
            ) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise MailFailed(f"{mail.host} did not take the message: {said}.") from error
        finally:
            client.close()
        if refused:
            names = ", ".join(refused)
            raise MailFailed(f"{mail.host} took the message, but not for {names}. Check these addresses.")

    async def _connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first address of the host that may be reached; the address checked is the one used."""
        loop = asyncio.get_running_loop()
        if self._policy.is_odd(host):
            raise MailFailed(f"{host} is an address in a form that is not accepted. Write it as a.b.c.d.")
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise MailFailed(f"The SMTP server {host} cannot be found. Check its name.") from error
        refused = ""
        for family, kind, protocol, _, target in found:
            address = read_address(str(target[0]))
            if address is None or not self._policy.permits(host, port, address):
                refused = str(target[0])
                continue
            connection = socket.socket(family, kind, protocol)
            connection.setblocking(False)
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    await loop.sock_connect(connection, target)
            except (OSError, TimeoutError):
                connection.close()
                continue
            except BaseException:
                connection.close()
                raise
            return connection
        if refused:
            raise MailFailed(
                f"Mail to the server {host} ({refused}) is refused: it is not a public address. "
                f"To allow it, add {host}:{port} to {SETTING} in the server's settings."
            )
        raise MailFailed(f"The SMTP server {host} cannot be reached on port {port}. Check its name and port.")
