# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a checkpoint to the released corner network: ONNX, proof of equal output, registry."""

from pathlib import Path
from typing import Final

import numpy as np

from models.datasets.synth.camera import photographed, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.corners import CORNERS_HEIGHT_PX, CORNERS_WIDTH_PX, PlateCorners, stretched
from models.runtime.registry import MODELS_FOLDER, PLATE_CORNERS, WEIGHTS_FOLDER
from models.training.network_export import agreement_lines, export_network, load_average
from models.training.plates.corner_network import CornerNetwork
from models.training.plates.corner_train import RUN_FOLDER
from models.training.release import enter_config, enter_release
from models.training.stepwise import CHECKPOINT_FILE

MAX_SHARE_DIFFERENCE: Final = 0.002
_MEASURED: Final = 400
_SEED: Final = 907
_PLATE_HEIGHT_PX: Final = 110


def release_corners(*, version: str, run_folder: Path = RUN_FOLDER) -> tuple[str, ...]:
    """Export the last checkpoint, compare, measure on renderings and enter it in the registry.

    Args:
        version: Of the weights, as ``1.2.3``.
        run_folder: Folder of the training run.

    Returns:
        Lines for people.

    Raises:
        ModelFormatError: A backend gives other numbers than torch, or the file is too large.
    """
    network = CornerNetwork()
    step = load_average(run_folder / CHECKPOINT_FILE, network)
    target = MODELS_FOLDER / WEIGHTS_FOLDER / f"{PLATE_CORNERS}.onnx"
    shape = (CORNERS_HEIGHT_PX, CORNERS_WIDTH_PX, 3)
    export_network(network, target, shape=shape, outputs=("corners",))
    lines = [f"step {step}, {target.stat().st_size / 1e6:.1f} MB"]
    shots = _shots()
    batch = stretched([image for image, _ in shots[:16]], height_px=shape[0], width_px=shape[1])
    lines += agreement_lines(network, target, batch, difference_max=MAX_SHARE_DIFFERENCE)
    enter_config(PLATE_CORNERS, {"input_height_px": str(shape[0]), "input_width_px": str(shape[1])})
    lines.append(enter_release(PLATE_CORNERS, version=version))
    lines.append(_measured(shots))
    return tuple(lines)


def _shots() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(_SEED)
    shots = []
    for _ in range(_MEASURED):
        plate = render_plate(random_plate_spec(rng), height_px=_PLATE_HEIGHT_PX, rng=rng)
        shot = photographed(plate, rng=rng, severity=random_severity(rng))
        shots.append((shot.image, shot.corners_px))
    return shots


def _measured(shots: list[tuple[np.ndarray, np.ndarray]]) -> str:
    finder = PlateCorners.open()
    errors = []
    for image, truth in shots:
        found = finder.find([image])[0]
        size = np.ptp(truth, axis=0)
        errors.append(float(np.abs((found - truth) / size).mean()))
    middle, high = np.quantile(errors, [0.5, 0.95])
    return f"mean corner error {middle:.1%} of the plate's size in the median, {high:.1%} at 95 %"
