# SPDX-License-Identifier: AGPL-3.0-or-later
"""Handing an e-mail to the mail server, with the standard library, in a thread of its own.

A server that hangs keeps its thread for minutes. It delays no other work in threads, and not the
end of the process either: whoever waited is told, and the e-mail is sent again later.
"""

import asyncio
import smtplib
import ssl
from concurrent.futures import Future
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from threading import Thread
from typing import Final

from central.notify.errors import MailNotSentError, MailRefusedError
from central.settings import MailProtection, NotifySettings, read_secret

PERMANENT_REFUSALS: Final = range(500, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """An e-mail in plain text.

    Attributes:
        message_id: The same at every attempt, so that a mail program shows repeats once.
    """

    message_id: str
    to: str
    title: str
    body: str


async def send_mail(mail: Mail, settings: NotifySettings) -> None:
    """Hand an e-mail over.

    Raises:
        MailRefusedError: The server refuses it for good.
        MailNotSentError: It could not be handed over now.
    """
    outcome = Future[None]()
    Thread(target=_settle, args=(outcome, mail, settings), name="mail", daemon=True).start()
    await asyncio.wrap_future(outcome)


def _settle(outcome: Future[None], mail: Mail, settings: NotifySettings) -> None:
    """Send in this thread, and tell what came of it to whoever still waits."""
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        _send(mail, settings)
    except Exception as error:  # noqa: BLE001 - the top of a thread; the waiting job raises it
        outcome.set_exception(error)
    else:
        outcome.set_result(None)


def _send(mail: Mail, settings: NotifySettings) -> None:
    """Hand an e-mail over in this thread; every error loses its text, which quotes the address."""
    try:
        message = _message(mail, sender=settings.sender)
    except (ValueError, IndexError):
        raise MailRefusedError("bad_address") from None
    try:
        with _connected(settings) as server:
            if settings.smtp_username is not None and settings.smtp_password_file is not None:
                server.login(settings.smtp_username, read_secret(settings.smtp_password_file))
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        if codes and all(code in PERMANENT_REFUSALS for code in codes):
            raise MailRefusedError("recipient_refused") from None
        raise MailNotSentError("recipient_deferred") from None
    except smtplib.SMTPAuthenticationError:
        raise MailNotSentError("login_refused") from None
    except ssl.SSLError:
        raise MailNotSentError("tls_failed") from None
    except smtplib.SMTPException as error:
        raise MailNotSentError(type(error).__name__) from None
    except OSError:
        raise MailNotSentError("unreachable") from None


def _connected(settings: NotifySettings) -> smtplib.SMTP:
    """A protected link to the mail server, as the settings want it."""
    host, port = settings.smtp_host or "", settings.smtp_port
    timeout_s = settings.smtp_timeout.total_seconds()
    if settings.smtp_protection is MailProtection.NONE:
        return smtplib.SMTP(host, port, timeout=timeout_s)
    ca_file = None if settings.smtp_ca_file is None else str(settings.smtp_ca_file)
    context = ssl.create_default_context(cafile=ca_file)
    if settings.smtp_protection is MailProtection.TLS:
        return smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=context)
    server = smtplib.SMTP(host, port, timeout=timeout_s)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _message(mail: Mail, *, sender: str) -> EmailMessage:
    """The e-mail; the headers refuse line breaks, so no address adds a header.

    Raises:
        ValueError: The address is none.
        IndexError: The address is none.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.title
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message
