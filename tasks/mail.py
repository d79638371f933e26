"""Notifications by SMTP to a mail sink on this machine, which refuses and defers as real servers do."""

from __future__ import annotations

import asyncio
import logging
import random
import smtplib
import time
from email.message import EmailMessage
from itertools import count
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from quarterdeck import current_job
from tasks.application import app, folder
from tasks.neighbours import HOST, Neighbour

SENDER = "deck@quarterdeck.example"
GREYLISTED_SHARE = 0.04
_chance = random.Random()  # noqa: S311 - nothing secret hangs on it
_numbers = count(1)
logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells each command


class Sink:
    """The mail server's rules, in aiosmtpd's terms; what it takes becomes a file in `outbox`."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse unknown mailboxes for good, and defer some mails once in a while."""
        del server, session, options
        if address.startswith("nobody@"):
            return "550 5.1.1 mailbox unavailable"
        if _chance.random() < GREYLISTED_SHARE:
            return "451 4.7.1 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail."""
        del server, session
        content: Any = envelope.content or b""
        name = f"{time.time_ns()}-{next(_numbers)}.eml"
        (folder("outbox") / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"250 OK kept as {name}"


async def _start() -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SMTP(Sink(), hostname="mail.quarterdeck.example", loop=loop), HOST, 0)


sink = Neighbour("mail-sink", _start)


class MailDeferredError(Exception):
    """The server wants to be asked again later."""


class MailRefusedError(Exception):
    """The server will not take a mail to this address."""


@app.task(queue="emails", retries=3, retry_delay_s=3, backoff=60, timeout_s=15, expected_s=0.3)
def send_mail(to: str, subject: str, text: str) -> str:
    """Send one mail; what the server said. Raises MailDeferredError, MailRefusedError or smtplib's errors."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    message.set_content(text)
    with smtplib.SMTP(HOST, sink.port(), timeout=10) as server:
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = refused.recipients[to]
            kind = MailDeferredError if code < 500 else MailRefusedError
            raise kind(f"SMTP {code}: {said.decode().partition(' ')[2]}") from refused
        answer = server.noop()[1].decode()
    current_job().log.info("sent %r to %s", subject, to)
    return answer
