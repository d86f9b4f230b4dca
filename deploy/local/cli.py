# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``luuthong``: sets up, runs, shows and tests the whole system on one machine.

Parts that a command does not need are imported only by the commands that do, so that
``luuthong status`` and ``--help`` answer at once.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from central.audit.commands import audit_commands
from central.errors import CentralError
from central.identity.areas.commands import area_commands, unit_commands
from central.identity.commands import user_commands
from central.identity.second_factor.commands import second_factor_commands
from central.jobs.commands import job_commands
from central.sites.commands import site_commands
from central.tolling.commands import toll_commands
from deploy.demo.choices import Chapter, Ending, View
from deploy.errors import DeployError
from deploy.local.clock import utc_now
from deploy.local.commands import upkeep
from deploy.local.commands.documents import document_app
from deploy.local.commands.registry import registry_app
from deploy.local.commands.screens import show_ready, show_status
from deploy.local.names import DATABASE, SERVICE_NAMES, SUPERUSER, SUPERVISOR
from deploy.local.provision import RUNTIME_PARTS, ensure_parts
from deploy.local.stack import LocalStack
from deploy.setup.components import require_servers

PORT_MIN: Final = 1024
PORT_MAX: Final = 65_535
LOG_LINES_DEFAULT: Final = 40
LOG_LINES_MAX: Final = 10_000


def _owner_info() -> str:
    """How commands of the features connect: as the owner of the running stack's database."""
    from central.db.pool import connection_info  # noqa: PLC0415

    return connection_info(LocalStack().state.database_url, application_name="luuthong-command")


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Luuthong on one machine: database, broker, ingest, jobs, api and page.",
    epilog=(
        "Environment: LUUTHONG_HOME (data, logs and Python packages; .luuthong in the checkout),"
        " LUUTHONG_CACHE (downloaded servers; the user's cache folder), LUUTHONG_DEBIAN_MIRROR"
        " (where apt has none), LUUTHONG_CHROMIUM (browser of the tests)."
    ),
)
device_app = typer.Typer(no_args_is_help=True, help="Devices of the running stack.")
admin_app = typer.Typer(no_args_is_help=True, help="Users of the running stack.")
app.add_typer(device_app, name="device")
app.add_typer(admin_app, name="admin")
app.add_typer(registry_app, name="registry")
app.add_typer(document_app, name="document")
app.add_typer(user_commands(_owner_info), name="user")
app.add_typer(second_factor_commands(_owner_info), name="second-factor")
app.add_typer(unit_commands(_owner_info), name="unit")
app.add_typer(area_commands(_owner_info), name="area")
app.add_typer(audit_commands(_owner_info), name="audit")
app.add_typer(site_commands(_owner_info), name="site")
app.add_typer(job_commands(_owner_info), name="job")
app.add_typer(toll_commands(_owner_info), name="toll")
app.command()(upkeep.setup)
app.command()(upkeep.doctor)
app.command("test", context_settings={"ignore_unknown_options": True})(upkeep.run_tests)


@app.command()
def up(
    *,
    port: Annotated[
        int | None,
        typer.Option(min=PORT_MIN, max=PORT_MAX, help="Port of the page; else a free one."),
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay here, and stop everything at Ctrl-C.")
    ] = False,
) -> None:
    """Start database, broker, ingest, jobs and api; print the address of the page."""
    from deploy.local.administrators import make_first_administrator  # noqa: PLC0415
    from deploy.local.commands.foreground import run_in_foreground  # noqa: PLC0415

    console, stack = Console(), LocalStack()
    if stack.is_running:
        state = stack.start()
        console.print(f"The stack is already running. Page: {state.page_url}", soft_wrap=True)
        return
    ensure_parts(RUNTIME_PARTS, console)
    if foreground:
        run_in_foreground(console, stack, api_port=port)
        return
    with console.status("Starting the stack"):
        state = stack.start(api_port=port)
        administrator = make_first_administrator(state, now=utc_now())
    show_ready(console, state, administrator)


@app.command()
def down() -> None:
    """Stop everything; the data stays."""
    console = Console()
    with console.status("Stopping the stack"):
        has_stopped = LocalStack().stop()
    console.print("Stopped. The data stays." if has_stopped else "Nothing was running.")


@app.command()
def status() -> None:
    """Show what runs and where; exit code 3 when the stack is not running."""
    console, stack = Console(), LocalStack()
    state = stack.status()
    if state is None:
        console.print("The stack was never started here. Start it with: luuthong up")
    else:
        show_status(console, state, is_running=stack.is_running, now=utc_now())
    if not stack.is_running:
        raise typer.Exit(3)


@app.command()
def logs(
    service: Annotated[
        str, typer.Argument(help=f"One of {', '.join((*SERVICE_NAMES, SUPERVISOR))}.")
    ] = SUPERVISOR,
    *,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=LOG_LINES_MAX, help="How many at first.")
    ] = LOG_LINES_DEFAULT,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
) -> None:
    """Show what a process of the stack says."""
    names = (*SERVICE_NAMES, SUPERVISOR)
    if service not in names:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(names)}")
    log_file = LocalStack().layout.log_file(service)
    if not log_file.exists():
        Console().print(f"{service} has written nothing yet.")
        return
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), str(log_file)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Passed on, for example -c 'SELECT 1'.")
    ] = None,
) -> None:
    """Open a prompt in the database."""
    state = LocalStack().state
    program = require_servers().postgres_bin / "psql"
    environment = {
        **os.environ,
        "PGHOST": str(state.socket_folder),
        "PGPORT": str(state.postgres_port),
        "PGUSER": SUPERUSER,
        "PGDATABASE": DATABASE,
    }
    sys.stdout.flush()
    os.execve(program, [str(program), *(arguments or [])], environment)  # noqa: S606


@app.command()
def demo(
    *,
    source: Annotated[
        str | None, typer.Option(help="A video, a folder of pictures or an rtsp:// address.")
    ] = None,
    mode: Annotated[
        View, typer.Option(help="How --source is looked at: a gate's plates, or a road's vehicles.")
    ] = View.GATE,
    part: Annotated[
        Chapter, typer.Option(help="The road, one truck's story, or both; a source has no story.")
    ] = Chapter.ALL,
    once: Annotated[
        bool, typer.Option("--once", help="Stop the stack at the end, at a terminal too.")
    ] = False,
) -> None:
    """Set up, play a road and one truck's story through the whole system, and print the results.

    The exit code is 0 only when nothing was lost, nothing doubled, and every step of the story is
    as it must be.
    """
    console = Console()
    ensure_parts(RUNTIME_PARTS, console)
    from deploy.demo.command import run_demo  # noqa: PLC0415 - brings the vision libraries

    ending = Ending.STOP if once else Ending.ASK_TERMINAL
    raise typer.Exit(run_demo(source=source, view=mode, chapter=part, ending=ending))


@app.command()
def check() -> None:
    """Run every check of the sources: style, types, imports, templates, SQL, licences."""
    from deploy.checks import run_checks  # noqa: PLC0415 - developers only

    raise typer.Exit(run_checks(Console()))


@device_app.command("add")
def add_device(
    name: Annotated[str, typer.Argument(help="The device's name, a-z, 0-9 and hyphens.")],
    *,
    site: Annotated[str, typer.Option(help="Its site; made where it is new.")] = "site-01",
    site_name: Annotated[str, typer.Option(help="The new site's name.")] = "",
    province: Annotated[str, typer.Option(help="The site's province.")] = "dak-lak",
    camera: Annotated[
        list[str] | None, typer.Option(help="A camera that it watches; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write its settings here, the secret beside them.")
    ] = None,
) -> None:
    """Register a device at the centre and the broker, and write its settings."""
    from central.sites.types import Registration  # noqa: PLC0415
    from deploy.local import devices  # noqa: PLC0415

    console = Console()
    registration = Registration(
        device_id=name,
        site_id=site,
        province=province,
        site_name=site_name or site,
        camera_ids=tuple(camera or ["camera-01"]),
    )
    added = devices.add_device(LocalStack(), registration, output=output, now=utc_now())
    if added.site_file is None:
        console.print(
            f"Device {added.device_id} may now send. Its secret, shown this once:"
            f" [bold]{added.secret}[/]",
            highlight=False,
            soft_wrap=True,
        )
        return
    console.print(
        f"Device {added.device_id} may now send. Fill in the camera's address in"
        f" {added.site_file}, then: {Path(sys.executable).with_name('luuthong-edge')} run --config"
        f" {added.site_file}",
        soft_wrap=True,
    )


@device_app.command("new-secret")
def new_secret(
    name: Annotated[str, typer.Argument(help="The device's name.")],
) -> None:
    """Give a device a new secret, shown once; the old one is refused from now on."""
    from deploy.local.devices import renew_secret  # noqa: PLC0415

    secret = renew_secret(LocalStack(), name, now=utc_now())
    Console().print(
        f"Device {name} has a new secret, shown this once: [bold]{secret}[/]",
        highlight=False,
        soft_wrap=True,
    )


@admin_app.command("reset-password")
def reset_password(
    username: Annotated[str, typer.Argument(help="Whose password.")] = "admin",
) -> None:
    """Give a user a new password, shown once, and end the user's sessions."""
    from deploy.local.administrators import new_administrator_password  # noqa: PLC0415

    fresh = new_administrator_password(LocalStack().state, username=username, now=utc_now())
    Console().print(
        f"User [bold]{fresh.username}[/], new password [bold]{fresh.password}[/]",
        highlight=False,
        soft_wrap=True,
    )


def main() -> None:
    """Run the command; expected errors become one plain line and exit code 1."""
    try:
        app()
    except (DeployError, CentralError) as error:
        Console(stderr=True).print(
            f"luuthong: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1)
