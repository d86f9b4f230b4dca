# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a device gets its certificates, and how they are taken from it.

Somebody at the centre invites the device; the token is brought to it, is used once within a day,
and gives it a certificate for a key that never left it, and a new secret for its uploads. Later
it renews by itself, proving with its newest key that it is still the same.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.db.queries import QueryFile
from central.devices.authority import (
    DeviceAuthority,
    IssuedCertificate,
    RevokedCertificate,
    is_signed_by,
)
from central.errors import DeviceNotFoundError, DeviceRefusedError, InvitationRefusedError
from central.sites.service import SiteService
from central.sites.types import Device

QUERIES: Final = QueryFile.beside(__file__)
INVITATION_MARK: Final = "lte_"
TOKEN_BYTES: Final = 32
TOKEN_LENGTH_MAX: Final = 100
INVITATION_LIFETIME: Final = timedelta(days=1)
"""Longer: more time to bring the token to the device, and for a thief to use it."""

CERTIFICATE_LIFETIME: Final = timedelta(days=90)
"""Longer: rarer renewals, and a key that was copied unnoticed is of use for longer."""

REASON_LENGTH_MAX: Final = 300
CERTIFICATES_MAX: Final = 200
REVOKED_MAX: Final = 100_000

INVITED_ACTION: Final = "device_invited"
ENROLLED_ACTION: Final = "device_enrolled"
RENEWED_ACTION: Final = "device_certificate_renewed"
REVOKED_ACTION: Final = "device_certificates_revoked"
SUBJECT: Final = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an invited device gets.

    Attributes:
        secret: For its uploads; shown this once.
        authority_pem: The authority's certificate.
    """

    device: Device
    certificate: IssuedCertificate
    authority_pem: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCertificate:
    """A certificate as the centre remembers it; ``revoked_at`` is ``None`` while it counts."""

    serial: str
    device_id: str
    public_key_pem: str
    not_before_at: datetime
    not_after_at: datetime
    issued_at: datetime
    revoked_at: datetime | None
    revocation_reason: str | None

    def holds(self, *, now: datetime) -> bool:
        """Whether it counts at a moment."""
        return self.revoked_at is None and self.not_before_at <= now < self.not_after_at


class EnrolmentService:
    """Invitations and certificates, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, actor: Actor) -> None:
        self._connection = connection
        self._sites = SiteService(connection)
        self._audit = AuditService(connection)
        self._actor = actor

    async def invite(self, device_id: str, *, now: datetime) -> str:
        """A token that lets a device ask for its first certificate; earlier ones are void.

        Raises:
            DeviceNotFoundError: There is no such device.
        """
        token = INVITATION_MARK + secrets.token_urlsafe(TOKEN_BYTES)
        await self._connection.execute(
            QUERIES["expire_invitations"], {"device_id": device_id, "now": now}
        )
        cursor = await self._connection.execute(
            QUERIES["insert_invitation"],
            {
                "token_hash": _digest(token),
                "device_id": device_id,
                "invited_by": self._actor.name,
                "now": now,
                "expires_at": now + INVITATION_LIFETIME,
            },
        )
        if cursor.rowcount != 1:
            raise DeviceNotFoundError(device_id)
        await self._record(INVITED_ACTION, device_id, now=now)
        return token

    async def enrol(
        self, token: str, request_pem: bytes, *, authority: DeviceAuthority, now: datetime
    ) -> Enrolment:
        """Use an invitation up for a certificate and a new secret.

        Args:
            token: As the device was given it.
            request_pem: PKCS #10 request of its new key.
            authority: Signs.
            now: Aware time.

        Raises:
            InvitationRefusedError: The token is unknown, used or expired; which is not told.
            CertificateRequestInvalidError: The request can't be signed; the token stays good.
        """
        async with self._connection.cursor(row_factory=class_row(Device)) as cursor:
            await cursor.execute(
                QUERIES["use_invitation"], {"token_hash": _digest(token), "now": now}
            )
            device = await cursor.fetchone()
        if device is None:
            raise InvitationRefusedError
        issued = await self._issue(request_pem, device.id, authority=authority, now=now)
        fresh = await self._sites.new_secret(device.id, now=now)
        await self._record(ENROLLED_ACTION, device.id, now=now, serial=issued.serial)
        return Enrolment(
            device=device,
            certificate=issued,
            authority_pem=authority.certificate_pem,
            secret=fresh.secret,
        )

    async def renew(
        self,
        device: Device,
        request_pem: bytes,
        *,
        signature: bytes,
        authority: DeviceAuthority,
        now: datetime,
    ) -> IssuedCertificate:
        """A further certificate for a device that has one.

        Args:
            device: Has proved who it is by its secret.
            request_pem: PKCS #10 request of its next key.
            signature: Over the request, by the key of a certificate that still holds.
            authority: Signs.
            now: Aware time.

        Raises:
            DeviceRefusedError: No certificate of the device that holds fits the signature.
            CertificateRequestInvalidError: The request can't be signed.
        """
        kept = await self.certificates(device.id)
        is_proved = any(
            is_signed_by(each.public_key_pem, signature=signature, message=request_pem)
            for each in kept
            if each.holds(now=now)
        )
        if not is_proved:
            raise DeviceRefusedError(device.id)
        issued = await self._issue(request_pem, device.id, authority=authority, now=now)
        await self._record(RENEWED_ACTION, device.id, now=now, serial=issued.serial)
        return issued

    async def revoke(self, device_id: str, *, reason: str, now: datetime) -> int:
        """Let no certificate of a device count any more; returns how many that were.

        The broker must read the list of revoked certificates anew to know of it.

        Raises:
            ValueError: The reason is empty or too long.
        """
        if not 1 <= len(reason.strip()) <= REASON_LENGTH_MAX:
            raise ValueError("a revocation needs a reason")
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["revoke_certificates"],
                {"device_id": device_id, "reason": reason.strip(), "now": now},
            )
            serials: list[JsonValue] = [str(each) for each in await cursor.fetchall()]
        await self._connection.execute(
            QUERIES["expire_invitations"], {"device_id": device_id, "now": now}
        )
        await self._record(
            REVOKED_ACTION, device_id, now=now, serials=serials, reason=reason.strip()
        )
        return len(serials)

    async def certificates(self, device_id: str) -> Sequence[KeptCertificate]:
        """Certificates of a device, newest first."""
        async with self._connection.cursor(row_factory=class_row(KeptCertificate)) as cursor:
            await cursor.execute(
                QUERIES["select_certificates"],
                {"device_id": device_id, "rows_max": CERTIFICATES_MAX},
            )
            return await cursor.fetchall()

    async def revocation_list(self, authority: DeviceAuthority, *, now: datetime) -> bytes:
        """The signed list for the broker (PEM)."""
        async with self._connection.cursor(row_factory=class_row(RevokedCertificate)) as cursor:
            await cursor.execute(
                QUERIES["select_revoked_certificates"], {"now": now, "rows_max": REVOKED_MAX}
            )
            return authority.revocation_list(await cursor.fetchall(), now=now)

    async def _issue(
        self, request_pem: bytes, device_id: str, *, authority: DeviceAuthority, now: datetime
    ) -> IssuedCertificate:
        issued = authority.issue(
            request_pem, device_id=device_id, lifetime=CERTIFICATE_LIFETIME, now=now
        )
        await self._connection.execute(
            QUERIES["insert_certificate"],
            {
                "serial": issued.serial,
                "device_id": device_id,
                "public_key_pem": issued.public_key_pem,
                "not_before_at": issued.not_before_at,
                "not_after_at": issued.not_after_at,
                "now": now,
            },
        )
        return issued

    async def _record(
        self, action: str, device_id: str, *, now: datetime, **detail: JsonValue
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=SUBJECT,
                subject_id=device_id,
                detail=detail,
            )
        )


def _digest(token: str) -> bytes:
    """What is kept of a token: SHA-256, since it is 256 random bits and no password."""
    return hashlib.sha256(token.encode("utf-8", errors="replace")).digest()
