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
from central.sites.types import Position, Registration
from deploy.local.devices import add_device
from deploy.local.layout import write_secret
from deploy.local.ports import LOOPBACK
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
_LANE: Final = """\
lane = {lane}

[[readers]]
id = "{reader_id}"
host = "{reader_host}"
port = {reader_port}
antennas = [{{ number = 1, lane = {lane} }}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRole:
    """Which device plays.

    Attributes:
        position: Where its site stands, for the map.
        reader_id: Its tag reader; ``None`` when it has none.
        lane: Lane that camera and reader watch; only with a reader.
    """

    device_id: str
    site_id: str
    site_name: str
    camera_id: str
    position: Position
    reader_id: str | None = None
    lane: int = 1


ROAD: Final = DeviceRole(
    device_id=DEVICE_ID,
    site_id=SITE_ID,
    site_name=SITE_NAME,
    camera_id=CAMERA_ID,
    position=Position(latitude=12.8, longitude=108.16),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDevice:
    """Where the device's files lie."""

    role: DeviceRole
    site_file: Path
    outbox: Path
    secret_file: Path


def ready_device(
    stack: LocalStack, folder: Path, *, now: datetime, role: DeviceRole = ROAD
) -> DemoDevice:
    """Register a device once, and write its site file for the stack's ports of today.

    Args:
        stack: A running stack.
        folder: Of the device; secret and outbox stay there from run to run.
        now: Aware time of a registration.
        role: Which device.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = DemoDevice(
        role=role,
        site_file=folder / ("site.toml" if role is ROAD else f"{role.device_id}.toml"),
        outbox=folder / f"{role.device_id}.sqlite3",
        secret_file=folder / f"{role.device_id}.secret",
    )
    registration = Registration(
        device_id=role.device_id,
        site_id=role.site_id,
        province=PROVINCE,
        site_name=role.site_name,
        camera_ids=(role.camera_id,),
        position=role.position,
    )
    try:
        secret = add_device(stack, registration, output=None, now=now).secret
    except DeviceExistsError:
        # The broker keeps its passwords, but the file with ours may be gone.
        secret = _renewed_secret(stack, role.device_id, now=now)
    write_secret(device.secret_file, secret)
    write_site_file(stack, device)
    return device


def write_site_file(stack: LocalStack, device: DemoDevice, *, reader_port: int = 0) -> None:
    """Tell a device where the stack and its tag reader are today.

    Args:
        stack: A running stack.
        device: The device.
        reader_port: Loopback port of its tag reader; unused without one, and 0 leaves it out.
    """
    state, role = stack.state, device.role
    text = _SITE_FILE.format(
        device_id=role.device_id,
        site_id=role.site_id,
        province=PROVINCE,
        camera_id=role.camera_id,
        broker_host=state.broker_host,
        broker_port=state.broker_port,
        api_url=state.api_url,
    )
    if role.reader_id is not None and reader_port:
        text += _LANE.format(
            lane=role.lane,
            reader_id=role.reader_id,
            reader_host=LOOPBACK,
            reader_port=reader_port,
        )
    device.site_file.write_text(text, encoding="utf-8")


def _renewed_secret(stack: LocalStack, device_id: str, *, now: datetime) -> str:
    """A new secret, at the centre and at the broker."""
    info = connection_info(stack.state.database_url, application_name="luuthong-demo")

    async def renew() -> str:
        async with await AsyncConnection.connect(info) as connection:
            return (await SiteService(connection).new_secret(device_id, now=now)).secret

    secret = asyncio.run(renew())
    stack.broker().add_device(device_id, secret=secret)
    return secret
