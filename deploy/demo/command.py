# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong demo``: stack, road, device, comparison, one truck's story, and pages to look at.

Everything on the way is real: the edge program reads a video file in real time and sends what it
sees through broker and ingest into the database, from which the result is read back.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo.choices import Chapter, Ending, View
from deploy.demo.clip import Clip, demonstration_plan, ready_clip
from deploy.demo.device import DemoDevice, ready_device
from deploy.demo.playing import DemoSourceError, PlayOrder, play
from deploy.demo.records import count_passages, event_ledger, stored_passages
from deploy.demo.results import compare, faults
from deploy.demo.screens import show_passages, show_summary, show_vehicles, show_verdict
from deploy.demo.story.results import show_story
from deploy.demo.story.tale import clips_in_the_making, tell_story
from deploy.local.administrators import make_first_administrator
from deploy.local.clock import utc_now
from deploy.local.stack import LocalStack
from deploy.local.state import StackState
from edge.errors import EXIT_INTERRUPTED
from edge.outbox.store import look_into

FOLDER: Final = "demo"
EXIT_FAULTS: Final = 1
IDLE_POLL_S: Final = 0.5
LAG_NOTED_S: Final = 12.0
"""Start, models and the last acknowledgement take some seconds; beyond them the device lagged."""

WIDTH_IN_FILES: Final = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What is played.

    Attributes:
        source: Video file, folder of pictures or address of a camera.
        view: How it is looked at.
        clip: The rendered road; ``None`` for a source of the user's.
    """

    source: str
    view: View
    clip: Clip | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOrder:
    """What somebody wants to see.

    Attributes:
        source: Video, folder or camera of the user's; ``None`` for the rendered road.
        view: How the source is looked at.
        chapter: Which part is shown.
    """

    source: str | None
    view: View
    chapter: Chapter


def run_demo(
    *,
    source: str | None = None,
    view: View = View.GATE,
    chapter: Chapter = Chapter.ALL,
    home: Path | None = None,
    ending: Ending = Ending.ASK_TERMINAL,
) -> int:
    """Play a road and one truck's story through the whole system and tell how it went.

    Args:
        source: The user's video, folder or camera; ``None`` renders the demonstration road.
        view: How the user's source is looked at; the rendered road is a gate.
        chapter: What is shown; with a source of the user's there is no story.
        home: Folder of the local stack; ``None`` for this checkout's.
        ending: What becomes of the stack; one that ran before is always left running.

    Returns:
        0 when nothing was lost and nothing doubled, and every step is as it must be.

    Raises:
        DeployError: The stack can't be started, or the source can't be used.
    """
    console = _console()
    stack = LocalStack(home)
    _require_source(source)
    order = ShowOrder(
        source=source, view=view, chapter=Chapter.ROAD if source is not None else chapter
    )
    with _terminated_like_interrupted():
        return _run(console, stack, order, ending=ending)


def _run(console: Console, stack: LocalStack, order: ShowOrder, *, ending: Ending) -> int:
    """Play, tell, and leave the stack as it was found."""
    ran_before = stack.is_running
    try:
        code = _show(console, stack, order)
        _wait_if_wanted(console, stack, ending, ran_before=ran_before)
    finally:
        if not ran_before and stack.is_running:
            with console.status("Stopping the stack"):
                stack.stop()
            console.print("Stopped. The data stays; ./luuthong up opens the page again.")
    return code


def _require_source(source: str | None) -> None:
    """Say at once that a file is not there, instead of after the start of the stack."""
    if source is not None and "://" not in source and not Path(source).exists():
        raise DemoSourceError(f"{source} is not there; say a video, a folder or an rtsp:// address")


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM stops the demonstration as tidily as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)


def _console() -> Console:
    """A terminal of its own width, or a file that is wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_IN_FILES)


def _show(console: Console, stack: LocalStack, order: ShowOrder) -> int:
    """Everything between start and stop; returns the exit code."""
    showing: Showing | None = None
    if order.chapter is Chapter.STORY:
        with console.status("Starting the stack"):
            stack.start()
    else:
        showing = _prepare(console, stack, source=order.source, view=order.view)
    _welcome(console, stack.state)
    if order.chapter is Chapter.ROAD and showing is not None:
        return _show_road(console, stack, showing)
    # The lane is rendered while the road is played, so that nobody waits for it.
    folder = stack.layout.home / FOLDER
    with clips_in_the_making(stack, folder) as making:
        code = _show_road(console, stack, showing) if showing is not None else 0
        if code == EXIT_INTERRUPTED:
            return code
        steps = tell_story(console, stack, making, folder)
    show_story(console, steps, page_root=stack.state.api_url)
    return code or (0 if all(each.is_right for each in steps) else EXIT_FAULTS)


def _welcome(console: Console, state: StackState) -> None:
    """Where the page is, and how to enter it."""
    administrator = make_first_administrator(state, now=utc_now())
    console.print(f"The page: [bold]{state.page_url}[/]", soft_wrap=True)
    if administrator is not None:
        console.print(
            f"User [bold]{administrator.username}[/], password [bold]{administrator.password}[/]"
            " (shown this once)",
            highlight=False,
        )
    else:
        console.print("User and password as before; new ones: luuthong admin reset-password")


def _show_road(console: Console, stack: LocalStack, showing: Showing) -> int:
    """Play a source and compare; returns the exit code."""
    state = stack.state
    device = ready_device(stack, stack.layout.home / FOLDER, now=utc_now())
    since = utc_now()
    order = PlayOrder(
        source=showing.source,
        view=showing.view,
        log_file=stack.layout.log_file("demo-edge"),
    )
    device_code = _play(console, state, device, order, showing)
    played_s = (utc_now() - since).total_seconds()
    code = _report(console, state, device, showing=showing, since=since, device_code=device_code)
    if device_code == EXIT_INTERRUPTED and showing.clip is not None:
        return EXIT_INTERRUPTED
    if showing.clip is not None and played_s > showing.clip.plan.duration_s + LAG_NOTED_S:
        console.print(
            f"This machine was busy: it took {played_s:.0f} s to look at"
            f" {showing.clip.plan.duration_s:.0f} s of road, and camera to row includes the wait.",
            highlight=False,
        )
    return code


def _prepare(console: Console, stack: LocalStack, *, source: str | None, view: View) -> Showing:
    """Start the stack, and meanwhile render the road."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=console, transient=True) as progress,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="stack") as pool,
    ):
        starting = progress.add_task("Starting the stack", total=None)
        started = pool.submit(stack.start)
        if source is None:
            plan = demonstration_plan()
            rendering = progress.add_task("Rendering the road", total=plan.frame_count)

            def on_frame(index: int) -> None:
                progress.update(rendering, completed=index + 1)
                if started.done():
                    started.result()  # says at once that the stack failed

            clip = ready_clip(stack.layout.home / FOLDER, plan, on_frame=on_frame)
            progress.update(rendering, completed=plan.frame_count)
            showing = Showing(source=str(clip.video), view=View.GATE, clip=clip)
        else:
            showing = Showing(source=source, view=view, clip=None)
        started.result()
        progress.update(starting, total=1, completed=1)
    return showing


def _play(
    console: Console, state: StackState, device: DemoDevice, order: PlayOrder, showing: Showing
) -> int:
    """Play with progress on the terminal; returns the edge program's exit code."""
    since = utc_now()
    duration_s = None if showing.clip is None else showing.clip.plan.duration_s
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[stored]} passages stored"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Playing in real time", total=duration_s, stored=0)

        def on_poll(elapsed_s: float) -> None:
            stored = count_passages(state.database_url, since=since)
            shown_s = elapsed_s if duration_s is None else min(elapsed_s, duration_s)
            progress.update(task, completed=shown_s, stored=stored)

        return play(device, order, on_poll=on_poll)


def _report(
    console: Console,
    state: StackState,
    device: DemoDevice,
    *,
    showing: Showing,
    since: datetime,
    device_code: int,
) -> int:
    """Read the result back from the database, show it and judge it."""
    outbox = look_into(device.outbox)
    ledger = event_ledger(state.database_url, outbox)
    passages = stored_passages(state.database_url, since=since)
    comparison = None
    if showing.clip is None:
        show_passages(console, passages)
    else:
        comparison = compare(showing.clip.truth, passages)
        show_vehicles(console, comparison)
        console.print(
            "The road is rendered: it proves the way through the system; how well real plates are"
            " read stands in models/cards.",
            style="dim",
        )
    show_summary(console, ledger=ledger, passages=passages, comparison=comparison)
    if showing.clip is None and device_code == EXIT_INTERRUPTED:
        device_code = 0  # a camera has no end: Ctrl-C is how it is left
    found = faults(ledger, comparison, device_code=device_code)
    show_verdict(console, found)
    return EXIT_FAULTS if found else 0


def _wait_if_wanted(
    console: Console, stack: LocalStack, ending: Ending, *, ran_before: bool
) -> None:
    """At a terminal, keep the page open until Ctrl-C."""
    page = stack.state.page_url
    if ran_before:
        console.print(f"The stack stays up. The page: {page}", soft_wrap=True)
        return
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if ending is Ending.STOP or not is_terminal:
        return
    console.print(f"Look at the page: {page}\nCtrl-C stops the stack.", soft_wrap=True)
    try:
        _idle(lambda: stack.is_running)
    except KeyboardInterrupt:
        console.print()


def _idle(goes_on: Callable[[], bool]) -> None:
    while goes_on():
        time.sleep(IDLE_POLL_S)
