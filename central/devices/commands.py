# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about devices: register, invite, bar, revoke, and keep the broker in step.

What only one command needs is imported by it, so that ``--help`` answers at once. The database is
changed first: a broker that could not be told is put right by ``sync-broker``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from central.broker_settings import BrokerSettings
from central.db.pool import connection_info
from central.domain.local_time import terminal_time
from central.domain.scope import SiteScope
from central.errors import SettingsError
from central.settings import CentralSettings, read_secret
from central.sites.service import SiteService, register_device
from central.sites.types import DeviceOverview, DeviceState, Registration

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from central.devices.broker_sync import DeviceAccounts
    from central.devices.enrolment import EnrolmentService, KeptCertificate

COMMAND_NAME: Final = "luuthong-central devices"
SECRET_MODE: Final = 0o600
ResultT = TypeVar("ResultT")
DeviceId = Annotated[str, typer.Argument(help="Name of the device.")]


def device_commands(read: Callable[[], CentralSettings]) -> typer.Typer:
    """The commands, for a program to add as ``devices``.

    Args:
        read: Reads the process's settings; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Devices that may send.")
    _add_registration(app, read)
    _add_switching(app, read)
    _add_certificates(app, read)
    _add_broker(app, read)
    return app


def _add_registration(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("add")
    def add(
        device_id: DeviceId,
        site: Annotated[str, typer.Option(help="Site where it stands; made when new.")],
        province: Annotated[str, typer.Option(help="Province of the site.")],
        site_name: Annotated[str, typer.Option(help="Name of a new site.")] = "",
        camera: Annotated[
            list[str] | None, typer.Option(help="Camera of the site; may be repeated.")
        ] = None,
    ) -> None:
        """Register a device and print its secret, this once; the broker lets it in.

        The same secret is the device's broker password and its HTTP secret. A device that gets a
        certificate needs neither: invite it.
        """
        settings = read()
        made = register_device(
            _info(settings),
            Registration(
                device_id=device_id,
                site_id=site,
                province=province,
                site_name=site_name or site,
                camera_ids=tuple(camera or ()),
            ),
            now=datetime.now(UTC),
        )
        _tell_broker(settings, lambda broker: broker.let_in(device_id, secret=made.secret))
        typer.echo(made.secret)

    @app.command("new-secret")
    def new_secret(device_id: DeviceId) -> None:
        """Replace a device's secret and print the new one, this once."""
        settings = read()
        made = asyncio.run(
            _with_sites(settings, lambda sites: sites.new_secret(device_id, now=datetime.now(UTC)))
        )
        _tell_broker(settings, lambda broker: broker.let_in(device_id, secret=made.secret))
        typer.echo(made.secret)

    @app.command("list")
    def list_devices() -> None:
        """Show every device with its newest heartbeat."""
        found = asyncio.run(
            _with_sites(read(), lambda sites: sites.devices(SiteScope.everything()))
        )
        Console().print(_device_table(found))


def _add_switching(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    def switch(device_id: str, state: DeviceState) -> CentralSettings:
        settings = read()
        asyncio.run(_with_sites(settings, lambda sites: sites.switch(device_id, state)))
        return settings

    @app.command("enable")
    def enable(device_id: DeviceId) -> None:
        """Let a device in again; what was kept of it meanwhile is stored within a minute."""
        settings = switch(device_id, DeviceState.ENABLED)
        _tell_broker(settings, lambda broker: broker.let_in(device_id, secret=None))

    @app.command("disable")
    def disable(device_id: DeviceId) -> None:
        """Switch a device off: the broker hangs up, its pictures are refused."""
        settings = switch(device_id, DeviceState.DISABLED)
        _tell_broker(settings, lambda broker: broker.bar(device_id))


def _add_certificates(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("make-authority")
    def make_authority(
        name: Annotated[str, typer.Option(help="Name in its certificate.")] = (
            "Luuthong device authority"
        ),
    ) -> None:
        """Make the key and certificate of the devices' authority, once, where the settings say."""
        from central.devices import authority  # noqa: PLC0415

        settings = read()
        key_file, certificate_file = settings.devices.required_files()
        authority.make_authority(
            key_file=key_file, certificate_file=certificate_file, name=name, now=datetime.now(UTC)
        )
        _write_revocations(settings)
        typer.echo(f"made {key_file.name} and {certificate_file.name}; keep the key to yourself")

    @app.command("invite")
    def invite(device_id: DeviceId) -> None:
        """Print a token, this once, with which the device enrols itself within a day."""
        typer.echo(
            asyncio.run(_with_enrolment(read(), lambda desk, now: desk.invite(device_id, now=now)))
        )

    @app.command("certificates")
    def certificates(device_id: DeviceId) -> None:
        """Show the certificates that a device was given."""
        now = datetime.now(UTC)
        kept = asyncio.run(_with_enrolment(read(), lambda desk, _now: desk.certificates(device_id)))
        table = Table("serial", "issued", "ends", "state")
        for each in kept:
            table.add_row(
                each.serial,
                terminal_time(each.issued_at),
                terminal_time(each.not_after_at),
                _certificate_state(each, now=now),
            )
        Console().print(table)

    @app.command("revoke")
    def revoke(
        device_id: DeviceId,
        reason: Annotated[str, typer.Option(help="Why, for the audit log.")],
    ) -> None:
        """Take a device's certificates, as after a theft: switch it off and write the list anew."""
        settings = read()
        asyncio.run(
            _with_sites(settings, lambda sites: sites.switch(device_id, DeviceState.DISABLED))
        )
        count = asyncio.run(
            _with_enrolment(
                settings, lambda desk, now: desk.revoke(device_id, reason=reason, now=now)
            )
        )
        _tell_broker(settings, lambda broker: broker.bar(device_id))
        _write_revocations(settings)
        typer.echo(f"{count} certificates revoked; the device is switched off")

    @app.command("write-revocations")
    def write_revocations() -> None:
        """Write the list of revoked certificates anew; the broker needs one every week."""
        _write_revocations(read())


def _add_broker(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("sync-broker")
    def sync_broker() -> None:
        """Give and take accounts at the broker until they are as the centre has it."""
        from central.devices.broker_sync import synchronise  # noqa: PLC0415

        settings = read()
        found = asyncio.run(
            _with_sites(settings, lambda sites: sites.devices(SiteScope.everything()))
        )
        with _accounts(settings, _control_secret(settings)) as accounts:
            done = synchronise(accounts, {each.id: each.enabled for each in found})
        typer.echo(f"let in {done.let_in}, barred {done.barred}, removed {done.removed}")

    @app.command("broker-accounts")
    def broker_accounts(
        output: Annotated[
            Path,
            typer.Option(help="mosquitto's file, or RabbitMQ's definitions; must not exist."),
        ],
    ) -> None:
        """Write the first accounts of a new broker: ours and that of ingest."""
        import json  # noqa: PLC0415

        settings = read()
        accounts = _first_accounts(settings.required_broker(), _control_secret(settings))
        try:
            output.touch(mode=SECRET_MODE, exist_ok=False)
            output.write_text(json.dumps(accounts, indent=1), encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{output.name} can't be written: {error.strerror}") from error


def _first_accounts(broker: BrokerSettings, control_secret: str) -> dict[str, object]:
    """What a new broker is given before it starts."""
    from central.devices.broker_rights import accounts_of_services  # noqa: PLC0415
    from central.devices.rabbitmq.rights import services_definitions  # noqa: PLC0415

    ingest_secret = read_secret(broker.password_file)
    if broker.rabbitmq is None:
        return accounts_of_services(
            None, control_secret=control_secret, ingest_secret=ingest_secret
        )
    return services_definitions(control_secret=control_secret, ingest_secret=ingest_secret)


def _tell_broker(settings: CentralSettings, act: Callable[["DeviceAccounts"], None]) -> None:
    """Change the broker's accounts, where the settings name the account that may."""
    if settings.broker is None or settings.broker.control_password_file is None:
        typer.echo("the broker was not told: no control password is set", err=True)
        return
    with _accounts(settings, _control_secret(settings)) as accounts:
        act(accounts)


def _accounts(settings: CentralSettings, secret: str) -> "AbstractContextManager[DeviceAccounts]":
    """The accounts at the broker that the settings name.

    Raises:
        SettingsError: It is a RabbitMQ cluster, and nothing says where it is managed.
    """
    from central.devices.broker_accounts import (  # noqa: PLC0415
        BrokerAccounts,
        BrokerControlAccess,
    )
    from central.devices.rabbitmq.accounts import (  # noqa: PLC0415
        ManagementAccess,
        RabbitAccounts,
    )

    broker = settings.required_broker()
    if broker.rabbitmq is None:
        return BrokerAccounts(
            BrokerControlAccess(
                host=broker.host, port=broker.port, secret=secret, ca_file=broker.ca_file
            )
        )
    if not broker.rabbitmq.management_urls:
        raise SettingsError("the addresses of RabbitMQ's management interface are not set")
    return RabbitAccounts(
        ManagementAccess(
            urls=broker.rabbitmq.management_urls, secret=secret, ca_file=broker.ca_file
        )
    )


def _control_secret(settings: CentralSettings) -> str:
    """Password of the account that gives accounts.

    Raises:
        SettingsError: No file is set for it.
    """
    broker = settings.broker
    if broker is None or broker.control_password_file is None:
        raise SettingsError("the broker's control password is not set")
    return read_secret(broker.control_password_file)


def _write_revocations(settings: CentralSettings) -> None:
    """Replace the list of revoked certificates at once, where the settings name a file."""
    from central.audit.types import Actor  # noqa: PLC0415
    from central.devices.revocations import write_revocations  # noqa: PLC0415

    async def write() -> None:
        async with await psycopg.AsyncConnection.connect(_info(settings)) as connection:
            actor = Actor.command(COMMAND_NAME)
            written = await write_revocations(
                connection, settings.devices, actor=actor, now=datetime.now(UTC)
            )
        if written is None:
            typer.echo("no list of revoked certificates is set", err=True)

    asyncio.run(write())


async def _with_sites(
    settings: CentralSettings, act: Callable[[SiteService], Awaitable[ResultT]]
) -> ResultT:
    async with await psycopg.AsyncConnection.connect(_info(settings)) as connection:
        return await act(SiteService(connection))


async def _with_enrolment(
    settings: CentralSettings, act: Callable[["EnrolmentService", datetime], Awaitable[ResultT]]
) -> ResultT:
    from central.audit.types import Actor  # noqa: PLC0415
    from central.devices.enrolment import EnrolmentService  # noqa: PLC0415

    async with await psycopg.AsyncConnection.connect(_info(settings)) as connection:
        service = EnrolmentService(connection, actor=Actor.command(COMMAND_NAME))
        return await act(service, datetime.now(UTC))


def _device_table(devices: Sequence[DeviceOverview]) -> Table:
    table = Table("device", "site", "province", "enabled", "last heartbeat", "waiting events")
    for each in devices:
        table.add_row(
            each.id,
            each.site_id,
            each.province,
            "yes" if each.enabled else "no",
            terminal_time(each.last_heartbeat_at) + (" (silent)" if each.is_silent else ""),
            "-" if each.outbox_events is None else str(each.outbox_events),
        )
    return table


def _certificate_state(certificate: "KeptCertificate", *, now: datetime) -> str:
    if certificate.revoked_at is not None:
        return f"revoked {terminal_time(certificate.revoked_at)}"
    return "holds" if certificate.holds(now=now) else "ended"


def _info(settings: CentralSettings) -> str:
    return connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-central",
    )
