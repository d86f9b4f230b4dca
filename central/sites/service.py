# SPDX-License-Identifier: AGPL-3.0-or-later
"""Registering devices, checking their secrets and telling how they are."""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.contracts.identifiers import SLUG_PATTERN
from central.domain.scope import SiteScope
from central.errors import (
    DeviceExistsError,
    DeviceNotFoundError,
    DeviceRefusedError,
    InvalidNameError,
    SiteNotFoundError,
)
from central.sites.repository import SiteRepository
from central.sites.types import (
    Camera,
    Completeness,
    Device,
    DeviceOverview,
    DeviceSecret,
    DeviceState,
    PlacedSite,
    Position,
    Registration,
    Site,
    SitePage,
)

SECRET_BYTES: Final = 32
_SLUG: Final = re.compile(SLUG_PATTERN)


class SiteService:
    """What can be done with sites and devices, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = SiteRepository(connection)

    async def register(self, registration: Registration, *, now: datetime) -> DeviceSecret:
        """Register a device, making its site and cameras where they are new.

        Raises:
            InvalidNameError: A name is no slug.
            DeviceExistsError: The device's name is taken.
            SiteNotFoundError: The site exists in another province.
        """
        _check_names(registration)
        await self._rows.add_site(
            Site(
                id=registration.site_id,
                province=registration.province,
                name=registration.site_name,
            )
        )
        site = await self._rows.site(registration.site_id)
        if site is None or site.province != registration.province:
            raise SiteNotFoundError(registration.site_id)
        if registration.position is not None:
            await self._rows.set_position(site.id, registration.position)
        for camera_id in registration.camera_ids:
            await self._rows.add_camera(Camera(site_id=site.id, id=camera_id, name=camera_id))
        secret = secrets.token_urlsafe(SECRET_BYTES)
        added = await self._rows.add_device(
            device_id=registration.device_id,
            site_id=site.id,
            secret_hash=secret_hash(secret),
            now=now,
        )
        if not added:
            raise DeviceExistsError(registration.device_id)
        return DeviceSecret(device_id=registration.device_id, secret=secret)

    async def new_secret(self, device_id: str, *, now: datetime) -> DeviceSecret:
        """Replace a device's secret, as after a theft.

        Raises:
            DeviceNotFoundError: There is no such device.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        replaced = await self._rows.replace_secret(
            device_id=device_id, secret_hash=secret_hash(secret), now=now
        )
        if not replaced:
            raise DeviceNotFoundError(device_id)
        return DeviceSecret(device_id=device_id, secret=secret)

    async def switch(self, device_id: str, state: DeviceState) -> None:
        """Switch a device on or off.

        Raises:
            DeviceNotFoundError: There is no such device.
        """
        if not await self._rows.switch_device(device_id, state):
            raise DeviceNotFoundError(device_id)

    async def authenticate(self, *, device_id: str, secret: str) -> Device:
        """The device, if the secret is its own; takes as long for an unknown one.

        Raises:
            DeviceNotFoundError: There is no such device.
            DeviceRefusedError: The secret is wrong, or the device is switched off.
        """
        is_name = _SLUG.fullmatch(device_id) is not None
        found = await self._rows.device_with_secret(device_id) if is_name else None
        expected = found.secret_hash if found else bytes(hashlib.sha256().digest_size)
        is_right = hmac.compare_digest(expected, secret_hash(secret))
        if found is None:
            raise DeviceNotFoundError(device_id)
        if not is_right or not found.device.enabled:
            raise DeviceRefusedError(device_id)
        return found.device

    async def sites(self, scope: SiteScope) -> Sequence[Site]:
        """Sites of a scope, by name."""
        return await self._rows.sites(scope)

    async def placed(self, scope: SiteScope) -> Sequence[PlacedSite]:
        """Sites of a scope with where they stand, by name."""
        return await self._rows.placed(scope)

    async def place(self, site_id: str, position: Position) -> None:
        """Say where a site stands.

        Raises:
            SiteNotFoundError: There is no such site.
        """
        if not await self._rows.set_position(site_id, position):
            raise SiteNotFoundError(site_id)

    async def page(self, scope: SiteScope, *, after: str, size: int) -> SitePage:
        """Some sites of a scope by id.

        Args:
            scope: What the caller may see.
            after: Only sites after this id; empty for the first page.
            size: Most sites of the page.
        """
        found = await self._rows.sites_after(scope, after=after, limit=size + 1)
        shown = tuple(found[:size])
        return SitePage(sites=shown, next_after=shown[-1].id if len(found) > size else None)

    async def cameras(self, scope: SiteScope) -> Sequence[Camera]:
        """Cameras of a scope, by site and name."""
        return await self._rows.cameras(scope)

    async def devices(self, scope: SiteScope) -> Sequence[DeviceOverview]:
        """Devices of a scope with their newest heartbeat, by id."""
        return await self._rows.overviews(scope)

    async def completeness(self, device_id: str) -> Sequence[Completeness]:
        """What the centre holds of every outbox of a device, oldest outbox first."""
        return await self._rows.completeness(device_id)


def secret_hash(secret: str) -> bytes:
    """What is kept of a secret: SHA-256, since it is 256 random bits and no password."""
    return hashlib.sha256(secret.encode("utf-8", errors="replace")).digest()


def register_device(info: str, registration: Registration, *, now: datetime) -> DeviceSecret:
    """Register a device from a command; connects, commits and closes by itself.

    Args:
        info: Connection string of the driver.
        registration: The device with its site and cameras.
        now: Aware time of the registration.

    Raises:
        CentralError: As ``SiteService.register``.
    """

    async def register() -> DeviceSecret:
        async with await AsyncConnection.connect(info) as connection:
            return await SiteService(connection).register(registration, now=now)

    return asyncio.run(register())


def _check_names(registration: Registration) -> None:
    """Refuse names that could not stand in a topic."""
    names = (
        registration.device_id,
        registration.site_id,
        registration.province,
        *registration.camera_ids,
    )
    for name in names:
        if _SLUG.fullmatch(name) is None:
            raise InvalidNameError(name)
