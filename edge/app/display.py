# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a replay shows on the terminal: progress while it plays, a table when it is done."""

import time
from datetime import datetime
from threading import Event
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from edge.app.replay import Replay, ReplayProgress, ReplayResult
from edge.stages import Passage

TABLE_ROWS_MAX: Final = 200
NOTHING: Final = "-"
LOCAL_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")


def play(replay: Replay, stop: Event) -> ReplayResult:
    """Play with progress on the terminal; ``stop`` ends it tidily."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("frames", total=None, detail="")
        started_s = time.monotonic()
        return replay.run(
            stop, show=lambda state: _show(progress, task, state, started_s=started_s)
        )


def _show(progress: Progress, task: TaskID, state: ReplayProgress, *, started_s: float) -> None:
    elapsed_s = max(0.001, time.monotonic() - started_s)
    detail = f"{state.analysed / elapsed_s:.1f} frames/s, {state.passages} passages"
    if state.tag_reads:
        detail += f", {state.tag_reads} tag reads"
    if state.waiting_events or state.waiting_pictures:
        detail += (
            f", waiting for the centre: {state.waiting_events} events, "
            f"{state.waiting_pictures} pictures"
        )
    progress.update(task, completed=state.position, total=state.total, detail=detail)


def tell(result: ReplayResult) -> None:
    """What happened, as a table and plain sentences."""
    console = Console(soft_wrap=True)
    if result.passages:
        console.print(_table(result.passages[:TABLE_ROWS_MAX]))
    if result.count > TABLE_ROWS_MAX:
        console.print(f"… and {result.count - TABLE_ROWS_MAX} more.")
    rate = result.frames / max(0.001, result.duration_s)
    noun = "passage" if result.count == 1 else "passages"
    console.print(
        f"{result.count} {noun} in {result.frames} frames "
        f"({result.duration_s:.1f} s, {rate:.1f} frames/s).",
        highlight=False,
    )
    if result.tag_reads is not None:
        noun = "tag read" if result.tag_reads == 1 else "tag reads"
        console.print(f"{result.tag_reads} {noun}.", highlight=False)
    for problem in result.reader_problems:
        console.print(f"Not read: {problem}.", markup=False)
    if result.unreadable:
        console.print(f"{result.unreadable} pictures or frames could not be read.")
    if result.was_interrupted:
        console.print("Interrupted: what was in view counts as passed.")
    if result.problem is not None:
        console.print(f"The source broke off: {result.problem}", markup=False)
    sentence = _uplink_sentence(result) if result.is_online else "Nothing was sent to a centre."
    console.print(sentence, markup=False)


def _uplink_sentence(result: ReplayResult) -> str:
    if not result.waiting_events and not result.waiting_pictures:
        return "The centre has acknowledged everything."
    why = "" if result.uplink_problem is None else f" ({result.uplink_problem})"
    return (
        f"The centre has not acknowledged {result.waiting_events} events and "
        f"{result.waiting_pictures} pictures{why}; they wait in the outbox."
    )


def _table(passages: tuple[Passage, ...]) -> Table:
    table = Table(title="Passages", title_justify="left")
    for name in ("frame", "time", "direction", "class", "plate", "probability"):
        table.add_column(name, justify="right" if name in {"frame", "probability"} else "left")
    for passage in passages:
        plate = passage.plate
        table.add_row(
            str(passage.frame_index),
            _local_time(passage.captured_at),
            passage.direction.value,
            NOTHING if passage.vehicle_class is None else passage.vehicle_class.value,
            NOTHING if plate is None or not plate.text else plate.text,
            NOTHING if plate is None else f"{plate.confidence:.3f}",
        )
    return table


def _local_time(moment: datetime) -> str:
    """Day and time as they are said in Vietnam, to the tenth of a second."""
    local = moment.astimezone(LOCAL_ZONE)
    return f"{local:%d/%m/%Y %H:%M:%S}.{local.microsecond // 100_000}"
