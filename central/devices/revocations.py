# SPDX-License-Identifier: AGPL-3.0-or-later
"""The file that tells the broker which certificates of devices count no more.

It holds for a week only, so that a list that was kept back does not help a thief for long; a job
writes it anew every day, and a command at once.
"""

from datetime import datetime
from pathlib import Path

from psycopg import AsyncConnection

from central.audit.types import Actor
from central.devices.authority import DeviceAuthority
from central.devices.enrolment import EnrolmentService
from central.settings import DeviceAuthoritySettings


async def write_revocations(
    connection: AsyncConnection, settings: DeviceAuthoritySettings, *, actor: Actor, now: datetime
) -> Path | None:
    """Replace the list at once; the file, or ``None`` where the settings name none.

    Raises:
        SettingsError: The authority's files are not set, missing or damaged.
    """
    target = settings.revocation_file
    if target is None:
        return None
    key_file, certificate_file = settings.required_files()
    authority = DeviceAuthority.load(key_file=key_file, certificate_file=certificate_file)
    desk = EnrolmentService(connection, actor=actor)
    fresh = target.with_name(f"{target.name}.new")
    fresh.write_bytes(await desk.revocation_list(authority, now=now))
    fresh.replace(target)
    return target
