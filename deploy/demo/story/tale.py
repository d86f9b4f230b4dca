# SPDX-License-Identifier: AGPL-3.0-or-later
"""One truck's story from its first passage to the closed day: every step through the real parts."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo.device import DemoDevice
from deploy.demo.story import asking, counter, day, setting, tolls, watching
from deploy.demo.story.browsing import PageReader
from deploy.demo.story.cast import Cast, Part
from deploy.demo.story.clips import LaneClip, StoryClips, ready_clips, start_rendering
from deploy.demo.story.lane import Played, deliver_again, play_lane, ready_lane, repeats
from deploy.demo.story.results import StepResult, show_step
from deploy.demo.story.setting import Staff, in_database
from deploy.demo.story.watching import LiveList, Passed
from deploy.local.clock import utc_now
from deploy.local.stack import LocalStack

RUN_FILE: Final = "run.txt"
CLIPS: Final = "clips"
TAIL_S: Final = 6.0
STOP_LIMIT_S: Final = 5.0
REPEAT_LIMIT_S: Final = 20.0
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """The clips of a run, being made by another process."""

    run: int
    process: subprocess.Popen[bytes]


@contextmanager
def clips_in_the_making(stack: LocalStack, folder: Path) -> Iterator[Making]:
    """Have the next run's clips made from now on; stopped with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    stack.layout.logs.mkdir(parents=True, exist_ok=True)
    run = _last_run(folder) + 1
    process = start_rendering(folder / CLIPS, run, log_file=stack.layout.log_file("demo-clips"))
    try:
        yield Making(run=run, process=process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_LIMIT_S)


def tell_story(
    console: Console, stack: LocalStack, making: Making, folder: Path
) -> list[StepResult]:
    """Play the story and show every step as it ends.

    Args:
        console: Where it is shown.
        stack: A running stack.
        making: The clips that are being made.
        folder: Of the demonstration's devices, files and papers; kept from run to run.

    Returns:
        All steps, in order.

    Raises:
        DeployError: A step can't be played at all.
    """
    with console.status("Rendering the lane, and trying whether its plates can be read"):
        making.process.wait()
        clips = ready_clips(folder / CLIPS, making.run)
    (folder / RUN_FILE).write_text(f"{making.run}\n", encoding="utf-8")
    return _Tale(console, stack, clips, folder).told()


def _last_run(folder: Path) -> int:
    """Number of the last run on this stack; 0 before the first."""
    path = folder / RUN_FILE
    text = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    return int(text) if text.isdigit() else 0


class _Tale:
    """One telling."""

    def __init__(
        self, console: Console, stack: LocalStack, clips: StoryClips, folder: Path
    ) -> None:
        self._console = console
        self._stack = stack
        self._clips = clips
        self._folder = folder
        self._root = stack.state.api_url
        self._url = stack.state.database_url
        self._steps: list[StepResult] = []

    @property
    def _cast(self) -> Cast:
        return self._clips.cast

    def told(self) -> list[StepResult]:
        device = ready_lane(self._stack, self._folder, now=utc_now())
        staff = self._set_up()
        passed, alert_id, charged = self._first_passage(device, staff)
        code = self._at_the_counter(staff)
        self._second_passage(device, staff, alert_id=alert_id, code=code)
        self._day_and_questions(staff, passed, forgotten=charged)
        return self._steps

    def _show(self, step: StepResult) -> None:
        self._steps.append(step)
        show_step(self._console, step)

    def _set_up(self) -> Staff:
        with self._console.status("Registry, toll station, accounts, watchlist, users"):
            prepared = setting.prepare(self._url, self._cast, self._folder / "files", now=utc_now())
        self._show(setting.told(prepared, self._cast, page_root=self._root))
        return prepared.staff

    def _first_passage(
        self, device: DemoDevice, staff: Staff
    ) -> tuple[Passed, UUID | None, UUID | None]:
        """Everybody drives through the lane; the truck's message is delivered twice."""
        before = tolls.balances(self._url, self._cast)
        members = self._cast.in_lane()
        with (
            self._reader(staff, "operator1") as operator,
            LiveList(operator, root=self._root) as live,
        ):
            played = self._play(device, self._clips.lane, "Vehicles pass the toll lane")
            repeats_before = in_database(self._url, repeats)
            deliver_again(self._stack, device, played.message_about(self._cast.truck.plate))
            is_repeated = self._was_repeated(repeats_before)
            passed = watching.wait_until_judged(
                self._url,
                since=played.began_at,
                count=len(members),
                user=staff.users["operator1"],
            )
            shown = live.shown
        self._show(watching.told(passed, self._cast, shown, page_root=self._root))
        with self._console.status("Waiting for the last tag and plate to be compared"):
            tolled = tolls.wait_until_settled(
                self._url, passed, self._cast, members=members, user=staff.users["toll1"]
            )
        step = tolls.told(tolled, passed, self._cast, before_dong=before, page_root=self._root)
        step.check(
            is_repeated and len(tolled.of(passed, self._cast.truck)) == 1,
            "the camera's message about the truck came twice: one crossing, one charge",
            otherwise="the camera's message about the truck was not counted as a repeat",
        )
        self._show(step)
        alerts = passed.alerts_about(self._cast.truck.plate)
        clean = tolled.of(passed, self._cast.members[Part.CLEAN])
        return (
            passed,
            alerts[0].alert.id if alerts else None,
            clean[0].id if clean else None,
        )

    def _was_repeated(self, before: int) -> bool:
        """Wait until the centre has seen that a message came again."""
        deadline = time.monotonic() + REPEAT_LIMIT_S
        while in_database(self._url, repeats) <= before:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def _at_the_counter(self, staff: Staff) -> str:
        visit = counter.Visit(
            stack=self._stack,
            cast=self._cast,
            staff=staff,
            folder=self._folder,
            root=self._root,
        )
        with (
            self._reader(staff, "clerk1") as clerk,
            self._reader(staff, "approver1") as approver,
        ):
            step, vehicle = counter.look_up(visit, clerk)
            self._show(step)
            step, dossier = counter.take_in(visit, clerk, vehicle)
            self._show(step)
            self._show(counter.supplement(visit, clerk, dossier))
            with self._console.status("The badge is put on signed paper"):
                step = counter.decide(visit, clerk, approver, dossier)
            self._show(step)
        return dossier.code

    def _second_passage(
        self, device: DemoDevice, staff: Staff, *, alert_id: UUID | None, code: str
    ) -> None:
        """The truck passes with its badge."""
        truck = self._cast.truck
        played = self._play(device, self._clips.again, "The truck passes again")
        passed = watching.wait_until_judged(
            self._url, since=played.began_at, count=1, user=staff.users["operator1"]
        )
        page = f"{self._root}{watching.ALERTS_PATH}/{alert_id}"
        step = StepResult(title="6 · The truck passes again", page=page)
        step.check(passed.passage_of(truck.plate) is not None, f"{truck.plate}: one passage")
        step.check(not passed.alerts_about(truck.plate), "no alert: its badge is in the registry")
        with self._reader(staff, "operator1") as operator:
            closed = operator.open(page)
        step.check(
            any(f"/console/dossiers/{code}" in link for link in closed.links),
            f"the first passage's alert is closed and leads to the dossier {code}",
            otherwise="the first passage's alert does not lead to the dossier",
        )
        tolled = tolls.wait_until_settled(
            self._url, passed, self._cast, members=[truck], user=staff.users["toll1"]
        )
        crossings = tolled.of(passed, truck)
        step.check(
            [each.state.value for each in crossings] == ["charged"],
            "its toll was charged once: " + ", ".join(str(each.state) for each in crossings),
        )
        self._show(step)

    def _day_and_questions(self, staff: Staff, passed: Passed, *, forgotten: UUID | None) -> None:
        truck = passed.passage_of(self._cast.truck.plate)
        with self._console.status("The day is closed"):
            if forgotten is None or truck is None:
                step = StepResult(title="7 · The day is closed and proven")
                step.check(is_right=False, text="there is no charge of the clean car to leave out")
            else:
                step = day.close_day(
                    self._stack,
                    self._folder / "files",
                    crossed_at=truck.captured_at,
                    forgotten=forgotten,
                    user=staff.users["toll1"],
                )
        self._show(step)
        with self._reader(staff, "operator1") as program:
            self._show(asking.ask(program, self._cast, now=utc_now(), page_root=self._root))

    def _play(self, device: DemoDevice, clip: LaneClip, what: str) -> Played:
        """Play a clip with progress on the terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            total_s = clip.plan.duration_s + TAIL_S
            task = progress.add_task(what, total=total_s)
            return play_lane(
                self._stack,
                device,
                clip,
                self._cast,
                now=utc_now(),
                on_poll=lambda elapsed_s: progress.update(task, completed=min(elapsed_s, total_s)),
            )

    @contextmanager
    def _reader(self, staff: Staff, name: str) -> Iterator[PageReader]:
        """A user at a browser, signed in."""
        with PageReader(self._root) as reader:
            reader.sign_in(name, staff.passwords[name].password)
            yield reader
