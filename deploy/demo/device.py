# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demonstration's device: known at the centre, with a site file and an outbox of its own."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from central.db.pool import connection_info
from central.errors import DeviceExistsError
from central.sites.service import SiteService
from central.sites.types import Registration
from deploy.local.devices import add_device
from deploy.local.layout import write_secret
from deploy.local.stack import LocalStack

DEVICE_ID: Final = "demo-edge"
SITE_ID: Final = "demo"
SITE_NAME: Final = "Trạm thu phí trình diễn"
PROVINCE: Final = "dak-lak"
CAMERA_ID: Final = "demo-road"

_SITE_FILE: Final = """\
# Written anew by every demonstration.
[device]
id = "{device_id}"
site_id = "{site_id}"
province = "{province}"
secret_file = "{device_id}.secret"
heartbeat_interval = 5

[broker]
host = "{broker_host}"
port = {broker_port}
use_tls = false  # loopback only

[api]
url = "{api_url}"

[outbox]
path = "{device_id}.sqlite3"

[models]
workers = 1

[[cameras]]
id = "{camera_id}"
mode = "gate"
source = "replayed"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDevice:
    """Where the device's files lie."""

    site_file: Path
    outbox: Path


def ready_device(stack: LocalStack, folder: Path, *, now: datetime) -> DemoDevice:
    """Register the device once, and write its site file for the stack's ports of today.

    Args:
        stack: A running stack.
        folder: Of the device; secret and outbox stay there from run to run.
        now: Aware time of a registration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    secret_file = folder / f"{DEVICE_ID}.secret"
    registration = Registration(
        device_id=DEVICE_ID,
        site_id=SITE_ID,
        province=PROVINCE,
        site_name=SITE_NAME,
        camera_ids=(CAMERA_ID,),
    )
    try:
        write_secret(secret_file, add_device(stack, registration, output=None, now=now).secret)
    except DeviceExistsError:
        # The broker keeps its passwords, but the file with ours may be gone.
        write_secret(secret_file, _renewed_secret(stack, now=now))
    state = stack.state
    site_file = folder / "site.toml"
    site_file.write_text(
        _SITE_FILE.format(
            device_id=DEVICE_ID,
            site_id=SITE_ID,
            province=PROVINCE,
            camera_id=CAMERA_ID,
            broker_host=state.broker_host,
            broker_port=state.broker_port,
            api_url=state.api_url,
        ),
        encoding="utf-8",
    )
    return DemoDevice(site_file=site_file, outbox=folder / f"{DEVICE_ID}.sqlite3")


def _renewed_secret(stack: LocalStack, *, now: datetime) -> str:
    """A new secret, at the centre and at the broker."""
    info = connection_info(stack.state.database_url, application_name="luuthong-demo")

    async def renew() -> str:
        async with await AsyncConnection.connect(info) as connection:
            return (await SiteService(connection).new_secret(DEVICE_ID, now=now)).secret

    secret = asyncio.run(renew())
    stack.broker().add_device(DEVICE_ID, secret=secret)
    return secret
