# SPDX-License-Identifier: AGPL-3.0-or-later
"""Adds a device to a running local stack: at the centre, at the broker, and as a site file."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from central.db.pool import connection_info
from central.sites.service import SiteService, register_device
from central.sites.types import Registration
from deploy.errors import PlaceNotUsableError
from deploy.local.layout import write_secret
from deploy.local.stack import LocalStack

DEFAULT_PROVINCE: Final = "dak-lak"

_SITE_FILE: Final = """\
# Settings of the device {device_id}; every setting is described in deploy/docs/settings.md.
[device]
id = "{device_id}"
site_id = "{site_id}"
province = "{province}"
secret_file = "{secret_file}"

[broker]
host = "{broker_host}"
port = {broker_port}
use_tls = false  # loopback only

[api]
url = "{api_url}"

[outbox]
path = "{device_id}.sqlite3"
"""
_CAMERA: Final = """
[[cameras]]
id = "{camera_id}"
mode = "gate"  # or "road"
source = "rtsp://user:password@camera-address/stream"
lane = {lane}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedDevice:
    """A device that may now send.

    Attributes:
        secret: Serves as MQTT password and for uploads; kept nowhere else in clear text.
        site_file: Its settings, ``None`` when none were asked for.
    """

    device_id: str
    secret: str
    site_file: Path | None


def add_device(
    stack: LocalStack, registration: Registration, *, output: Path | None, now: datetime
) -> AddedDevice:
    """Register a device and let it in at the broker.

    Args:
        stack: A running stack.
        registration: The device, its site and cameras.
        output: Where to write its settings; its secret goes beside them. ``None`` for neither.
        now: Aware time of the registration.

    Raises:
        CentralError: The name is taken or no slug.
        StackNotRunningError: The stack does not run.
        PlaceNotUsableError: ``output`` is there already, or cannot be written.
    """
    state = stack.state
    if output is not None and output.exists():
        raise PlaceNotUsableError(
            output, reason="it is there already", remedy="Name another file with --output."
        )
    info = connection_info(state.database_url, application_name="luuthong-device")
    added = register_device(info, registration, now=now)
    stack.broker().add_device(registration.device_id, secret=added.secret)
    if output is not None:
        _write_files(stack, registration, secret=added.secret, output=output)
    return AddedDevice(device_id=registration.device_id, secret=added.secret, site_file=output)


def renew_secret(stack: LocalStack, device_id: str, *, now: datetime) -> str:
    """Give a device a new secret at the centre and the broker; the old one is refused from now on.

    Also mends a device that the centre knows and the broker does not.

    Raises:
        CentralError: There is no such device.
        StackNotRunningError: The stack does not run.
    """
    info = connection_info(stack.state.database_url, application_name="luuthong-device")

    async def renew() -> str:
        async with await AsyncConnection.connect(info) as connection:
            renewed = await SiteService(connection).new_secret(device_id, now=now)
        return renewed.secret

    return stack.broker().add_device(device_id, secret=asyncio.run(renew()))


def site_file_text(stack: LocalStack, registration: Registration, *, secret_file: str) -> str:
    """A device's settings as TOML; the camera's address is left for a person to fill in."""
    state = stack.state
    head = _SITE_FILE.format(
        device_id=registration.device_id,
        site_id=registration.site_id,
        province=registration.province,
        secret_file=secret_file,
        broker_host=state.broker_host,
        broker_port=state.broker_port,
        api_url=state.api_url,
    )
    cameras = (
        _CAMERA.format(camera_id=camera_id, lane=number)
        for number, camera_id in enumerate(registration.camera_ids, start=1)
    )
    return head + "".join(cameras)


def _write_files(
    stack: LocalStack, registration: Registration, *, secret: str, output: Path
) -> None:
    secret_file = output.with_suffix(".secret")
    text = site_file_text(stack, registration, secret_file=secret_file.name)
    _translated(output, lambda: write_secret(secret_file, secret))
    _translated(output, lambda: output.write_text(text, encoding="utf-8"))


def _translated(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise PlaceNotUsableError(
            path, reason=reason, remedy="Name another file with --output."
        ) from error
