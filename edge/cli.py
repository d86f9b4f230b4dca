# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong-edge``: runs a device, replays recordings, checks settings, looks into the outbox.

Exit codes:

====  ==========================================================================
0     done
1     a fault of this program; the log has the details
2     bad input: settings, source, models or outbox can't be used; one sentence says why
3     done, but the centre has not acknowledged everything; it waits in the outbox
4     the source broke off; what was seen before is kept and sent
130   interrupted
====  ==========================================================================
"""

import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import IO, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid4, uuid7

from edge.app.device import Device, ModelChoice
from edge.app.display import NOTHING, play, tell
from edge.app.logs import LogFormat, configure_logging
from edge.app.plans import plan_from_settings
from edge.app.replay import PassageLog, Replay, ReplayResult
from edge.app.replay_plan import (
    ReplayStart,
    replay_choice,
    replay_plan,
    replay_readers,
    replay_settings,
)
from edge.app.uplink import Surroundings
from edge.capture.loop import Pace
from edge.capture.opening import open_source
from edge.capture.types import SourceKind
from edge.errors import (
    EXIT_BAD_INPUT,
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SOURCE_BROKE,
    EXIT_UNACKNOWLEDGED,
    EdgeError,
    SettingsError,
    without_password,
)
from edge.outbox.store import look_into
from edge.publish.enrolment import Centre, CertificateFiles, enrol, is_renewal_due, renew
from edge.settings import CameraMode, EdgeSettings, load_settings, read_secret
from models.errors import ModelsError
from models.runtime.values import Backend

RUN_POLL_S: Final = 0.5

app = typer.Typer(
    name="luuthong-edge", no_args_is_help=True, add_completion=False, help=__doc__.split("\n\n")[0]
)
outbox_app = typer.Typer(no_args_is_help=True, help="Look into the outbox.")
app.add_typer(outbox_app, name="outbox")

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="site file (TOML)")]
MaybeConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="site file (TOML); without one nothing is sent"),
]


def main() -> None:
    """Entry point of ``luuthong-edge``."""
    app()


@app.command()
def run(config: ConfigOption) -> None:
    """Run the device of a site file until it is told to stop."""
    with _plain_errors():
        settings = load_settings(config)
        if not settings.cameras and not settings.readers:
            raise SettingsError(source=config.name, problems=("cameras, readers: none is set",))
        configure_logging(LogFormat.JSON)
        around = _surroundings()
        now = around.clock()
        device = Device(
            [plan_from_settings(camera, settings.device, now=now) for camera in settings.cameras],
            choice=ModelChoice(
                backend=settings.models.backend,
                folder=settings.models.folder,
                workers=settings.models.workers,
            ),
            settings=settings,
            around=around,
            boot_id=uuid4(),
            readers=settings.readers,
        )
        code = _run_until_stopped(device)
    raise typer.Exit(code)


@app.command("replay")
def replay_command(  # noqa: PLR0917 - the library reads options from parameters
    source: Annotated[str, typer.Argument(help="video file, folder of pictures, or RTSP address")],
    config: MaybeConfigOption = None,
    mode: Annotated[
        CameraMode | None, typer.Option(help="gate or road; a camera of the site file knows it")
    ] = None,
    camera: Annotated[str | None, typer.Option(help="camera of the site file to play")] = None,
    events: Annotated[
        Path | None, typer.Option(help="also write every passage there, as a JSON line")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="send nothing at all")] = False,  # noqa: FBT002
    readers: Annotated[  # noqa: FBT002
        bool, typer.Option("--readers", help="also ask the site file's tag readers meanwhile")
    ] = False,
    every: Annotated[int, typer.Option(min=1, max=100, help="analyse every n-th frame")] = 1,
    fps: Annotated[
        float | None,
        typer.Option(min=0.01, max=240, help="a folder's pictures are a recording at this rate"),
    ] = None,
    start: Annotated[
        str, typer.Option(help="time of the first frame: file, now, or an ISO time with zone")
    ] = ReplayStart.FILE.value,
    pace: Annotated[Pace, typer.Option(help="as fast as possible, or as recorded")] = Pace.FAST,
    backend: Annotated[Backend | None, typer.Option(help="inference library")] = None,
    wait: Annotated[
        float, typer.Option(min=0, max=86_400, help="longest wait for the centre at the end, in s")
    ] = 60.0,
) -> None:
    """Play a recording, pictures or a stream through the whole device."""
    with _plain_errors(), ExitStack() as stack:
        configure_logging(LogFormat.CONSOLE)
        settings = replay_settings(config)
        around = _surroundings()
        plan = replay_plan(
            source,
            settings=settings,
            mode=mode,
            camera=camera,
            every=every,
            fps=fps,
            start=start,
            pace=pace,
            now=around.clock(),
        )
        asked = replay_readers(settings, is_wanted=readers, is_offline=offline)
        if plan.kind is not SourceKind.STREAM:
            # A source that can't be used is said before models are loaded for it.
            open_source(plan.source, rules=plan.rules, clock=around.clock).close()
        log = PassageLog(None if events is None else stack.enter_context(_events_file(events)))
        device = Device(
            [plan],
            choice=replay_choice(settings, backend),
            settings=None if offline else settings,
            around=around,
            boot_id=uuid4(),
            readers=asked,
            also=log.take,
        )
        replay = Replay(device, passages=log, acknowledge_limit_s=wait)
        with _stop_on_signals() as stop:
            result = play(replay, stop)
        tell(result)
    raise typer.Exit(_exit_code(result))


@app.command("check-config")
def check_config(config: ConfigOption) -> None:
    """Check a site file and everything that it names, and say what is wrong."""
    with _plain_errors():
        settings = load_settings(config)
        read_secret(settings.device.secret_file)
        now = datetime.now(UTC)
        for camera in settings.cameras:
            plan = plan_from_settings(camera, settings.device, now=now)
            if plan.kind is not SourceKind.STREAM:
                open_source(plan.source, rules=plan.rules, clock=_utc_now).close()
        console = Console(soft_wrap=True)
        console.print(f"{config.name} is right:", markup=False)
        console.print(
            f"  device {settings.device.id}, site {settings.device.site_id}, "
            f"broker {settings.broker.host}:{settings.broker.port}"
            f"{''.join(f', {other}' for other in settings.broker.others)}",
            markup=False,
        )
        for camera in settings.cameras:
            shown = without_password(camera.source)
            console.print(f"  camera {camera.id} ({camera.mode}): {shown}", markup=False)
        for reader in settings.readers:
            antennas = ", ".join(
                f"{each.number}" if each.lane is None else f"{each.number} (lane {each.lane})"
                for each in reader.antennas
            )
            console.print(
                f"  reader {reader.id}: {reader.host}:{reader.port}, antennas {antennas}",
                markup=False,
            )


@app.command("enrol")
def enrol_command(
    config: ConfigOption,
    token_file: Annotated[
        Path | None, typer.Option(help="file with the invitation; without one it is asked for")
    ] = None,
) -> None:
    """Get the device its first certificate and its secret, with an invitation of the centre."""
    with _plain_errors():
        settings = load_settings(config)
        centre, files = _certificate_place(settings, config)
        token = (
            read_secret(token_file)
            if token_file is not None
            else str(typer.prompt("Invitation", hide_input=True)).strip()
        )
        enrol(
            centre,
            device_id=settings.device.id,
            token=token,
            files=files,
            secret_file=settings.device.secret_file,
        )
        typer.echo(f"device {settings.device.id} is enrolled: {files.certificate_file.name}")


@app.command("renew-certificate")
def renew_command(
    config: ConfigOption,
    at_once: Annotated[bool, typer.Option("--at-once", help="also long before its end")] = False,  # noqa: FBT002
) -> None:
    """Renew the device's certificate when a third of its life is left; for a daily timer."""
    with _plain_errors():
        settings = load_settings(config)
        centre, files = _certificate_place(settings, config)
        if not at_once and not is_renewal_due(files.certificate_file, now=_utc_now()):
            typer.echo("the certificate holds long enough")
            return
        secret = read_secret(settings.device.secret_file)
        renew(centre, device_id=settings.device.id, secret=secret, files=files)
        typer.echo("the certificate is renewed; it is shown at the next connection")


def _certificate_place(settings: EdgeSettings, config: Path) -> tuple[Centre, CertificateFiles]:
    """Whom to ask for a certificate, and where it is kept."""
    broker = settings.broker
    if settings.api is None or broker.certificate_file is None or broker.key_file is None:
        problem = "api.url, broker.certificate_file and broker.key_file are needed"
        raise SettingsError(source=config.name, problems=(problem,))
    return Centre(url=settings.api.url, ca_file=settings.api.ca_file), CertificateFiles(
        key_file=broker.key_file, certificate_file=broker.certificate_file
    )


@outbox_app.command("status")
def outbox_status(
    config: MaybeConfigOption = None,
    path: Annotated[Path | None, typer.Option(help="outbox file, instead of a site file")] = None,
) -> None:
    """Tell what waits in the outbox, also while a device uses it."""
    with _plain_errors():
        if path is None:
            if config is None:
                raise SettingsError(source="outbox status", problems=("say --config or --path",))
            path = load_settings(config).outbox.path
        state = look_into(path)
        table = Table(show_header=False, title="Outbox", title_justify="left")
        for name, value in (
            ("identity", str(state.outbox_id)),
            ("last number", str(state.last_seq)),
            ("acknowledged up to", str(state.acknowledged_seq)),
            ("events waiting", str(state.events)),
            (
                "oldest",
                NOTHING if state.oldest_event_at is None else state.oldest_event_at.isoformat(),
            ),
            ("pictures waiting", f"{state.pictures} ({state.picture_bytes} bytes)"),
            ("pictures dropped", str(state.pictures_dropped)),
        ):
            table.add_row(name, value)
        Console().print(table)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Expected errors become one sentence and an exit code; bugs keep their traceback."""
    try:
        yield
    except (EdgeError, ModelsError) as error:
        Console(stderr=True, soft_wrap=True).print(f"luuthong-edge: {error}", markup=False)
        raise typer.Exit(EXIT_BAD_INPUT) from error


def _utc_now() -> datetime:
    """The one clock of the process."""
    return datetime.now(UTC)


def _surroundings() -> Surroundings:
    # Jitter needs no secrecy.
    return Surroundings(clock=_utc_now, rng=random.Random(), new_id=uuid7)  # noqa: S311


@contextmanager
def _stop_on_signals() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set; the old handlers come back afterwards."""
    stop = Event()
    old = {
        number: signal.signal(number, lambda _number, _frame: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _run_until_stopped(device: Device) -> int:
    """Run a device; returns the exit code."""
    with _stop_on_signals() as stop:
        device.start()
        try:
            while not stop.wait(RUN_POLL_S) and device.crash is None:
                pass
        finally:
            device.stop()
    return EXIT_OK if device.crash is None else EXIT_BUG


@contextmanager
def _events_file(path: Path) -> Iterator[IO[str]]:
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "no access"
        raise SettingsError(source=str(path), problems=(reason,)) from error
    with file:
        yield file


def _exit_code(result: ReplayResult) -> int:
    if result.was_interrupted:
        return EXIT_INTERRUPTED
    if result.problem is not None:
        return EXIT_SOURCE_BROKE
    if result.waiting_events or result.waiting_pictures:
        return EXIT_UNACKNOWLEDGED
    return EXIT_OK
