# SPDX-License-Identifier: AGPL-3.0-or-later
"""Arguments and options that several commands share."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from models.datasets.pool import PROJECT_FOLDER
from models.runtime.registry import (
    PLATE_CORNERS,
    PLATE_DETECTOR,
    PLATE_READER,
    VEHICLE_DETECTOR,
)
from models.runtime.sessions import MAX_THREADS
from models.runtime.values import Backend

LOCAL_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
RUNS_FOLDER: Final = PROJECT_FOLDER / "runs"


class ModelChoice(StrEnum):
    """What a command works on."""

    PLATE_DETECTOR = "plate-detector"
    VEHICLE_DETECTOR = "vehicle-detector"
    PLATE_READER = "plate-reader"
    ALL = "all"

    @property
    def names(self) -> tuple[str, ...]:
        """Registry names meant by the choice."""
        if self is ModelChoice.ALL:
            return (PLATE_DETECTOR, VEHICLE_DETECTOR, PLATE_READER)
        return (self.value,)


class TrainingChoice(StrEnum):
    """Networks that can be trained and released, in the order of their dependence."""

    VEHICLE_DETECTOR = VEHICLE_DETECTOR
    PLATE_DETECTOR = PLATE_DETECTOR
    PLATE_CORNERS = PLATE_CORNERS
    PLATE_READER = PLATE_READER


class SplitChoice(StrEnum):
    """Pictures to measure on."""

    VALIDATION = "validation"
    HOLD_OUT = "hold_out"
    BOTH = "both"


TrainingArgument = Annotated[TrainingChoice, typer.Argument(help="Network.")]
ModelArgument = Annotated[ModelChoice, typer.Argument(help="Model, or all of them.")]
DataOption = Annotated[Path, typer.Option("--data", help="Folder of real pictures.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Work folder of training runs.")]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=1, max=MAX_THREADS, help="Threads of the network.")
]
BackendOption = Annotated[Backend, typer.Option("--backend", help="Inference library.")]


def local_today() -> date:
    """The day in Vietnam, by which retention is counted."""
    return datetime.now(LOCAL_ZONE).date()
