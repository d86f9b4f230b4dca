# SPDX-License-Identifier: AGPL-3.0-or-later
"""``mine``: training crops that the released reader finds hard, for the next training."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from models.commands.options import RUNS_FOLDER, BackendOption, DataOption, ThreadsOption
from models.commands.terminal import EXIT_INTERRUPTED, progress_bar, say, stop_on_signals
from models.datasets.mined import write_mined_weights
from models.datasets.mining import Judgement, judge_crops, training_crops
from models.datasets.pool import DEFAULT_POOL_FOLDER, require_pool
from models.runtime.reader import PlateReader
from models.runtime.values import Backend

MINED_FILE: Final = RUNS_FOLDER / "mined" / "plate-crops.csv"
MAX_SUSPECTS_TOLD: Final = 50


def mine(
    data: DataOption = DEFAULT_POOL_FOLDER,
    to: Annotated[
        Path, typer.Option("--to", help="List to write: file, weight; hardest first.")
    ] = MINED_FILE,
    backend: BackendOption = Backend.AUTO,
    threads: ThreadsOption = 1,
) -> None:
    """List the training crops that the reader gets wrong or doubts, with weights.

    Validation crops are never looked at. Crops that are read surely as another
    text are named, because their label may be wrong, and are not in the list.
    """
    console = Console(stderr=True)
    crops = training_crops(require_pool(data))
    reader = PlateReader.open(backend=backend, threads=threads)
    judgements: list[Judgement] = []
    was_interrupted = False
    with stop_on_signals() as stop, progress_bar(console, total=len(crops)) as bar:
        task = bar.add_task("mining", total=len(crops))
        for judgement in judge_crops(crops, pool=data, reader=reader):
            judgements.append(judgement)
            bar.advance(task)
            if stop.is_set():
                was_interrupted = True
                break
    if was_interrupted:
        say(console, "interrupted; no list was written")
        raise typer.Exit(EXIT_INTERRUPTED)
    mined = [item.mined for item in judgements]
    written = write_mined_weights(to, [crop for crop in mined if crop is not None])
    _tell(console, judgements, written=written, to=to)


def _tell(console: Console, judgements: list[Judgement], *, written: int, to: Path) -> None:
    wrong = sum(not item.is_right for item in judgements)
    suspects = [item for item in judgements if item.is_suspect]
    for item in suspects[:MAX_SUSPECTS_TOLD]:
        say(console, f"look at the label of {item.file}: read surely as another text")
    if len(suspects) > MAX_SUSPECTS_TOLD:
        say(console, f"and {len(suspects) - MAX_SUSPECTS_TOLD} more such labels")
    say(
        console,
        f"{len(judgements)} crops, {wrong} read wrongly ({len(suspects)} suspect labels); "
        f"{written} in {to}",
    )
