"""Mail: a title and a link to one person, through the operator's server, over TLS unless that server is this machine.

A person's address is a protected value. Whoever keeps contacts opens it for one message, on record before; it is in no row, no line of a
log and no outcome here. The message's id is that of the telling, so a mail that is sent again after a crash is known as the same.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Protocol
from uuid import UUID

from app.kit.clock import Clock
from app.kit.errors import Problem
from app.notices import messages
from app.notices.channels import Parcel, Places
from app.notices.notice import Notice
from app.notices.told import Outcome
from app.outgoing import SmtpSettings

_SECONDS: Final = 15.0
_PERMANENT: Final = 500


class Addresses(Protocol):
    """Who knows the mail addresses of people: wired by the composition root."""

    async def mail_address(self, person: UUID, delivery: UUID) -> str | None:
        """Give the address of somebody in service for one telling, on record before; ``None`` when there is nobody or none.

        Raises ``LogUnavailable`` when that cannot be recorded.
        """
        ...


class MailChannel:
    """Writes and sends mail."""

    def __init__(
        self,
        settings: SmtpSettings,
        addresses: Addresses,
        places: Places,
        clock: Clock,
        *,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Take the server, who knows addresses, what links begin with, the clock, and whose certificates are believed."""
        self._settings, self._addresses, self._places, self._clock = settings, addresses, places, clock
        self._trust = trust

    async def send(self, parcel: Parcel) -> Outcome:
        """Send one mail."""
        try:
            address = await self._addresses.mail_address(parcel.recipient, parcel.delivery)
        except Problem as problem:
            return Outcome("again", problem.code[:32])
        if address is None:
            return Outcome("refused", "no_address")
        try:
            message = written(
                parcel.notice, parcel.delivery, address, self._settings.sender, self._places, self._clock.now()
            )
        except ValueError:
            return Outcome("refused", "no_address")
        return await asyncio.to_thread(self._sent, message)

    def _sent(self, message: EmailMessage) -> Outcome:
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            status = max(code for code, _ in refused.recipients.values())
            return Outcome("refused" if status >= _PERMANENT else "again", "recipient_refused", status)
        except smtplib.SMTPResponseException as refused:
            return Outcome("again", "mail_refused", refused.smtp_code)
        except smtplib.SMTPNotSupportedError:
            return Outcome("again", "tls_failed")
        except (smtplib.SMTPException, OSError) as error:
            return Outcome("again", _failure(error))
        return Outcome("delivered", "delivered", 250)

    def _connected(self) -> smtplib.SMTP:
        settings, named = self._settings, self._settings.sender.rpartition("@")[2]
        if settings.host is None:
            raise smtplib.SMTPServerDisconnected
        make: Callable[..., smtplib.SMTP] = smtplib.SMTP
        given = {}
        if settings.security == "tls":
            make, given = smtplib.SMTP_SSL, {"context": self._context()}
        server = make(settings.host, settings.port, local_hostname=named, timeout=_SECONDS, **given)
        try:
            if settings.security == "starttls":
                server.starttls(context=self._context())
            if settings.username is not None:
                server.login(settings.username, settings.password.get_secret_value() if settings.password else "")
        except BaseException:
            server.close()
            raise
        return server

    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()


def written(notice: Notice, delivery: UUID, address: str, sender: str, places: Places, now: datetime) -> EmailMessage:
    """Write a mail; raises ``ValueError`` for an address that would break out of its header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = address
    message["Subject"] = messages.subject(notice)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{delivery}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(messages.mail(notice, places.portal))
    return message


def _failure(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    return "timeout" if isinstance(error, TimeoutError) else "unreachable"
