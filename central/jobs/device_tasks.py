# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work about devices and their messages that people ask for on pages."""

import asyncio
from uuid import UUID

from paho.mqtt import publish
from paho.mqtt.enums import MQTTProtocolVersion

from central.audit.types import Actor
from central.db.pool import connection_info
from central.devices.live_frames import LiveFrameService
from central.devices.revocations import write_revocations
from central.ingest.release import release_quarantined
from central.ingest.repository import RELEASABLE_REASONS
from central.jobs.context import JobContext
from central.settings import read_secret


async def retry_quarantined(context: JobContext, *, entry_id: int) -> None:
    """Try to store one message in quarantine again; a thread, as ingest's code is not async."""
    settings = context.settings
    info = connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-jobs",
    )
    await asyncio.to_thread(
        release_quarantined,
        info,
        limits=settings.ingest.time_limits,
        now=context.now(),
        reasons=tuple(sorted(RELEASABLE_REASONS)),
        entry_id=entry_id,
    )


async def write_revocation_list(context: JobContext) -> int:
    """Give the broker a list of revoked certificates for another week; 1 when one was written."""
    async with context.transaction() as connection:
        written = await write_revocations(
            connection,
            context.settings.devices,
            actor=Actor.service("write_revocation_list"),
            now=context.now(),
        )
    return int(written is not None)


async def send_live_frame_command(context: JobContext, *, frame_id: str) -> None:
    """Ask a device for a fresh picture; nothing is sent once nobody waits any more."""
    async with context.transaction() as connection:
        found = await LiveFrameService(connection).command(UUID(frame_id), now=context.now())
    if found is None:
        return
    topic, message = found
    broker = context.settings.required_broker()
    await asyncio.to_thread(
        publish.single,
        topic,
        message,
        qos=1,
        hostname=broker.host,
        port=broker.port,
        auth={"username": broker.username, "password": read_secret(broker.password_file)},
        tls=None if broker.ca_file is None else {"ca_certs": str(broker.ca_file)},
        protocol=MQTTProtocolVersion.MQTTv5,
    )


async def forget_live_frames(context: JobContext) -> int:
    """Delete pictures whose minutes are over."""
    async with context.transaction() as connection:
        return await LiveFrameService(connection).forget_expired(now=context.now())
