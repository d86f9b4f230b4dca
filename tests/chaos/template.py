# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every run starts from: a migrated cluster and a broker's accounts, made once and copied."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from central.db.migrate import apply_migrations
from central.devices.broker_rights import INGEST_USERNAME
from central.sites.service import register_device
from central.sites.types import Registration
from deploy.local.broker import PrivateBroker, new_secret
from deploy.local.ports import free_port
from deploy.local.postgres import THROW_AWAY_SETTINGS, LoopbackAccess, PrivateCluster
from deploy.setup.components import Servers
from deploy.setup.places import server_account
from tests.chaos.breaking.volume import folder_bytes
from tests.chaos.device import CAMERA, PROVINCE, SITE
from tests.chaos.plan import EDGES

DATABASE: Final = "chaos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Folders to copy, and the secrets that are valid in every copy."""

    servers: Servers
    cluster_folder: Path
    broker_folder: Path
    devices: tuple[str, ...]
    secrets: dict[str, str]
    control_secret: str
    cluster_bytes: int


def make_template(servers: Servers, folder: Path, *, devices: tuple[str, ...] = EDGES) -> Template:
    """Make a cluster with every migration and the devices, and a broker that knows them."""
    secrets = {INGEST_USERNAME: new_secret()}
    control_secret = new_secret()
    cluster = PrivateCluster(
        data_folder=folder / "pg",
        binaries=servers.postgres_bin,
        socket_folder=folder / "run",
        port=free_port(),
        account=server_account(),
        log_file=folder / "postgres.log",
        settings={**THROW_AWAY_SETTINGS, "max_wal_size": "64MB", "min_wal_size": "32MB"},
        loopback_access=LoopbackAccess.ANYBODY,
    )
    cluster.init()
    cluster.start()
    try:
        cluster.ensure_database(DATABASE)
        apply_migrations(cluster.dsn(DATABASE))
        for device in devices:
            _register(cluster, device)
    finally:
        cluster.stop()
    broker = PrivateBroker(
        folder=folder / "broker",
        program=servers.mosquitto,
        plugin=servers.dynamic_security,
        port=free_port(),
        account=server_account(),
        log_file=folder / "mosquitto.log",
        control_secret=control_secret,
    )
    broker.init(ingest_secret=secrets[INGEST_USERNAME])
    broker.start()
    try:
        secrets |= {device: broker.add_device(device) for device in devices}
    finally:
        broker.stop()
    return Template(
        servers=servers,
        cluster_folder=cluster.data_folder,
        broker_folder=broker.folder,
        devices=devices,
        secrets=secrets,
        control_secret=control_secret,
        cluster_bytes=folder_bytes(cluster.data_folder),
    )


def copy_for_server(source: Path, target: Path) -> None:
    """Copy a server's folder so that its account owns the copy."""
    account = server_account()
    shutil.copytree(source, target)
    if not account.is_ours:
        for path in (target, *target.rglob("*")):
            shutil.chown(path, account.uid, account.gid)


def _register(cluster: PrivateCluster, device: str) -> None:
    register_device(
        cluster.dsn(DATABASE),
        Registration(
            device_id=device,
            site_id=SITE,
            province=PROVINCE,
            site_name="Km 12 Quốc lộ 14",
            camera_ids=(CAMERA,),
        ),
        now=datetime.now(UTC),
    )
