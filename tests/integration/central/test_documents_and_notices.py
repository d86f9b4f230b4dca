# SPDX-License-Identifier: AGPL-3.0-or-later
"""Papers and notices on a real database, and e-mails at a real mail server."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from psycopg.rows import dict_row

from central.documents.development_key import ensure_development_key
from central.documents.errors import DocumentNotFoundError
from central.documents.layout import DocumentTemplate
from central.documents.service import DocumentService
from central.documents.types import SigningKey, Subject, SubjectKind
from central.documents.values import BadgeValues, Issuer
from central.documents.verification import verify_pdf
from central.notify.service import ATTEMPTS_MAX, NoticeService, Sending
from central.notify.types import NewNotice, NoticeId
from central.settings import MailProtection, NotifySettings
from deploy.local.ports import free_port
from tests.fixtures.certificates import loopback_certificate

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOST = "127.0.0.1"
SUBJECT = Subject(kind=SubjectKind.DOSSIER, id="H15.50-260302-0001")
BADGE = BadgeValues(
    issuer=Issuer(authority="Sở Xây dựng", office="Trung tâm"),
    number="47-00123",
    title="XE TẢI",
    plate="47C-123.45",
    party="Công ty TNHH Vận tải A",
    valid_from=date(2026, 3, 2),
    last_day=date(2033, 3, 1),
    legal_basis="Điều 23 Nghị định số 158/2024/NĐ-CP",
    dossier_code=SUBJECT.id,
    qr_text=SUBJECT.id,
    issued_at=NOW,
)
NOTICE = NewNotice(
    subject_kind="dossier",
    subject_id=SUBJECT.id,
    template="dossier_received",
    title="Đã tiếp nhận hồ sơ",
    body="Hồ sơ đã được tiếp nhận.\nHẹn trả kết quả: 04/03/2026.",
    email="lienhe@vantai-a.example",
)


class Mailbox:
    """Keeps what it is sent; answers as it is told."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.received: list[EmailMessage] = []

    async def handle_DATA(  # noqa: N802 - the server's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        if self.answer.startswith("250"):
            self.received.append(message)
        return self.answer

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    made = SigningKey(
        key_file=tmp_path / "key.pem",
        certificate_file=tmp_path / "certificate.pem",
        ca_file=tmp_path / "authority.pem",
    )
    ensure_development_key(made, now=datetime.now(UTC))
    return made


@contextmanager
def mail_server(mailbox: Mailbox, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A mail server on a free port; with a context it wants an encrypted link."""
    port = free_port()
    controller = Controller(
        mailbox,
        hostname=HOST,
        port=port,
        tls_context=context,
        require_starttls=context is not None,
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def plain_settings(port: int) -> NotifySettings:
    return NotifySettings(
        smtp_host=HOST,
        smtp_port=port,
        smtp_protection=MailProtection.NONE,
        smtp_timeout=timedelta(seconds=5),
    )


async def test_a_signed_badge_is_kept_found_and_verified(
    connection: psycopg.AsyncConnection, key: SigningKey
) -> None:
    service = DocumentService(connection)

    made = await service.give_out(SUBJECT, BADGE, now=NOW, key=key)
    document, content = await service.newest_content(SUBJECT, DocumentTemplate.BADGE)
    report = await verify_pdf(content, trusted_ca=key.ca_file, now=datetime.now(UTC))

    assert made.is_new
    assert document == made.document
    assert document.revision == 1
    assert document.size_bytes == len(content)
    assert document.signed_by == report.signer
    assert document.signed_at == report.signed_at
    assert report.is_good


async def test_the_same_paper_again_makes_no_second_revision(
    connection: psycopg.AsyncConnection, key: SigningKey
) -> None:
    service = DocumentService(connection)
    first = await service.give_out(SUBJECT, BADGE, now=NOW, key=key)

    again = await service.give_out(SUBJECT, BADGE, now=NOW + timedelta(hours=1), key=key)

    assert not again.is_new
    assert again.document == first.document
    assert len(await service.of_subject(SUBJECT)) == 1


async def test_other_contents_make_a_second_revision_and_keep_the_first(
    connection: psycopg.AsyncConnection,
) -> None:
    service = DocumentService(connection)
    await service.give_out(SUBJECT, BADGE, now=NOW)

    second = await service.give_out(SUBJECT, replace(BADGE, number="47-00124"), now=NOW)

    assert second.document.revision == 2
    assert [each.revision for each in await service.of_subject(SUBJECT)] == [2, 1]


async def test_a_signature_that_was_missing_makes_a_second_revision(
    connection: psycopg.AsyncConnection, key: SigningKey
) -> None:
    service = DocumentService(connection)
    await service.give_out(SUBJECT, BADGE, now=NOW)

    signed = await service.give_out(SUBJECT, BADGE, now=NOW, key=key)

    assert signed.document.revision == 2


async def test_a_paper_that_was_never_given_out_is_not_found(
    connection: psycopg.AsyncConnection,
) -> None:
    with pytest.raises(DocumentNotFoundError):
        await DocumentService(connection).newest_content(SUBJECT, DocumentTemplate.RECEIPT)


async def test_the_application_may_neither_change_nor_remove_a_paper(
    connection: psycopg.AsyncConnection,
) -> None:
    await DocumentService(connection).give_out(SUBJECT, BADGE, now=NOW)
    await connection.execute("SET LOCAL ROLE luuthong_app")

    for statement in ("DELETE FROM document", "UPDATE document SET revision = 9"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with connection.transaction():
                await connection.execute(statement.encode())


async def test_a_notice_stands_on_the_page_at_once(connection: psycopg.AsyncConnection) -> None:
    service = NoticeService(connection, settings=NotifySettings())

    await service.post(NOTICE, now=NOW)

    shown = await service.on_page(subject_kind="dossier", subject_id=SUBJECT.id)
    assert [(each.title, each.state, each.sent_at) for each in shown] == [
        (NOTICE.title, "sent", NOW)
    ]


async def test_without_a_mail_server_no_mail_is_queued(connection: psycopg.AsyncConnection) -> None:
    await NoticeService(connection, settings=NotifySettings()).post(NOTICE, now=NOW)

    assert await _mails(connection) == []
    assert await _jobs(connection) == []


async def test_without_an_address_no_mail_is_queued(connection: psycopg.AsyncConnection) -> None:
    service = NoticeService(connection, settings=plain_settings(25))

    await service.post(replace(NOTICE, email=None), now=NOW)

    assert await _mails(connection) == []


async def test_a_mail_is_sent_once(connection: psycopg.AsyncConnection) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        service = NoticeService(connection, settings=plain_settings(port))
        await service.post(NOTICE, now=NOW)
        [mail_id] = await _jobs(connection)

        first = await service.send(mail_id, now=NOW)
        again = await service.send(mail_id, now=NOW)

    [mail] = mailbox.received
    assert (first, again) == (Sending.SENT, Sending.NOTHING_TO_DO)
    assert mail["Subject"] == NOTICE.title
    assert mail["To"] == NOTICE.email
    assert mail.get_content().replace("\r\n", "\n").strip() == NOTICE.body
    assert await _mails(connection) == [("sent", 1, None)]


async def test_a_mail_goes_through_an_encrypted_link(
    connection: psycopg.AsyncConnection, tmp_path: Path
) -> None:
    mailbox, context = Mailbox(), _server_context(tmp_path)
    with mail_server(mailbox, context) as port:
        settings = plain_settings(port).model_copy(
            update={
                "smtp_protection": MailProtection.STARTTLS,
                "smtp_ca_file": tmp_path / "server.pem",
            }
        )
        service = NoticeService(connection, settings=settings)
        await service.post(NOTICE, now=NOW)
        [mail_id] = await _jobs(connection)

        outcome = await service.send(mail_id, now=NOW)

    assert outcome is Sending.SENT
    assert len(mailbox.received) == 1


async def test_a_server_that_nobody_vouches_for_gets_no_mail(
    connection: psycopg.AsyncConnection, tmp_path: Path
) -> None:
    mailbox, context = Mailbox(), _server_context(tmp_path)
    with mail_server(mailbox, context) as port:
        settings = plain_settings(port).model_copy(
            update={"smtp_protection": MailProtection.STARTTLS}
        )
        service = NoticeService(connection, settings=settings)
        await service.post(NOTICE, now=NOW)
        [mail_id] = await _jobs(connection)

        outcome = await service.send(mail_id, now=NOW)

    assert outcome is Sending.TRY_AGAIN
    assert mailbox.received == []
    assert await _mails(connection) == [("queued", 1, "tls_failed")]


async def test_a_mail_is_tried_again_and_given_up_in_the_end(
    connection: psycopg.AsyncConnection,
) -> None:
    with mail_server(Mailbox("451 later, lienhe@vantai-a.example")) as port:
        service = NoticeService(connection, settings=plain_settings(port))
        await service.post(NOTICE, now=NOW)
        [mail_id] = await _jobs(connection)

        outcomes = [await service.send(mail_id, now=NOW) for _ in range(ATTEMPTS_MAX)]

    assert outcomes == [Sending.TRY_AGAIN] * (ATTEMPTS_MAX - 1) + [Sending.FAILED]
    [(state, attempts, failure)] = await _mails(connection)
    assert (state, attempts) == ("failed", ATTEMPTS_MAX)
    assert failure is not None
    assert "@" not in failure


async def test_a_server_that_does_not_answer_is_tried_again(
    connection: psycopg.AsyncConnection,
) -> None:
    with mail_server(Mailbox()) as port:
        pass
    service = NoticeService(connection, settings=plain_settings(port))
    await service.post(NOTICE, now=NOW)
    [mail_id] = await _jobs(connection)

    assert await service.send(mail_id, now=NOW) is Sending.TRY_AGAIN
    assert await _mails(connection) == [("queued", 1, "unreachable")]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nobody@vantai-a.example", "recipient_refused"),
        ("a@b.example\r\nBcc: c@d.example", "bad_address"),
        ("no address", "bad_address"),
    ],
)
async def test_an_address_that_can_never_work_is_given_up_at_once(
    connection: psycopg.AsyncConnection, address: str, reason: str
) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        service = NoticeService(connection, settings=plain_settings(port))
        await service.post(replace(NOTICE, email=address), now=NOW)
        [mail_id] = await _jobs(connection)

        outcome = await service.send(mail_id, now=NOW)

    assert outcome is Sending.FAILED
    assert mailbox.received == []
    assert await _mails(connection) == [("failed", 1, reason)]


async def test_a_notice_that_is_not_there_is_nothing_to_do(
    connection: psycopg.AsyncConnection,
) -> None:
    service = NoticeService(connection, settings=plain_settings(25))

    assert await service.send(NoticeId(uuid4()), now=NOW) is Sending.NOTHING_TO_DO


async def _mails(connection: psycopg.AsyncConnection) -> list[tuple[Any, ...]]:  # a database row
    cursor = await connection.execute(
        "SELECT state, attempts, failure FROM notice WHERE channel = 'email'"
    )
    return await cursor.fetchall()


async def _jobs(connection: psycopg.AsyncConnection) -> list[NoticeId]:
    """Ids of the mails that jobs are queued for."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT (args ->> 'notice_id')::uuid AS id FROM procrastinate_jobs"
            " WHERE task_name = 'send_notice'"
        )
        return [NoticeId(row["id"]) for row in await cursor.fetchall()]


def _server_context(folder: Path) -> ssl.SSLContext:
    """A mail server's side of TLS."""
    made = loopback_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate_file, made.key_file)
    return context
