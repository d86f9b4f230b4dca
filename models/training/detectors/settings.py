# SPDX-License-Identifier: AGPL-3.0-or-later
"""What one training run is told: read from a file that is kept in the project."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from models.errors import TrainingEnvironmentError

CONFIG_FOLDER: Final = Path(__file__).resolve().parents[1] / "configs"
MAX_CONFIG_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraining:
    """One detector's training run.

    Attributes:
        name: Registry name, as ``plate-detector``.
        manifest: Manifest of the pictures.
        labels: Classes in the order of the network's outputs.
        class_of: Pool's class number to the index in ``labels``.
        max_per_source: Real pictures taken of one source, evenly through it: a
            thousand pictures of one gate teach little more than some hundred.
        rendered_pictures: Rendered road pictures mixed in; 0 is none.
        pasted_pictures: Real pictures with pasted renderings mixed in; 0 is none.
        min_confidence: Threshold at which the released copies are compared.
        quantised: Whether a copy in 8 bits is tried at the release.
        start_share: Share of the starting network in the released weights, 0 to 1.
            More keeps more of what it knew of other roads, less more of what was learned.
        trainer: Options handed to the training library as they are.
        rounds: One table per round of training, in order; its options replace
            those of ``trainer``. A round starts from the result of the one before.
    """

    name: str
    manifest: str
    labels: tuple[str, ...]
    class_of: Mapping[int, int]
    max_per_source: int
    rendered_pictures: int
    pasted_pictures: int
    min_confidence: float
    quantised: bool
    start_share: float
    trainer: Mapping[str, object]
    rounds: tuple[Mapping[str, object], ...]

    def __post_init__(self) -> None:
        """Refuse a training without a round, and a share that is none."""
        if not self.rounds:
            raise ValueError("a training needs at least one round")
        if not 0.0 <= self.start_share <= 1.0:
            raise ValueError("start_share lies in 0 to 1")


def read_detector_training(name: str, *, folder: Path = CONFIG_FOLDER) -> DetectorTraining:
    """Read a detector's training file.

    Args:
        name: Registry name, which is also the file's name.
        folder: Folder of training files.

    Raises:
        TrainingEnvironmentError: The file is absent or incomplete.
    """
    path = folder / f"{name}.toml"
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise TrainingEnvironmentError(f"{path.name} is too large for a training file")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return DetectorTraining(
            name=name,
            manifest=str(values["manifest"]),
            labels=tuple(str(label) for label in values["labels"]),
            class_of=MappingProxyType(
                {int(key): int(value) for key, value in values["class_of"].items()}
            ),
            max_per_source=int(values["max_per_source"]),
            rendered_pictures=int(values["rendered_pictures"]),
            pasted_pictures=int(values["pasted_pictures"]),
            min_confidence=float(values["min_confidence"]),
            quantised=bool(values["quantised"]),
            start_share=float(values["start_share"]),
            trainer=MappingProxyType(dict(values["trainer"])),
            rounds=tuple(MappingProxyType(dict(one)) for one in values["rounds"]),
        )
    except (OSError, KeyError, AttributeError, ValueError) as error:
        raise TrainingEnvironmentError(f"{path.name} can not be used: {error}") from error
