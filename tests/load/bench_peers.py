# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ours beside the peers, on the same pictures in the same run. ``make bench-peers``.

The peers are installed into an environment of their own, which is no part of
the project. Every system gets a decoded picture and one thread, and is judged
by the text of the plate that it is surest to have found. Time is that of the processor, which other
work on the machine does not lengthen.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Final

import cv2
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.datasets.pool import DEFAULT_POOL_FOLDER, PROJECT_FOLDER, require_pool
from models.errors import ModelsError
from models.evaluation.figures.intervals import Share
from models.reading.picture_files import read_picture
from models.reading.plates import PictureReader
from tests.load.peers_environment import (
    FASTANPR,
    RAPIDOCR,
    WORKER,
    make_peers_environment,
    peers_folder,
)
from tests.load.peers_pictures import PictureSet, TruePicture, real_sets, rendered_sets
from tests.load.peers_scores import Outcome, TextLine, filtered_text, median_ms, raw_text

OURS: Final = "Luuthong"
PEER_RAW: Final = f"{FASTANPR.replace('==', ' ')} detector + {RAPIDOCR.replace('==', ' ')}"
PEER_FILTERED: Final = f"{PEER_RAW}, plate-format filter"
STOP_TIMEOUT_S: Final = 10.0


class PeersError(Exception):
    """The peers can not be installed or run."""


Judge = Callable[[TruePicture], dict[str, Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system on one set."""

    set_name: str
    system: str
    exact: Share
    answered_wrong: Share
    answered: Share
    median_ms: float


def main(
    *,
    data: Annotated[Path, typer.Option(help="Folder of real pictures.")] = DEFAULT_POOL_FOLDER,
    limit: Annotated[int, typer.Option(min=1, max=5000, help="Pictures of each set.")] = 300,
    output: Annotated[Path | None, typer.Option(help="Write the table there, too.")] = None,
) -> None:
    """Print a table in Markdown; when interrupted, of what was done so far."""
    console = Console(stderr=True)
    console.print("installing the peers into an environment of their own", highlight=False)
    try:
        python = make_peers_environment(peers_folder())
    except (ModelsError, subprocess.SubprocessError) as error:
        raise PeersError(f"the peers can not be installed: {error}") from error
    cv2.setNumThreads(1)
    reader = PictureReader.open(threads=1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="lt-peers-") as name, _peers(python) as ask:
        judges: tuple[Judge, ...] = (lambda picture: _ours(reader, picture), ask)
        try:
            for pictures in _sets(require_pool(data), Path(name), limit=limit, console=console):
                rows += _rows(pictures, judges, console=console)
        except KeyboardInterrupt:
            console.print("interrupted; the sets before are kept", highlight=False)
    table = markdown(rows)
    typer.echo(table)
    if output is not None:
        output.write_text(table + "\n", encoding="utf-8")


def markdown(rows: Sequence[Row]) -> str:
    """The table: shares with their 95 % intervals after Wilson."""
    lines = [
        "| pictures | system | exact plate | answered | of these wrong | CPU ms/picture, median |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.set_name}: {row.exact.trials} | {row.system} | {row.exact} | {row.answered}"
        f" | {row.answered_wrong} | {row.median_ms:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _sets(pool: Path, folder: Path, *, limit: int, console: Console) -> Iterator[PictureSet]:
    yield from real_sets(pool, limit=limit)
    with console.status("rendering pictures"):
        rendered = list(rendered_sets(folder, limit=limit))
    yield from rendered


def _rows(pictures: PictureSet, judges: Sequence[Judge], *, console: Console) -> list[Row]:
    """Every system on every picture, in turn, so that a busy machine slows them alike."""
    outcomes: dict[str, list[Outcome]] = {}
    console.print(f"{pictures.name}: {len(pictures.pictures)} pictures", highlight=False)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        for picture in bar.track(pictures.pictures, description=pictures.name):
            for judge in judges:
                for system, outcome in judge(picture).items():
                    outcomes.setdefault(system, []).append(outcome)
    texts = [picture.text for picture in pictures.pictures]
    return [_row(pictures.name, system, found, texts) for system, found in outcomes.items()]


def _row(set_name: str, system: str, outcomes: Sequence[Outcome], texts: Sequence[str]) -> Row:
    right = [outcome.text == text for outcome, text in zip(outcomes, texts, strict=True)]
    answered = [outcome.is_answered for outcome in outcomes]
    wrong = sum(gave and not is_right for gave, is_right in zip(answered, right, strict=True))
    return Row(
        set_name=set_name,
        system=system,
        exact=Share(successes=sum(right), trials=len(right)),
        answered=Share(successes=sum(answered), trials=len(answered)),
        answered_wrong=Share(successes=wrong, trials=sum(answered)),
        median_ms=median_ms(outcomes),
    )


def _ours(reader: PictureReader, picture: TruePicture) -> dict[str, Outcome]:
    decoded = read_picture(picture.path)
    started_s = time.process_time()
    if picture.is_crop:
        plates = reader.read([decoded.image])
    else:
        plates = tuple(found.plate for found in reader.plates(decoded)[:1])
    cpu_ms = (time.process_time() - started_s) * 1000
    outcome = Outcome(text="", is_answered=False, cpu_ms=cpu_ms)
    if plates:
        outcome = Outcome(
            text=plates[0].reading.text,
            is_answered=plates[0].is_answered,
            cpu_ms=cpu_ms,
        )
    return {OURS: outcome}


@contextmanager
def _peers(python: Path) -> Iterator[Judge]:
    """The peers' process; asked with a picture, it answers before the next is asked."""
    with subprocess.Popen(
        [python, "-m", WORKER],
        cwd=PROJECT_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise PeersError("the peers' process has no pipes")
        questions, answers = process.stdin, process.stdout
        try:
            yield lambda picture: _asked(questions, answers, picture)
        finally:
            questions.close()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _asked(questions: IO[str], answers: IO[str], picture: TruePicture) -> dict[str, Outcome]:
    questions.write(json.dumps({"path": str(picture.path), "is_crop": picture.is_crop}) + "\n")
    questions.flush()
    line = answers.readline()
    if not line:
        raise PeersError(f"the peers' process ended; see why with: python -m {WORKER}")
    answer = json.loads(line)
    plates = sorted(answer["plates"], key=lambda plate: -plate["conf"])
    lines = [_text_line(seen) for plate in plates[:1] for seen in plate["lines"]]
    return {
        system: Outcome(text=text, is_answered=bool(text), cpu_ms=answer["cpu_ms"])
        for system, text in ((PEER_RAW, raw_text(lines)), (PEER_FILTERED, filtered_text(lines)))
    }


# Any: JSON of the peers' process.
def _text_line(seen: Mapping[str, Any]) -> TextLine:
    x_values = [point[0] for point in seen["box"]]
    y_values = [point[1] for point in seen["box"]]
    return TextLine(
        text=seen["text"],
        x_px=sum(x_values) / len(x_values),
        y_px=sum(y_values) / len(y_values),
        height_px=max(y_values) - min(y_values),
    )


if __name__ == "__main__":
    try:
        typer.run(main)
    except (PeersError, ModelsError) as problem:
        raise SystemExit(str(problem)) from problem
